"""STEPS: what each says, in which order, and the message, with its line, on a mistake."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError, SweepError
from runx.rundir.handback import Requeue
from runx.rundir.steps import RUN, SWEEP, Per

PIPELINE = """\
STEPS:
  seeds: {CMD: "ens {eval.dirs}", AFTER: eval, PER: {without: seed}}
  tokens: {CMD: "tok {dataset}", PER: [dataset], RESOURCES: {cpus: 8, time: 1h}}
  train: {CMD: "train {args}", AFTER: tokens, ENV: {B: step}}
  eval: {CMD: "eval {lr}", AFTER: train}
  report: {CMD: "sumx EXPERIMENT", AFTER: {eval: ended}, PER: sweep}
HPARAMS: {dataset: [a, b], lr: [0.1, 0.2], seed: {repeat: 3}}
"""


def loaded(folder, sweep=PIPELINE, runx="", **options):
    (folder / "sweep.yml").write_text(sweep)
    if runx:
        (folder / ".runx").write_text(runx)
    return load(Request(folder / "sweep.yml", folder, {"HOME": "/none"}, **options))


def steps_of(*args, **options):
    return {step.name: step for step in loaded(*args, **options).steps}


def of_eval(text):
    """Return an experiment whose step eval says this, on line 4."""
    return f"STEPS:\n  train: {{CMD: x}}\n  eval:\n    {text}\n    WRAP: nice\nHPARAMS: {{lr: 1}}\n"


def test_steps_follow_what_they_are_after_else_the_file(tmp_path):
    steps = steps_of(tmp_path)
    assert list(steps) == ["tokens", "train", "eval", "seeds", "report"]
    assert steps["report"].after == {"eval": "ended"}
    assert steps["seeds"].after == {"eval": "done"}
    assert steps["train"].after == {"tokens": "done"}
    pers = [steps[name].per for name in ("tokens", "train", "seeds", "report")]
    assert pers == [Per(("dataset",)), RUN, Per(("seed",), without=True), SWEEP]


def test_a_run_is_identified_by_its_first_steps(tmp_path):
    assert loaded(tmp_path).cmd == "train {args}"
    mended = loaded(tmp_path, PIPELINE.replace("eval {lr}", "eval2 {lr}"))
    other = loaded(tmp_path, PIPELINE.replace("train {args}", "train2 {args}"))
    assert mended.cmd == "train {args}" and other.cmd == "train2 {args}"


def test_a_step_has_what_it_says_else_what_holds_for_all(tmp_path):
    steps = steps_of(tmp_path, f"ENV: {{A: all, B: all}}\nSETUP: module load x\n{PIPELINE}")
    assert steps["eval"].shell is None and steps["eval"].resources is None
    assert dict(steps["train"].shell.environment) == {"A": "all", "B": "step"}
    assert steps["train"].shell.setup == "module load x"
    assert [each.name for each in steps["tokens"].resources] == ["cpus", "time"]


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("AFTER: train", "sweep.yml:3: STEPS.eval: CMD is missing"),
        ("CMD: ''", "STEPS.eval: CMD is missing"),
        ("CMD: [x]", "sweep.yml:4: STEPS.eval.CMD must be text"),
        ("{CMD: x, AFTR: train}", "did you mean AFTER"),
        ("{CMD: x, AFTER: trian}", "STEPS.eval: AFTER: trian is no step; did you mean train"),
        ("{CMD: x, AFTER: eval}", "eval is after eval; take one AFTER out"),
        ("{CMD: x, AFTER: [train, train]}", "AFTER names train twice"),
        ("{CMD: x, AFTER: [[train]]}", "AFTER must be a name, or a list of names"),
        ("{CMD: x, AFTER: {train: started}}", "AFTER: train must be done or ended"),
        ("{CMD: x, PER: {with: lr}}", "PER must be run, sweep, hyperparameters, or {without"),
        ("{CMD: x, PER: ['']}", "PER must be a name, or a list of names"),
        ("{CMD: x, ENV: [a]}", "STEPS.eval.ENV must be a mapping"),
        ("{CMD: x, FARM: no}", "FARM: no section describes farm no"),
        ("{CMD: x, REQUEUE: true}", "REQUEUE: no scheduler takes runs back here"),
        ("[x]", "a step is a mapping, as {CMD"),
    ],
)
def test_a_mistake_in_a_step_is_told_with_its_place(tmp_path, says, message):
    text = of_eval(says)
    if says[0] in "{[":
        text = text.replace(f"\n    {says}\n    WRAP: nice", f" {says}")
    with pytest.raises(SettingsError, match=r"^\S*sweep.yml:\d+: STEPS.eval") as error:
        loaded(tmp_path, text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        (f"CMD: x\n{PIPELINE}", "sweep.yml:1: CMD: there is STEPS, too; make it a step"),
        (f"LAUNCH: torchrun\n{PIPELINE}", "sweep.yml:1: LAUNCH: there is STEPS, too; say it in"),
        ("STEPS: {}\nHPARAMS: {}\n", "sweep.yml:1: STEPS has no step; see docs/steps.md"),
        ("STEPS:\nHPARAMS: {}\n", "sweep.yml:1: STEPS has no step; see docs/steps.md"),
        ("STEPS: 3\nHPARAMS: {}\n", "sweep.yml:1: STEPS: 3: no such file; write steps.py:function"),
        ("STEPS: [a]\nHPARAMS: {}\n", "STEPS must be a mapping of steps"),
        ("STEPS: {a: {CMD: x, PER: sweep}}\nHPARAMS: {}\n", "no step is PER: run"),
        ("STEPS: {1a: {CMD: x}}\nHPARAMS: {}\n", "a step's name is letters, digits and _"),
        ("STEPS: {a-b: {CMD: x}}\nHPARAMS: {}\n", "a step's name is letters, digits and _"),
        ("STEPS: {args: {CMD: x}}\nHPARAMS: {}\n", "none of args, config, LOGDIR"),
        (f"STEPS: {{{'a' * 61}: {{CMD: x}}}}\nHPARAMS: {{}}\n", "at most 60"),
        (
            "STEPS: {a: {CMD: x, AFTER: c}, b: {CMD: x, AFTER: a}, c: {CMD: x, AFTER: b}}\n",
            "a is after c is after b is after a; take one AFTER out",
        ),
        ("STEPS: {a: {CMD: x}}\n", "HPARAMS is missing"),
    ],
)
def test_a_mistake_in_all_steps_is_told(tmp_path, sweep, message):
    with pytest.raises((SettingsError, SweepError)) as error:
        loaded(tmp_path, sweep)
    assert message in str(error.value)


def test_overrides_change_one_thing_of_a_step(tmp_path):
    words = ("STEPS.eval.RESOURCES.gpus=1", "STEPS.eval.AFTER=tokens", "STEPS.tokens.CMD=tok2")
    steps = steps_of(tmp_path, overrides=words)
    assert [(each.name, each.value) for each in steps["eval"].resources] == [("gpus", 1)]
    assert steps["eval"].after == {"tokens": "done"} and steps["eval"].cmd == "eval {lr}"
    assert steps["tokens"].cmd == "tok2"
    assert [each.name for each in steps["tokens"].resources] == ["cpus", "time"]
    with pytest.raises(SettingsError, match=r"on the command line: .*RESOURCES"):
        loaded(tmp_path, overrides=("STEPS.eval.RESOURCES=1",))


def test_a_base_is_extended_step_by_step(tmp_path):
    (tmp_path / "base.yml").write_text(PIPELINE)
    steps = steps_of(tmp_path, "EXTENDS: base.yml\nSTEPS: {eval: {CMD: eval2}}\n")
    assert steps["eval"].cmd == "eval2" and steps["eval"].after == {"train": "done"}
    with pytest.raises(SettingsError, match=r"base.yml:3: STEPS.tokens: AFTER: x is no step"):
        (tmp_path / "base.yml").write_text(PIPELINE.replace("PER: [dataset]", "AFTER: x"))
        loaded(tmp_path, "EXTENDS: base.yml\nSTEPS: {eval: {CMD: eval2}}\n")


def test_a_function_gives_steps(tmp_path):
    (tmp_path / "made.py").write_text("def steps():\n    return {'train': {'CMD': 'x {args}'}}\n")
    text = "STEPS: made.py:steps\nHPARAMS: {lr: 1}\n"
    experiment = loaded(tmp_path, text)
    assert [step.cmd for step in experiment.steps] == ["x {args}"]
    assert experiment.functions == {"made.py:steps": "STEPS"}
    assert loaded(tmp_path, text, executes=False).steps == ()
    steps = steps_of(tmp_path, text, overrides=("STEPS.train.CMD=y {args}",))
    assert steps["train"].cmd == "y {args}"
    (tmp_path / "made.py").write_text("def steps():\n    return [1]\n")
    with pytest.raises(SweepError, match="gives list; return a mapping of steps"):
        loaded(tmp_path, text)


FARMS = "FARM: big\nbig: {TYPE: slurm, RESOURCES: {partition: gpu}, SETUP: module load cuda}\n"


def test_a_step_keeps_what_other_files_say_of_its_farm(tmp_path):
    steps = steps_of(tmp_path, runx=FARMS)
    names = {each.name: each.value for each in steps["tokens"].resources}
    assert names == {"partition": "gpu", "cpus": 8, "time": "1h"}


def test_a_step_has_a_farm_of_its_own_or_is_here(tmp_path):
    runx = f"{FARMS}small: {{TYPE: slurm, SETUP: module load cpu, REQUEUE: true}}\n"
    text = PIPELINE.replace("RESOURCES: {cpus: 8, time: 1h}", "FARM: small")
    experiment = loaded(tmp_path, text, runx)
    steps = {step.name: step for step in experiment.steps}
    assert steps["tokens"].farm == "small" and list(experiment.farms) == ["small"]
    assert steps["tokens"].shell.setup == "module load cpu"
    assert experiment.farms["small"].requeue == Requeue()
    here = loaded(tmp_path, text, runx, here=True)
    assert {step.farm for step in here.steps} == {""} and not here.farms
    local = loaded(tmp_path, text.replace("FARM: small", "FARM: local"), runx)
    assert [step.farm for step in local.steps if step.farm] == ["local"] and not local.farms
    usual = loaded(tmp_path, text.replace("FARM: small", "FARM: big"), runx)
    assert [step.farm for step in usual.steps if step.farm] == ["big"]
    assert steps_of(tmp_path, PIPELINE.replace("AFTER: train", "REQUEUE: false"), runx)[
        "eval"
    ].requeue == Requeue(max=0)


@pytest.mark.parametrize("resources", ["3", "[a]", "[]", "[{cpus: 1}, 3]", "{cpus: {a: b}}"])
def test_what_a_step_needs_is_a_mapping_or_several(tmp_path, resources):
    with pytest.raises(SettingsError, match=r"sweep\.yml:3: .*RESOURCES"):
        says = f"  train: {{CMD: x}}\n  eval: {{CMD: x, RESOURCES: {resources}}}"
        loaded(tmp_path, f"STEPS:\n{says}\nHPARAMS: {{}}\n")


@pytest.mark.parametrize(
    ("cmd", "hint"),
    [
        ("x {lrr}", "sweep.yml:3: STEPS.eval: CMD: {lrr} stays as it stands; did you mean {lr}?"),
        ("x {train.dri}", "{train.dri} stays as it stands; did you mean {train.dir}?"),
        ("x {print} {lr} {train.dir} {train.dirs}", ""),
        ("awk '{lr}' ${lrr} {lr,lrr}", ""),
    ],
)
def test_a_name_in_a_step_that_is_nearly_a_hyperparameters_is_hinted_at(tmp_path, cmd, hint):
    says = f"  train: {{CMD: 'y {{args}}'}}\n  eval: {{CMD: \"{cmd}\", AFTER: train}}"
    warnings = loaded(tmp_path, f"STEPS:\n{says}\nHPARAMS: {{lr: 1}}\n").warnings
    assert len(warnings) == bool(hint)
    assert all(hint in line for line in warnings)
