"""Launching and looking from Python, in scripts that run as a person's do."""

import subprocess
import sys

import pytest

import runx

TRAIN = "import sys; print(sys.argv[1:]); sys.exit('--fail' in sys.argv)\n"
SWEEP = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2]}\nSWEEPS: {s: {seed: [1, 2]}}\n"


@pytest.fixture
def python(tmp_path, installed):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "sweep.yml").write_text(SWEEP)

    def run(script: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-c", f"import runx\n{script}"],
            cwd=tmp_path,
            env=installed,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


MISTAKES = {
    "runx.load('gone.yml')": "gone.yml: no such file",
    "runx.load('sweep.yml', lrr=1)": "lrr is unknown: did you mean lr?",
    "runx.load('sweep.yml', sweep='x')": "--sweep x is unknown",
    "runx.Experiment('x', {'lr': object()})": "lr is a object",
    "runx.Experiment('x', {'lr': 1}, LOGROT='x')": "unknown key LOGROT; did you mean LOGROOT?",
    "runx.Experiment('x', {'lr': 1}, EXTENDS='x')": "only a file extends another",
    "runx.launch(list(runx.load('sweep.yml').plan()))": "launch(runs, experiment)",
    "runx.launch(runx.load('sweep.yml').plan(), runx.Experiment('x', {}))": "not all of one",
    "runx.status('gone')": "gone",
}


@pytest.mark.parametrize("script", MISTAKES)
def test_a_mistake_is_a_runx_error_that_says_what_to_do(python, script):
    told = python(f"try: {script}\nexcept runx.RunxError as error: print(error)")
    assert MISTAKES[script] in told
    assert len(told.splitlines()) == 1


def test_an_experiment_is_loaded_overridden_planned_launched_and_looked_at(python):
    told = python(
        "experiment = runx.load('sweep.yml', '+new=x', lr=[1, 2, 3], sweep='s', NOTE='mine')\n"
        "runs = experiment.plan(where='seed == 1', limit=2)\n"
        "print(runs, [run.hparams['lr'] for run in runs], runs[:1])\n"
        "done = runx.launch(runs, jobs=2)\n"
        "print(sorted(set(done.states.values())), len(done))\n"
        "print(runx.status('sweep').states == done.states, len(runx.results('sweep')))\n"
    )
    lines = told.splitlines()
    assert "<2 runs of sweep> [1, 2] <1 runs of sweep>" in lines
    assert lines[-2:] == ["['done'] 2", "True 2"]


def test_an_experiment_needs_no_file(python):
    told = python(
        "experiment = runx.Experiment('python train.py', "
        "{'sizes': (1, 2), 'lr': {'logspace': [0.01, 0.1, 2]}, 'fail': [False, True]}, 'mine')\n"
        "print([run.hparams for run in experiment.plan()][0])\n"
        "done = runx.launch(experiment.plan(), retries=0)\n"
        "print(sorted(done.states.values()), done[0].result.experiment)\n"
        "again = runx.launch(experiment.plan(), resume=True)\n"
        "print(sorted(again.states.values()))\n"
    )
    assert "{'sizes': (1, 2), 'lr': 0.01, 'fail': False}" in told
    assert "['done', 'done', 'failed', 'failed'] mine" in told
    assert told.splitlines()[-1] == "['failed', 'failed']"


def test_a_list_of_mappings_inherits_in_python_too(python):
    told = python(
        "runs = runx.Experiment('x', [{'a': 1, 'b': [1, 2]}, {'b': 3}]).plan()\n"
        "print([run.hparams for run in runs])"
    )
    assert told.strip() == "[{'a': 1, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 3}]"


def test_a_farm_is_submitted_to_and_here_runs_here(python, tmp_path):
    (tmp_path / ".runx").write_text("FARM: f\nf: {SUBMIT_CMD: 'echo job 7 {{ script }}'}\n")
    told = python(
        "experiment = runx.load('sweep.yml')\n"
        "done = runx.launch(experiment.plan(limit=1))\n"
        "print(list(done.states.values()))\n"
        "done = runx.launch(experiment.plan(limit=1), here=True, again=True)\n"
        "print(list(done.states.values()))\n"
    )
    assert told.splitlines()[-1] == "['done']"
    assert "['queued']" in told.splitlines()


def test_every_public_name_is_there_and_none_is_a_module_but_logx():
    for name in runx.__all__:
        assert getattr(runx, name) is not None
        found = f"runx.{name}" in sys.modules
        assert not found or name == "logx", name
    assert set(runx.__all__) <= set(dir(runx))
    with pytest.raises(AttributeError):
        runx.launcher
