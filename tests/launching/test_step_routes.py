"""Where steps go, by what each needs and farms have, and what RESOURCES computes for them."""

import os

import pytest

from runx.api.experiment import SweepPlan
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError, SweepError
from runx.launching.graph import step_runs
from runx.launching.plan import PlannedAttempt, resources_of
from runx.launching.preview import lines
from runx.launching.routes import routes

FARMS = """\
FARM: auto
local: {CAPACITY: {gpus: 0, cpus: 4, mem: 8G}}
small: {TYPE: slurm, CAPACITY: {gpus: 1, cpus: 16}, RESOURCES: {partition: s}, SETUP: load small}
big: {TYPE: lsf, CAPACITY: {gpus: 8, cpus: 64}, SETUP: load big}
"""


def of(train="", evaluate="", hparams="{size: [1, 2], lr: [1, 2]}", **more):
    tokens = more.get("tokens", "")
    return (
        f"STEPS:\n  tokens: {{CMD: 'tok {{size}}', PER: [size]{tokens}}}\n"
        f"  train: {{CMD: 'train {{args}}', AFTER: tokens{train}}}\n"
        f"  eval: {{CMD: eval, AFTER: train{evaluate}}}\nHPARAMS: {hparams}\n"
    )


def loaded(folder, sweep, runx="", *overrides, **more):
    (folder / "sweep.yml").write_text(sweep)
    (folder / ".runx").write_text(runx or "{}")
    environment = {"HOME": "/none", "PATH": os.environ["PATH"]}
    return load(Request(folder / "sweep.yml", folder, environment, overrides=overrides, **more))


def routed(experiment, attempt=1, say=lambda line: None):
    """Return for each step where it goes and what it asks for there."""
    sweep = SweepPlan.of(experiment)
    attempts = [PlannedAttempt(step, attempt) for step in step_runs(experiment, [*sweep.runs()])[0]]
    return [
        (
            run.step.name,
            route.experiment.place,
            {each.name: each.text for each in resources_of(route.experiment, run)},
        )
        for route in routes(experiment, attempts, say)
        for run in route.runs
    ]


@pytest.mark.parametrize(
    ("train", "evaluate", "message"),
    [
        (", RESOURCES: {gpus: 9}", "", "no farm has what they need: local lacks gpus .9 needed, 0"),
        (", RESOURCES: {gpus: 2}, FARM: small", "", "small lacks gpus .2 needed, 1 there"),
        (
            ", RESOURCES: {gpus: 2}, FARM: [small, big]",
            ", RESOURCES: {cpus: 9}, FARM: [local, small]",
            "tokens and train and eval, which wait .*: small lacks gpus",
        ),
        (
            ", RESOURCES: {mem: '{{ sise }}G'}",
            "",
            r"yml:3: STEPS.train.RESOURCES.mem: .*size",
        ),
        (
            ", RESOURCES: {mem: '{{ 1 / 0 }}G'}",
            "",
            r"yml:3: STEPS.train.RESOURCES.mem: .*zero",
        ),
        (", FARM: [small, none]", "", r"sweep.yml:3: STEPS.train: FARM: no section describes"),
    ],
)
def test_what_no_farm_has_or_nobody_can_compute_is_told_with_the_step(
    tmp_path, train, evaluate, message
):
    with pytest.raises((SettingsError, SweepError), match=message):
        routed(loaded(tmp_path, of(train, evaluate, tokens=", RESOURCES: {}"), FARMS))


def test_a_value_that_not_all_runs_of_a_shared_step_have_is_refused(tmp_path):
    text = of(tokens=", RESOURCES: {mem: '{{ lr }}G'}")
    with pytest.raises(SettingsError, match=r"sweep.yml:2: STEPS.tokens.RESOURCES.mem: .*lr"):
        routed(loaded(tmp_path, text))


def test_values_are_computed_of_a_steps_own_hyperparameters_and_attempt(tmp_path):
    text = of(
        ", RESOURCES: {mem: '{{ lr * attempt }}M'}", tokens=", RESOURCES: {cpus: '{{ size }}'}"
    )
    found = routed(loaded(tmp_path, text), attempt=3)
    assert [need["cpus"] for name, _, need in found if name == "tokens"] == ["1", "2"]
    for name in ("train", "eval"):  # They share a job.
        assert [need["mem"] for own, _, need in found if own == name] == ["3M", "6M", "3M", "6M"]


def test_the_first_alternative_that_fits_is_taken(tmp_path):
    said = []
    text = of(
        ", RESOURCES: 'cuda*2 & cpu(cores=2) | cpu(cores=16)', FARM: small", tokens=", FARM: local"
    )
    found = routed(
        loaded(tmp_path, text, FARMS.replace("FARM: auto", "FARM: local")), say=said.append
    )
    assert ("train", "small", {"partition": "s", "cpus": "16"}) in found
    assert {place for name, place, _ in found if name == "eval"} == {"small"}
    assert "4 train go to small (alternative 2 of 2): partition: s, cpus: 16" in said


def test_steps_that_wait_for_each_other_go_to_one_farm(tmp_path):
    text = of(", RESOURCES: {cpus: 8}", ", RESOURCES: {gpus: 1}", tokens=", RESOURCES: {cpus: 1}")
    found = routed(loaded(tmp_path, text, FARMS))
    assert {place for _, place, _ in found} == {"small"}
    text = of(", RESOURCES: {cpus: 8}", ", RESOURCES: {gpus: 2}", tokens=", FARM: local")
    found = routed(loaded(tmp_path, text, FARMS))
    assert [place for _, place, _ in found] == ["local"] * 2 + ["big"] * 8


def test_a_chosen_farm_sets_up_the_steps_that_go_there(tmp_path):
    experiment = loaded(tmp_path, of(", RESOURCES: {gpus: 2}"), FARMS)
    runs = [*SweepPlan.of(experiment).runs()]
    [route] = routes(experiment, map(PlannedAttempt, runs))
    setups = {run.step.name: run.step.shell.setup for run in route.runs}
    assert setups == dict.fromkeys(("tokens", "train", "eval"), "load big")


def test_what_runs_need_in_one_job_must_fit_together(tmp_path):
    runx = "FARM: a\na: {TYPE: slurm, RUNS_PER_JOB: 8, CAPACITY: {cpus: 8}}\n"
    routed(loaded(tmp_path, of(", RESOURCES: {cpus: 2}"), runx))  # There are but four.
    with pytest.raises(SettingsError, match=r"cpus .12 needed by 4 runs in a job, 8 there"):
        routed(loaded(tmp_path, of(", RESOURCES: {cpus: 3}"), runx))


def test_an_override_changes_what_every_alternative_has_or_takes_their_place(tmp_path):
    text = of(", RESOURCES: [{gpus: 9}, {cpus: 1}]")
    found = routed(loaded(tmp_path, text, "", "STEPS.train.RESOURCES={cpus: 2}"))
    assert ("train", "local", {"cpus": "2"}) in found


def test_the_jobs_of_steps_at_a_farm_are_shown(tmp_path):
    experiment = loaded(
        tmp_path, of(", RESOURCES: {cpus: 2}", tokens=", FARM: local"), "FARM: slurm\n"
    )
    runs = [*SweepPlan.of(experiment).runs()]
    shown = list(lines(routes(experiment, map(PlannedAttempt, runs))))
    assert shown[:2] == ["tok 1", "tok 2"]
    assert sum(line.startswith("sbatch") for line in shown) == 4
    assert sum(line.startswith("# eval") for line in shown) == 4
