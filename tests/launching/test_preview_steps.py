"""What -n shows of STEPS: how many of each would start, after what, where and with what needs."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError
from runx.launching.graph import step_runs
from runx.launching.plan import PlannedAttempt, plan, sweep_of
from runx.launching.preview import check_first
from runx.launching.preview_steps import step_counts, table_of
from runx.launching.routes import routes

STEPS = """\
STEPS:
  tokens: {CMD: "tok {dataset} LOGDIR", PER: [dataset], RESOURCES: {cpus: 8}}
  train: {CMD: "train {args} --data {tokens.dir}", AFTER: tokens, RESOURCES: {gpus: 1}}
  eval: {CMD: "eval LOGDIR/best", AFTER: train}
  seeds: {CMD: "ens {eval.dirs}", AFTER: {eval: ended}, PER: {without: seed}, RESOURCES: {}}
HPARAMS: {dataset: [a, b], seed: [0, 1, 2]}
"""


def planned(folder, text=STEPS, runx="{}"):
    (folder / "sweep.yml").write_text(text)
    (folder / ".runx").write_text(runx)
    experiment = load(Request(folder / "sweep.yml", folder, {"HOME": "/none"}))
    names = (f"run{number}" for number in range(1000))
    return experiment, list(plan(experiment, sweep_of(experiment), lambda _: next(names)))


def test_each_step_is_counted_with_what_it_is_after_and_needs(tmp_path):
    experiment, runs = planned(tmp_path, runx="FARM: slurm\n")
    counts = step_counts(experiment, step_runs(experiment, runs).steps)
    assert [each[:5] for each in counts] == [
        ("tokens", 2, "dataset", "", "slurm"),
        ("train", 6, "run", "tokens", "slurm"),
        ("eval", 6, "run", "train", "the job of train"),
        ("seeds", 2, "all but seed", "eval ended", "slurm"),
    ]
    assert [[need.name for need in each.resources] for each in counts] == [
        ["cpus"],
        ["gpus"],
        [],
        [],
    ]
    assert counts[1].json()["resources"] == {"gpus": 1}
    lines = table_of(counts).splitlines()
    assert lines[3].split() == ["train", "6", "run", "tokens", "slurm", "gpus:", "1"]


def test_a_step_that_starts_nowhere_is_counted_as_none(tmp_path):
    experiment, runs = planned(tmp_path)
    steps = [step for step in step_runs(experiment, runs).steps if step.step.name == "eval"]
    assert [each.starting for each in step_counts(experiment, steps)] == [0, 0, 6, 0]


def test_steps_that_a_farm_can_not_have_wait_are_refused_when_planned(tmp_path):
    experiment, runs = planned(tmp_path, runx="FARM: k\nk: {TYPE: ray}\n")
    with pytest.raises(SettingsError, match=r"STEPS.train: jobs of TYPE ray can't wait for others"):
        [route] = routes(experiment, map(PlannedAttempt, runs))
        check_first(route.experiment, list(route.runs))
