"""Launching and looking from Python, in scripts that run as a person's do."""

import subprocess
import sys

import pytest
from run_folders import make_run

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
    "runx.launch(runx.load('sweep.yml').plan(), retry=['failed'])": "--retry goes with --resume",
    "runx.launch(runx.load('sweep.yml').plan(), restage=True)": "--restage goes with --resume",
    "runx.launch(runx.load('sweep.yml').plan(), retry='gone')": "--retry gone: is no state",
    "runx.launch(runx.load('sweep.yml').plan(), where='lrr < 1')": "did you mean lr",
    "runx.launch(runx.load('sweep.yml').plan(), where='state == 1')": "goes with --resume",
    "runx.launch(runx.load('sweep.yml').plan(), test_only=True)": "this machine can't be asked",
    "runx.launch(runx.load('sweep.yml').plan(), after=['gone'])": "gone",
    "runx.launch(runx.load('sweep.yml').plan(), attach=True)": "--attach takes a single run",
    "runx.launch(runx.load('sweep.yml').plan(), gpus_per_run=99)": "--gpus-per-run 99",
    "runx.load('sweep.yml', runx_file='gone')": "-c names a .runx file",
    "runx.load('sweep.yml').check(max_runs=1)": "more than 1",
    "runx.schema('runxx')": "did you mean runx",
    "runx.init()": ".runx is there already",
    "runx.cancel()": "name a run or an experiment",
    "runx.remove()": "name a run or an experiment",
    "runx.logs()": "name a run",
    "runx.show('gone')": "gone",
    "runx.hold('gone')": "gone",
    "runx.experiments(logroot='gone')": "LOGROOT gone isn't there",
    "runx.thin('gone', 1, 'wombat')": "say --higher or --lower",
    "runx.watch('gone')": "gone",
}


@pytest.mark.parametrize("script", MISTAKES)
def test_a_mistake_is_a_runx_error_that_says_what_to_do(python, script, tmp_path):
    if "init" in script:
        (tmp_path / ".runx").touch()
    printed = python(f"try: {script}\nexcept runx.RunxError as error: print(error)")
    assert MISTAKES[script] in printed
    assert len(printed.splitlines()) == 1


def test_an_experiment_is_loaded_overridden_planned_launched_and_looked_at(python):
    printed = python(
        "experiment = runx.load('sweep.yml', '+new=x', lr=[1, 2, 3], sweep='s', NOTE='mine')\n"
        "runs = experiment.plan(where='seed == 1', limit=2)\n"
        "print(runs, [run.hparams['lr'] for run in runs], runs[:1])\n"
        "done = runx.launch(runs, jobs=2)\n"
        "print(sorted(set(done.states.values())), len(done))\n"
        "print(runx.status('sweep').states == done.states, len(runx.results('sweep')))\n"
    )
    lines = printed.splitlines()
    assert "<2 runs of sweep> [1, 2] <1 runs of sweep>" in lines
    assert lines[-2:] == ["['done'] 2", "True 2"]


def test_what_would_be_executed_is_previewed_and_nothing_is_made(python, tmp_path):
    printed = python(
        "runs = runx.load('sweep.yml').plan(tag='mine')\n"
        "print(runx.preview(runs), [run.tag for run in runs])\n"
        "print(runx.preview(runs, where='lr > 0.1', json=True)[0]['hparams'])\n"
        "print(runs.experiment.check(), runs.experiment.survey().varying)\n"
    )
    assert printed.splitlines() == [
        "['python train.py --lr 0.1', 'python train.py --lr 0.2'] ['mine', 'mine']",
        "{'lr': 0.2}",
        "2 ['lr']",
    ]
    assert not (tmp_path / "runs").exists()


def test_a_part_of_what_is_missing_is_launched(python):
    printed = python(
        "experiment = runx.load('sweep.yml', 'lr=1,2,3,4', RESUME=True)\n"
        "first = runx.launch(experiment.plan(), limit=1)\n"
        "more = runx.launch(experiment.plan(), where='lr > 2', shuffle=True, jobs=None)\n"
        "print(len(first), sorted(one.hparams['lr'] for one in more))\n"
        "print(len(runx.launch(experiment.plan(), resume=False)))\n"
        "print(len(runx.launch(experiment.plan())))\n"
    )
    assert [line for line in printed.splitlines() if not line.startswith(("python ", "["))] == [
        *("1 [3, 4]", "4", "7")
    ]


def test_nothing_more_starts_after_the_first_failure(python):
    printed = python(
        "experiment = runx.Experiment('python train.py', {'fail': [True] * 3}, 'mine')\n"
        "print(list(runx.launch(experiment.plan(), fail_fast=True).states.values()))\n"
        "found = runx.status('mine')\n"
        "print(found.any_failed, found.counts(), [len(g.results) for g in found.failures()])\n"
        "print(found.retry_commands())\n"
    )
    states, counts, commands = printed.splitlines()[-3:]
    assert states.count("failed") == 1
    assert states.count("planned") == 2  # although their launcher, a notebook perhaps, lives
    assert counts == "True 2 planned, 1 failed [1]"
    assert commands == "['runx mine.yml --resume --retry failed --restage']"


