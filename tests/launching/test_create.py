"""Making run directories: each whole, or not there at all."""

import json
import os
import stat
from datetime import datetime, timezone

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import StagingError
from runx.launching.context import prepare
from runx.launching.create import create
from runx.launching.plan import namer, plan, sweep_of
from runx.launching.restage import mend, restage
from runx.rundir.paths import RunDir

NOW = datetime(2026, 2, 6, 14, 19, tzinfo=timezone.utc)


def context_of(folder, **options):
    (folder / "train.py").write_text("print('hello')\n")
    text = (
        "CMD: python train.py\n"
        "HPARAMS: {lr: [1e-3, 2], out: LOGDIR/x, s: [[1, 2]], RUNX.TAG: 't{lr}'}\n"
    )
    (folder / "sweep.yml").write_text(text)
    request = Request(folder / "sweep.yml", folder, dict(os.environ), here=True, **options)
    experiment = load(request)
    for place in (experiment.dir.making, experiment.dir.code, experiment.dir.launches):
        place.mkdir(parents=True)
    sweep = sweep_of(experiment)
    new_name = namer(experiment, sweep, NOW)
    runs = list(plan(experiment, sweep, new_name))
    return prepare(experiment, runs, ["runx"], NOW, lambda line: None), runs, new_name


def test_a_run_directory_says_what_it_is(tmp_path):
    context, (run, _), new_name = context_of(tmp_path)
    made = create(run, context, new_name)
    record = json.loads(made.dir.record.read_text())
    assert record["name"] == made.dir.path.name
    assert record["hparams"] == {"lr": 0.001, "out": "LOGDIR/x", "s": [1, 2]}
    assert record["texts"] == {"lr": "1e-3", "out": "LOGDIR/x", "s": ["1", "2"]}
    assert record["tag"] == "t1e-3"
    assert record["code"] == context.frozen.digest
    hparams = json.loads(made.dir.hparams.read_text())
    assert hparams == {"lr": 0.001, "out": f"{made.dir.path}/x", "s": [1, 2]}
    assert (made.dir.code / "train.py").read_text() == "print('hello')\n"
    assert not made.dir.claim(1).exists()
    assert made.dir.wait(1, context.launch).exists()


def test_a_name_that_is_taken_is_drawn_again_and_nothing_is_overwritten(tmp_path):
    context, (run, _), new_name = context_of(tmp_path)
    run.dir.path.mkdir()
    (run.dir.path / "mine").write_text("precious")
    made = create(run, context, new_name)
    assert made.name != run.name
    assert json.loads(made.dir.record.read_text())["name"] == made.name
    assert json.loads(made.dir.hparams.read_text())["out"] == f"{made.dir.path}/x"
    assert f"Run {made.name} " in made.dir.script.read_text()
    assert os.listdir(run.dir.path) == ["mine"]


def test_a_file_in_the_place_of_a_run_is_left_alone(tmp_path):
    context, (run, _), new_name = context_of(tmp_path)
    run.dir.path.write_text("precious")
    assert create(run, context, new_name).name != run.name
    assert run.dir.path.read_text() == "precious"


def test_without_coolnames_a_taken_name_is_an_error_that_leaves_nothing(tmp_path):
    context, (run, _), new_name = context_of(tmp_path, cooldir=False)
    run.dir.path.mkdir()
    (run.dir.path / "mine").touch()
    with pytest.raises(StagingError, match="is there already"):
        create(run, context, new_name)
    assert list(context.experiment.dir.making.iterdir()) == []


def test_what_fails_on_the_way_leaves_no_half_made_directory(tmp_path):
    context, (run, _), new_name = context_of(tmp_path)
    frozen = context.frozen.dir / "train.py"
    frozen.unlink()
    with pytest.raises(StagingError):
        create(run, context, new_name)
    assert list(context.experiment.dir.making.iterdir()) == []
    assert not run.dir.path.exists()


def test_restaging_keeps_what_the_run_was_staged_with(tmp_path):
    context, (run, _), new_name = context_of(tmp_path)
    made = create(run, context, new_name)
    (tmp_path / "train.py").write_text("print('today')\n")
    later = prepare(context.experiment, [run], ["runx"], NOW, lambda line: None)
    restage(made, later, made.dir.script.read_text())
    assert (made.dir.code / "train.py").read_text() == "print('today')\n"
    assert (made.dir.path / "code.1/train.py").read_text() == "print('hello')\n"


def test_the_frozen_code_cannot_be_changed_through_a_run_by_mistake(tmp_path):
    context, (run, other), new_name = context_of(tmp_path)
    first, second = create(run, context, new_name), create(other, context, new_name)
    file = first.dir.code / "train.py"
    if file.stat().st_nlink > 1:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o222
    else:
        file.write_text("changed")
        assert (second.dir.code / "train.py").read_text() == "print('hello')\n"
    assert isinstance(second.dir, RunDir)


def test_what_a_killed_launcher_left_is_put_back(tmp_path):
    run = RunDir(tmp_path)
    for name in ("code.2", "code.10", "code.ab.new"):
        (run.path / name).mkdir()
    mend(run)
    assert sorted(path.name for path in run.path.glob("code*")) == ["code", "code.2"]
    mend(run)
    assert (run.path / "code.2").exists()
