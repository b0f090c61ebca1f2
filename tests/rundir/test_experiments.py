import json

import pytest
from run_folders import make_run

from runx.errors import RunxError
from runx.rundir.experiments import find, launch_notes, launches, run_dirs
from runx.rundir.paths import ExperimentDir


def found(names, logroot, cwd=None):
    return [experiment.path for experiment in find(names, logroot, cwd or logroot)]


def test_an_unknown_name_is_answered_with_those_there_are_the_nearest_first(tmp_path):
    for name in ("digits", "sweep"):
        make_run(tmp_path / name / "owl")
    with pytest.raises(RunxError, match=r"no experiment sweeps in .*; there are: sweep, digits$"):
        find(["sweeps"], tmp_path, tmp_path)


def test_a_logroot_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RunxError, match=r"LOGROOT .*/nowhere isn't there"):
        find(["sweep"], tmp_path / "nowhere", tmp_path)


def test_an_empty_logroot_is_called_empty(tmp_path):
    with pytest.raises(RunxError, match=r"is empty"):
        find(["sweep"], tmp_path, tmp_path)


def test_a_name_is_looked_up_under_logroot_before_here(tmp_path):
    for root in ("logs", "here"):
        make_run(tmp_path / root / "sweep" / "owl")
    make_run(tmp_path / "here" / "other" / "owl")
    logs, here = tmp_path / "logs", tmp_path / "here"
    assert found(["sweep", "other"], logs, here) == [logs / "sweep", here / "other"]
    assert found(["./sweep", str(logs / "sweep")], logs, here) == [here / "sweep", logs / "sweep"]


def test_a_pattern_finds_several_and_each_counts_once(tmp_path):
    for name in ("a1", "a2", "b"):
        make_run(tmp_path / name / "owl")
    assert found(["a*", "a2"], tmp_path) == [tmp_path / "a1", tmp_path / "a2"]


def test_the_file_of_a_sweep_stands_for_its_experiment(tmp_path):
    make_run(tmp_path / "sweep" / "owl")
    assert found(["sweep.yml", "conf/sweep.yaml"], tmp_path) == [tmp_path / "sweep"]
    make_run(tmp_path / "sweep.yml" / "owl")
    assert found(["sweep.yml"], tmp_path) == [tmp_path / "sweep.yml"]
    with pytest.raises(RunxError, match="no experiment nosuch"):
        found(["nosuch.yml"], tmp_path)


def test_a_run_can_be_named_itself(tmp_path):
    run = make_run(tmp_path / "sweep" / "owl")
    assert found(["sweep/owl"], tmp_path) == [run]
    assert next(place.path for place in run_dirs(ExperimentDir(run))) == run


def test_a_directory_of_experiments_stands_for_all_of_them(tmp_path):
    for name in ("a", "b"):
        make_run(tmp_path / name / "owl")
    assert found(["."], tmp_path / "elsewhere", tmp_path) == [tmp_path / "a", tmp_path / "b"]


def test_what_begins_with_a_dot_is_no_run(tmp_path):
    make_run(tmp_path / "owl")
    make_run(tmp_path / ".runx" / "making")
    assert [run.path.name for run in run_dirs(ExperimentDir(tmp_path))] == ["owl"]


def launch(experiment, name, **content):
    folder = experiment / ".runx" / "launches" / name
    folder.mkdir(parents=True)
    (folder / "launch.json").write_text(json.dumps({"version": 1, **content}))


def test_what_was_said_at_launches_is_told_once_each_and_in_order(tmp_path):
    experiment = tmp_path / "sweep"
    launch(experiment, "2026-02-07T09.00.00Z-b", title="Digits", note="with warm-up")
    launch(experiment, "2026-02-06T09.00.00Z-a", title="Digits", note=None)
    assert launch_notes(ExperimentDir(experiment), pytest.fail) == [
        "sweep: Digits",
        "sweep, 2026-02-07: with warm-up",
    ]


def test_a_damaged_launch_costs_a_warning(tmp_path):
    (tmp_path / ".runx" / "launches" / "x").mkdir(parents=True)
    (tmp_path / ".runx" / "launches" / "x" / "launch.json").write_text("{")
    warnings = []
    assert launches(ExperimentDir(tmp_path), warnings.append) == []
    assert len(warnings) == 1