def test_what_was_typed_is_recorded_where_the_caller_says_it(python):
    printed = python(
        "import sys\n"
        "runs = runx.load('sweep.yml').plan(limit=1)\n"
        "for argv in ((), ['study.py', '-x']):\n"
        "    [name] = runx.launch(runs, argv=argv, again=True).states\n"
        "    print('again', runx.show(name)[0]['again'][-1])\n"
    )
    first, second = [line for line in printed.splitlines() if line.startswith("again")]
    assert "run.sh" in first
    assert "python study.py -x" in second


def test_runs_are_looked_at_and_changed(python):
    printed = python(
        "runx.launch(runx.load('sweep.yml').plan())\n"
        "print([(one.name, one.states) for one in runx.experiments()])\n"
        "print(sorted(line for run, line in runx.logs('sweep', lines=1)))\n"
        "print([one['state'] for one in runx.show(where='lr < 0.2')])\n"
        "print(runx.cancel('sweep'), runx.hold('sweep'), runx.release('sweep'))\n"
        "print(runx.remove('sweep', where='lr < 0.2'), len(runx.results('sweep')))\n"
    )
    assert printed.splitlines()[-5:] == [
        "[('sweep', ('done', 'done'))]",
        "[\"['--lr', '0.1']\", \"['--lr', '0.2']\"]",
        "['done']",
        " ".join(["Count(done=0, named=2)"] * 3),
        "Count(done=1, named=1) 1",
    ]


def test_checkpoints_of_all_but_the_best_go_when_that_is_meant(python, tmp_path):
    for n in (1, 2):
        make_run(tmp_path / "runs" / "x" / f"run{n}", {"n": n}, [n])
        (tmp_path / "runs" / "x" / f"run{n}" / "best_checkpoint_ep1.pth").touch()
    printed = python(
        "print([one.run.name for one in runx.thin('x', 1, 'acc', higher=True)])\n"
        "print([one.run.name for one in runx.thin('x', 1, 'acc', higher=True, delete=True)])\n"
        "print(runx.thin('x', 1, 'acc', higher=True))\n"
    )
    assert printed.splitlines() == ["['run1']", "['run1']", "[]"]
    assert (tmp_path / "runs" / "x" / "run2" / "best_checkpoint_ep1.pth").exists()


def test_a_project_is_begun(python, tmp_path):
    printed = python(
        "print(runx.init(), runx.schema()['title'])\n"
        "config = runx.load('sweep.yml').config()\n"
        "print(config['CMD'].text, config['FARM'])\n"
    )
    assert printed.splitlines()[0] == f"{tmp_path}/.runx runx: an experiment"
    assert printed.splitlines()[1].startswith("python train.py")


def test_an_experiment_needs_no_file(python):
    printed = python(
        "experiment = runx.Experiment('python train.py', "
        "{'sizes': (1, 2), 'lr': {'logspace': [0.01, 0.1, 2]}, 'fail': [False, True]}, 'mine')\n"
        "print([run.hparams for run in experiment.plan()][0])\n"
        "done = runx.launch(experiment.plan(), retries=0)\n"
        "print(sorted(done.states.values()), done[0].experiment)\n"
        "again = runx.launch(experiment.plan(), resume=True)\n"
        "print(sorted(again.states.values()))\n"
    )
    assert "{'sizes': (1, 2), 'lr': 0.01, 'fail': False}" in printed
    assert "['done', 'done', 'failed', 'failed'] mine" in printed
    assert printed.splitlines()[-1] == "['failed', 'failed']"


def test_where_all_is_done_a_launch_shows_what_is_there_and_results_find_it(python, tmp_path):
    printed = python(
        "experiment = runx.Experiment('true', {'lr': [1, 2]}, 'mine', "
        f"LOGROOT='{tmp_path}/elsewhere')\n"
        "runx.launch(experiment.plan())\n"
        "print(runx.launch(experiment.plan(), resume=True).counts())\n"
        "print(len(runx.results(experiment)))\n"
        f"print(len(runx.results('mine', logroot='{tmp_path}/elsewhere')))\n"
        "print(runx.results(experiment).columns('lr', 'tool').frame().columns.tolist())\n"
    )
    assert printed.splitlines()[-4:] == ["2 done", "2", "2", "['name', 'lr', 'tool', 'state']"]


def test_a_list_of_mappings_inherits_in_python_too(python):
    printed = python(
        "runs = runx.Experiment('x', [{'a': 1, 'b': [1, 2]}, {'b': 3}]).plan()\n"
        "print([run.hparams for run in runs])"
    )
    assert printed.strip() == "[{'a': 1, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 3}]"


def test_a_farm_is_submitted_to_and_here_runs_here(python, tmp_path):
    (tmp_path / ".runx").write_text("FARM: f\nf: {SUBMIT_CMD: 'echo job 7 {{ script }}'}\n")
    printed = python(
        "experiment = runx.load('sweep.yml')\n"
        "done = runx.launch(experiment.plan(limit=1))\n"
        "print(list(done.states.values()))\n"
        "done = runx.launch(experiment.plan(limit=1), here=True, again=True)\n"
        "print(list(done.states.values()))\n"
    )
    assert printed.splitlines()[-1] == "['done']"
    assert "['queued']" in printed.splitlines()


def test_every_public_name_is_there_and_none_is_a_module_but_logx():
    for name in runx.__all__:
        assert getattr(runx, name) is not None
        module = f"runx.{name}" in sys.modules
        assert not module or name == "logx", name
    assert set(runx.__all__) <= set(dir(runx))
    with pytest.raises(AttributeError):
        runx.launcher
