import pytest
from run_folders import make_run, originals_run

from runx.analysis import ask, index
from runx.analysis.ask import read_states
from runx.analysis.index import MANY
from runx.analysis.read import Reader, read_experiment
from runx.rundir.attempts import read_attempts
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir


def records_of(folder):
    experiment = ExperimentDir(folder)
    return list(read_states([*run_dirs(experiment)], experiment, pytest.fail))


def test_a_folder_that_is_no_run_is_left_out(tmp_path):
    (tmp_path / "notes").mkdir()
    make_run(tmp_path / "owl", {}, [1])
    originals_run(tmp_path / "yak", {}, [{"acc": 1}])
    states = [(record.name, record.state) for record in records_of(tmp_path)]
    assert states == [("owl", "done"), ("yak", "unknown")]


def test_no_file_is_opened_of_runs_in_an_index_and_their_states_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "SETTLED", -(10**12))
    (tmp_path / ".runx").mkdir()
    for number in range(MANY):
        make_run(tmp_path / f"run{number:03}", {"lr": number}, [1], code=number % 2)
    first = records_of(tmp_path)
    assert len(list(read_experiment(ExperimentDir(tmp_path), Reader(warn=pytest.fail)))) == MANY
    reads, real = [], read_attempts
    monkeypatch.setattr(ask, "read_attempts", lambda *words: reads.append(1) or real(*words))
    second = records_of(tmp_path)
    assert [(record.dir, record.status) for record in second] == [
        (record.dir, record.status) for record in first
    ]
    assert [record.ended for record in second] == [record.ended for record in first]
    assert reads == []
    (tmp_path / "run003" / "attempts" / "1.events.jsonl").write_text('{"event":"started"}\n')
    (tmp_path / "run003" / "attempts" / "2.claim").write_text("{}")
    assert records_of(tmp_path)[3].status != first[3].status
    assert reads == [1]
