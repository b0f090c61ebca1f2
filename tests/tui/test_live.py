"""Runs that are looked at again and again: what is read of them, and what isn't."""

import os

import pytest
from run_folders import make_run

from runx.errors import RunxError
from runx.tui import live
from runx.tui.live import LiveRuns, question_of


def opened(folder, *names, where="", sortwith="", warn=print):
    runs = LiveRuns(names, folder, folder, question_of(where, sortwith), warn)
    runs.start()
    return runs


@pytest.fixture
def read(monkeypatch):
    """The names of runs that are read."""
    names = []
    original = live.read_runs

    def counted(runs, *more):
        names.extend(run.path.name for run in runs)
        return original(runs, *more)

    monkeypatch.setattr(live, "read_runs", counted)
    return names


def test_only_what_has_changed_or_runs_is_read_again(tmp_path, read):
    folder = tmp_path / "sweep"
    make_run(folder / "done", {"lr": 1}, [1])
    make_run(folder / "more", {"lr": 2}, [1])
    make_run(folder / "runs", {"lr": 3}, [1], code=None)
    (folder / "no-run").mkdir()
    runs = opened(tmp_path, "sweep")
    assert sorted(read) == ["done", "more", "no-run", "runs"]
    read.clear()
    runs.look()
    assert read == ["runs"]
    read.clear()
    with (folder / "more" / "metrics.csv").open("a") as rows:
        rows.write("val,acc,7,epoch,1\n")
    runs.look()
    assert read == ["more", "runs"]
    assert [run.metrics["acc"] for run in runs.records] == [1.0, 7, 1.0]


def test_a_question_that_needs_nothing_more_reads_nothing_more(tmp_path, read):
    make_run(tmp_path / "sweep" / "done", {"lr": 1}, [1, 3, 2])
    runs = opened(tmp_path, "sweep")
    read.clear()
    runs.ask(question_of("lr > 0", ""))
    runs.look()
    assert read == []
    runs.ask(question_of("acc:max > 2.5", ""))
    runs.look()
    assert read == ["done"]
    assert len(runs.table(0).rows) == 1


def test_a_damaged_run_is_warned_of_once_until_it_changes(tmp_path):
    run = make_run(tmp_path / "sweep" / "torn", {"lr": 1})
    for name in ("run.json", "hparams.json"):
        (run / name).write_text("{")
    warnings = []
    runs = opened(tmp_path, "sweep", warn=warnings.append)
    runs.look()
    assert len(warnings) == 1
    assert runs.records == []


def test_runs_of_other_tools_are_refused_as_they_are_by_watch(tmp_path):
    offline = tmp_path / "wandb" / "offline-run-20260101_000000-abc"
    (offline / "files").mkdir(parents=True)
    (offline / "files" / "config.yaml").write_text("wandb_version: 1\nlr:\n  value: 1\n")
    (offline / "run-abc.wandb").write_bytes(b"")
    with pytest.raises(RunxError, match="sumx"):
        opened(tmp_path, "wandb")


def test_what_a_question_names_may_vanish(tmp_path):
    run = make_run(tmp_path / "sweep" / "one", {"lr": 1})
    make_run(tmp_path / "sweep" / "two", {"wd": 1})
    runs = opened(tmp_path, "sweep", where="lr == 1")
    assert len(runs.table(0).rows) == 1
    run.rename(tmp_path / "elsewhere")
    runs.look()
    with pytest.raises(RunxError, match="lr is unknown"):
        runs.table(0)


def test_a_path_a_pattern_and_one_run_alone_are_followed(tmp_path):
    make_run(tmp_path / "a" / "one", {"lr": 1})
    make_run(tmp_path / "b" / "two", {"lr": 2})
    assert len(opened(tmp_path, "*").records) == 2
    assert len(opened(tmp_path, os.fspath(tmp_path / "b")).records) == 1
    assert len(opened(tmp_path, os.fspath(tmp_path / "b" / "two")).records) == 1
