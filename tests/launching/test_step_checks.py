"""STEPS against the hyperparameters of a sweep: what could not be executed as meant is refused."""

import pytest

from runx.api.experiment import Experiment, SweepPlan
from runx.config.request import Request
from runx.errors import SettingsError


def check(folder, text, runx=""):
    (folder / "sweep.yml").write_text(text)
    (folder / ".runx").write_text(runx or "{}")
    request = Request(folder / "sweep.yml", folder, {"HOME": "/none", "PATH": "/bin:/usr/bin"})
    SweepPlan.of(Experiment.of(request).settings, placeholders=True)


def steps(*lines, hparams="{lr: [1, 2], opt: [a, b]}"):
    return "\n".join(["STEPS:", *(f"  {line}" for line in lines), f"HPARAMS: {hparams}\n"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["lr: {CMD: 'x {args}'}"], "sweep.yml:2: STEPS.lr: a hyperparameter has this name"),
        (
            ["a: {CMD: 'x {args}'}", "b: {CMD: x, PER: [lrr]}"],
            "sweep.yml:3: STEPS.b: PER: lrr is no hyperparameter; did you mean lr",
        ),
        (
            ["a: {CMD: 'x {args}'}", "b: {CMD: x, PER: {without: no}}"],
            "PER: no is no hyperparameter",
        ),
        (["a: {CMD: 'x {lr}'}"], "sweep.yml:3: opt: no step is given it; write {opt}, or {args}"),
        (
            ["a: {CMD: 'x {args}', PER: [lr]}", "b: {CMD: x}"],
            "sweep.yml:4: opt: no step is given it",
        ),
        (
            ["a: {CMD: 'x {lr}', PER: [opt]}", "b: {CMD: 'x {args}'}"],
            "STEPS.a: CMD: {lr} isn't the same for all runs that share it; add it to PER",
        ),
        (
            ["a: {CMD: 'x {args}'}", "b: {CMD: 'x {a.dir}'}"],
            "STEPS.b: CMD: {a.dir}: it isn't after a; add that to AFTER",
        ),
        (["a: {CMD: 'x {args} {aa.dir}'}"], "{aa.dir}: no such step; did you mean a"),
        (["a: {CMD: 'x {args} {a.dir}'}"], "{a.dir}: it isn't after a"),
        (
            ["a: {CMD: 'x {args}'}", "b: {CMD: 'x {a.dir}', AFTER: a, PER: sweep}"],
            "{a.dir}: there are several; write {a.dirs}",
        ),
        (
            ["a: {CMD: 'x {args}'}", "b: {CMD: 'cat {a.dirs}/x', AFTER: a, PER: sweep}"],
            "{a.dirs} becomes several words: it must stand alone",
        ),
        (
            [
                "a: {CMD: 'x {args}'}",
                "b: {CMD: x, PER: [lr, opt], AFTER: a}",
                "c: {CMD: 'x {b.dir}', PER: [lr], AFTER: b}",
            ],
            "{b.dir}: there are several; write {b.dirs}",
        ),
        (["a: {CMD: 'x {args} ('}"], "sweep.yml:2: STEPS.a: CMD: bash can't read it"),
        (["a: {CMD: 'x {args}', SETUP: 'if'}"], "sweep.yml:2: STEPS.a: SETUP: bash can't read it"),
        (['a: {CMD: "x {args}\\0"}'], "CMD: holds a NUL"),
    ],
)
def test_a_step_that_could_not_be_executed_is_refused_with_its_line(tmp_path, lines, message):
    with pytest.raises(SettingsError) as error:
        check(tmp_path, steps(*lines))
    assert message in str(error.value)


def test_a_hyperparameter_that_some_runs_lack_can_not_be_placed(tmp_path):
    hparams = "[{lr: 1, opt: a}, {lr: 2, wd: 1}]"
    with pytest.raises(SettingsError, match="not every run has wd"):
        check(tmp_path, steps("a: {CMD: 'x {args} {wd}'}", hparams=hparams))
    check(tmp_path, steps("a: {CMD: 'x {args}'}", hparams=hparams))


def test_what_is_placed_by_any_step_is_enough(tmp_path):
    check(tmp_path, steps("a: {CMD: 'x {lr}', PER: [lr]}", "b: {CMD: 'y {opt} {a.dir}', AFTER: a}"))
    check(tmp_path, "ARGS: {style: env}\n" + steps("a: {CMD: x}"))
    check(tmp_path, "ARGS: {style: file}\n" + steps("a: {CMD: 'x {config}'}"))
    with pytest.raises(SettingsError, match="no step is given it"):
        check(tmp_path, "ARGS: {style: file}\n" + steps("a: {CMD: x}"))


def test_braces_of_the_shell_are_left_alone(tmp_path):
    check(tmp_path, steps("a: {CMD: 'x {args} {c,d} ${e.dir}'}"))


FARMS = "one: {TYPE: slurm}\ntwo: {TYPE: slurm}\n"


@pytest.mark.parametrize(
    ("first", "second", "is_well"),
    [
        ("local", "one", True),
        ("one", "two", False),
        ("one", "local", False),
        ("one", "one", True),
        ("local", "local", True),
    ],
)
def test_jobs_wait_for_none_of_another_farm(tmp_path, first, second, is_well):
    lines = [f"a: {{CMD: 'x {{args}}', FARM: {first}}}", f"b: {{CMD: x, FARM: {second}, AFTER: a}}"]
    if is_well:
        check(tmp_path, steps(*lines), FARMS)
        return
    with pytest.raises(SettingsError, match=r"sweep\.yml:3: STEPS\.b: it is for \w+, after a at"):
        check(tmp_path, steps(*lines), FARMS)
