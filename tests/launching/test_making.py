"""Making run directories: each whole, or not there at all."""

import json
import os
import stat
from datetime import datetime, timezone

import pytest

from runx.errors import StagingError
from runx.launching.making import filled, make
from runx.launching.preparing import prepare, search_path
from runx.launching.restaging import restage
from runx.plans.plan import namer, plan, sweep_of
from runx.rundir import RunDir
from runx.settings.load import Request, load

NOW = datetime(2026, 2, 6, 14, 19, tzinfo=timezone.utc)


def kit_of(folder, **options):
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
    kit, (run, _), new_name = kit_of(tmp_path)
    made = make(kit, run, new_name)
    record = json.loads(made.dir.record.read_text())
    assert record["name"] == made.dir.path.name
    assert record["hparams"] == {"lr": 0.001, "out": "LOGDIR/x", "s": [1, 2]}
    assert record["texts"] == {"lr": "1e-3", "out": "LOGDIR/x", "s": ["1", "2"]}
    assert record["tag"] == "t1e-3"
    assert record["code"] == kit.frozen.digest
    hparams = json.loads(made.dir.hparams.read_text())
    assert hparams == {"lr": 0.001, "out": f"{made.dir.path}/x", "s": [1, 2]}
    assert (made.dir.code / "train.py").read_text() == "print('hello')\n"
    assert made.dir.claim(1).exists()


def test_a_name_that_is_taken_is_drawn_again_and_nothing_is_overwritten(tmp_path):
    kit, (run, _), new_name = kit_of(tmp_path)
    run.dir.path.mkdir()
    (run.dir.path / "mine").write_text("precious")
    made = make(kit, run, new_name)
    assert made.name != run.name
    assert json.loads(made.dir.record.read_text())["name"] == made.name
    assert json.loads(made.dir.hparams.read_text())["out"] == f"{made.dir.path}/x"
    assert f"Run {made.name} " in made.dir.script.read_text()
    assert os.listdir(run.dir.path) == ["mine"]


def test_a_file_in_the_place_of_a_run_is_left_alone(tmp_path):
    kit, (run, _), new_name = kit_of(tmp_path)
    run.dir.path.write_text("precious")
    assert make(kit, run, new_name).name != run.name
    assert run.dir.path.read_text() == "precious"


def test_without_coolnames_a_taken_name_is_an_error_that_leaves_nothing(tmp_path):
    kit, (run, _), new_name = kit_of(tmp_path, cooldir=False)
    run.dir.path.mkdir()
    (run.dir.path / "mine").touch()
    with pytest.raises(StagingError, match="is there already"):
        make(kit, run, new_name)
    assert list(kit.experiment.dir.making.iterdir()) == []


def test_what_fails_on_the_way_leaves_no_half_made_directory(tmp_path):
    kit, (run, _), new_name = kit_of(tmp_path)
    frozen = kit.frozen.dir / "train.py"
    frozen.unlink()
    with pytest.raises(StagingError):
        make(kit, run, new_name)
    assert list(kit.experiment.dir.making.iterdir()) == []
    assert not run.dir.path.exists()


def test_restaging_keeps_what_the_run_was_staged_with(tmp_path):
    kit, (run, _), new_name = kit_of(tmp_path)
    made = make(kit, run, new_name)
    (tmp_path / "train.py").write_text("print('today')\n")
    later = prepare(kit.experiment, [run], ["runx"], NOW, lambda line: None)
    said = []
    restage(later, made, said.append)
    assert (made.dir.code / "train.py").read_text() == "print('today')\n"
    assert (made.dir.path / "code.1/train.py").read_text() == "print('hello')\n"


def test_logdir_is_filled_in_wherever_it_stands_in_a_value():
    assert filled(("LOGDIR/a", 1, ("xLOGDIR",)), "/r") == ["/r/a", 1, ["x/r"]]


def test_a_launcher_called_by_its_path_brings_its_environment():
    assert search_path("/bin", "/v/bin/runx", "/v/bin/python") == "/v/bin:/bin"
    assert search_path("/v/bin:/bin", "/v/bin/runx", "/v/bin/python") == "/v/bin:/bin"


def test_the_frozen_code_cannot_be_changed_through_a_run_by_mistake(tmp_path):
    kit, (run, other), new_name = kit_of(tmp_path)
    first, second = make(kit, run, new_name), make(kit, other, new_name)
    file = first.dir.code / "train.py"
    if file.stat().st_nlink > 1:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o222
    else:
        file.write_text("changed")
        assert (second.dir.code / "train.py").read_text() == "print('hello')\n"
    assert isinstance(second.dir, RunDir)
