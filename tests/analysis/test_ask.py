"""Runs are read once, and schedulers asked once of those that they may know more of."""

import json

import pytest
from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.farms import query as schedulers
from runx.rundir import attempts
from runx.rundir.events import JobStatus, parse_events
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def queries(monkeypatch):
    """The runs that schedulers are asked of, each time; a job 12 is running."""
    queried = []

    def query(jobs, warn):
        queried.append([job.run.path.name for job in jobs])
        return {("slurm", "12"): JobStatus("running")}

    monkeypatch.setattr(schedulers, "query", query)
    return queried


@pytest.fixture
def read(monkeypatch):
    """The events files that are read."""
    files, parse = [], parse_events
    monkeypatch.setattr(
        attempts, "parse_events", lambda *words: files.append(words[1]) or parse(*words)
    )
    return files


def at_a_farm(folder):
    run = make_run(folder, {}, code=None)
    (run / "attempts" / "1.events.jsonl").unlink()
    for name, more in (("1.claim", {"farm": "slurm"}), ("1.job.json", {"farm": "slurm", "id": 12})):
        (run / "attempts" / name).write_text(json.dumps({"version": 1, "host": "login", **more}))


def states(folder, **how):
    reader = Reader(warn=pytest.fail, **how)
    return [run.state for run in read_experiment(ExperimentDir(folder), reader)]


def test_no_scheduler_is_asked_about_local_runs(tmp_path, queries):
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", code=1)
    assert states(tmp_path) == ["done", "failed"]
    assert queries == []


def test_schedulers_are_asked_once_for_all_and_each_run_is_read_once(tmp_path, queries, read):
    make_run(tmp_path / "a")
    at_a_farm(tmp_path / "b")
    make_run(tmp_path / "c", code=1)
    at_a_farm(tmp_path / "d")
    assert states(tmp_path) == ["done", "running", "failed", "running"]
    assert queries == [["b", "d"]]
    assert [file.split("/")[-3] for file in read] == ["a", "c"]


def test_without_asking_the_state_is_by_the_files_alone(tmp_path, queries):
    at_a_farm(tmp_path / "a")
    assert states(tmp_path, ask=False) == ["queued"]
    assert queries == []
