import pytest
from run_folders import make_run, originals_run

from runx.analysis import ask, index
from runx.analysis.ask import read_states
from runx.analysis.index import MANY
from runx.analysis.read import Reader, read_experiment
from runx.rundir.attempts import read_attempts
from runx.rundir.experiments import places
from runx.rundir.paths import ExperimentDir


def glance(folder):
    experiment = ExperimentDir(folder)
    return list(read_states([*places(experiment)], experiment, pytest.fail))


def test_a_folder_that_is_no_run_is_passed_over(tmp_path):
    (tmp_path / "notes").mkdir()
    make_run(tmp_path / "owl", {}, [1])
    originals_run(tmp_path / "yak", {}, [{"acc": 1}])
    told = [(one.name, one.state) for one in glance(tmp_path)]
    assert told == [("owl", "done"), ("yak", "unknown")]


def test_of_what_an_index_knows_no_file_is_opened_and_the_same_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "SETTLED", -(10**12))
    (tmp_path / ".runx").mkdir()
    for number in range(MANY):
        make_run(tmp_path / f"run{number:03}", {"lr": number}, [1], code=number % 2)
    first = glance(tmp_path)
    assert len(list(read_experiment(ExperimentDir(tmp_path), Reader(warn=pytest.fail)))) == MANY
    read, real = [], read_attempts
    monkeypatch.setattr(ask, "read_attempts", lambda *words: read.append(1) or real(*words))
    again = glance(tmp_path)
    assert [(one.dir, one.status) for one in again] == [(one.dir, one.status) for one in first]
    assert [one.ended for one in again] == [one.ended for one in first]
    assert read == []
    (tmp_path / "run003" / "attempts" / "1.events.jsonl").write_text('{"event":"started"}\n')
    (tmp_path / "run003" / "attempts" / "2.claim").write_text("{}")
    assert glance(tmp_path)[3].status != first[3].status
    assert read == [1]
