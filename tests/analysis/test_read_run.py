import json
import os

import pytest
from run_folders import make_run, originals_run, write_metrics

from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.rundir.paths import ExperimentDir


def read(experiment, *measures, warn=pytest.fail):
    return list(read_experiment(ExperimentDir(experiment), Reader(measures, warn)))


def test_a_damaged_run_costs_one_warning_and_no_other_run(tmp_path):
    make_run(tmp_path / "fine", {"lr": 1}, [1, 2])
    make_run(tmp_path / "torn", {}, record=False)
    (tmp_path / "torn" / "hparams.json").write_text('{"lr": ')
    warnings = []
    assert [run.name for run in read(tmp_path, warn=warnings.append)] == ["fine"]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{tmp_path}/torn: left out: hparams.json: can't be read")


def test_the_runs_record_replaces_a_torn_hparams_file(tmp_path):
    make_run(tmp_path / "owl", {"lr": 1}, [1])
    (tmp_path / "owl" / "hparams.json").write_text("")
    warnings = []
    [run] = read(tmp_path, warn=warnings.append)
    assert run.hparams == {"lr": 1}
    assert len(warnings) == 1


def test_whole_rows_of_a_torn_metrics_file_are_used(tmp_path):
    make_run(tmp_path / "owl", {}, [1, 2])
    with open(tmp_path / "owl" / "metrics.csv", "a") as file:
        file.write("val,acc,3,ep")
    warnings = []
    [run] = read(tmp_path, warn=warnings.append)
    assert run.metrics == {"acc": 2}
    assert warnings == [
        f"{tmp_path}/owl/metrics.csv, line 4: left out: torn: it ends without a newline"
    ]


def test_what_can_not_be_opened_is_left_out_with_a_warning(tmp_path):
    make_run(tmp_path / "owl", {}, [1])
    make_run(tmp_path / "bat", {}, [1])
    os.unlink(tmp_path / "owl" / "metrics.csv")
    (tmp_path / "owl" / "metrics.csv").mkdir()
    warnings = []
    assert [run.name for run in read(tmp_path, warn=warnings.append)] == ["bat"]
    assert len(warnings) == 1


def test_a_folder_that_is_no_run_is_left_out_without_a_warning(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "notes.txt").touch()
    assert read(tmp_path) == []


def test_a_run_has_its_hyperparameters_and_metrics(tmp_path):
    make_run(tmp_path / "sweep" / "owl", {"lr": 0.1}, [9.5, 10.0, 8])
    [run] = read(tmp_path / "sweep", Measure("acc-best", "acc", "max"))
    assert (run.name, run.experiment, run.state) == ("owl", "sweep", "done")
    assert (run.hparams, run.metrics, run.measured) == ({"lr": 0.1}, {"acc": 8}, {"acc-best": 10.0})
    assert (run.epoch, run.epoch_time) == (2, 10.0)


def test_a_run_without_metrics_is_there_with_its_state(tmp_path):
    make_run(tmp_path / "owl", {}, code=3)
    [run] = read(tmp_path)
    assert (run.state, run.metrics, run.epoch) == ("failed", {}, None)


def test_the_originals_directories_are_read(tmp_path):
    originals_run(tmp_path / "owl", {"lr": 0.1}, [{"acc": "tensor(0.5)"}, {"acc": "0.75"}])
    [run] = read(tmp_path)
    assert (run.metrics, run.epoch, run.state) == ({"acc": 0.75}, 1, "unknown")
    assert run.epoch_time == pytest.approx(321)


def test_what_a_script_added_to_its_hyperparameters_is_read_too(tmp_path):
    make_run(tmp_path / "owl", {"lr": 1}, [1])
    content = {"version": 1, "hparams": {"lr": 2, "layers": 3}}
    (tmp_path / "owl" / "logx.json").write_text(json.dumps(content))
    [run] = read(tmp_path)
    assert run.hparams == {"layers": 3, "lr": 1}


def test_what_a_run_asked_of_its_farm_is_read(tmp_path):
    make_run(tmp_path / "owl", {}, [1], resources={"nodes": 2})
    make_run(tmp_path / "yak", {}, [1], resources={})
    assert [run.resources for run in read(tmp_path)] == [{"nodes": 2}, {}]
    torn = (tmp_path / "owl" / "run.json").read_text()[:-3]
    (tmp_path / "owl" / "run.json").write_text(torn)
    warnings = []
    assert len(read(tmp_path, warn=warnings.append)) == 2
    assert len(warnings) == 1


def test_metrics_alone_make_a_run(tmp_path):
    (tmp_path / "owl").mkdir()
    write_metrics(tmp_path / "owl", [{"acc": 1}])
    [run] = read(tmp_path)
    assert (run.hparams, run.metrics) == ({}, {"acc": 1})


def test_a_hyperparameter_may_be_called_version(tmp_path):
    make_run(tmp_path / "owl", {"version": 7}, record=False)
    [run] = read(tmp_path)
    assert run.hparams == {"version": 7}


def test_reading_writes_nothing(tmp_path):
    make_run(tmp_path / "owl", {"lr": 1}, [1], code=None)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
