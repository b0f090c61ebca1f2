import pytest
from run_folders import make_run, originals_run

from runx.disk.experiments import places
from runx.reading import glancing, index
from runx.reading.collect import standings
from runx.reading.glancing import stood
from runx.reading.index import MANY
from runx.reading.standing import Reader
from runx.rundir import ExperimentDir


def glance(folder):
    experiment = ExperimentDir(folder)
    return list(stood([*places(experiment)], experiment, pytest.fail))


def test_a_folder_that_is_no_run_is_passed_over(tmp_path):
    (tmp_path / "notes").mkdir()
    make_run(tmp_path / "owl", {}, [1])
    originals_run(tmp_path / "yak", {}, [{"acc": 1}])
    told = [(run.path.name, stands.name) for run, stands, _ in glance(tmp_path)]
    assert told == [("owl", "done"), ("yak", "unknown")]


def test_of_what_an_index_knows_no_file_is_opened_and_the_same_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "SETTLED", -(10**12))
    (tmp_path / ".runx").mkdir()
    for number in range(MANY):
        make_run(tmp_path / f"run{number:03}", {"lr": number}, [1], code=number % 2)
    first = glance(tmp_path)
    assert len(list(standings(ExperimentDir(tmp_path), Reader(warn=pytest.fail)))) == MANY
    read, facts = [], glancing.facts
    monkeypatch.setattr(glancing, "facts", lambda *words: read.append(1) or facts(*words))
    again = glance(tmp_path)
    assert [(run, stands) for run, stands, _ in again] == [
        (run, stands) for run, stands, _ in first
    ]
    times = [[at.event("ended").time for at in known.attempts] for _, _, known in again]
    assert times == [[at.event("ended").time for at in known.attempts] for _, _, known in first]
    assert read == []
    (tmp_path / "run003" / "attempts" / "1.events.jsonl").write_text('{"event":"started"}\n')
    (tmp_path / "run003" / "attempts" / "2.claim").write_text("{}")
    assert glance(tmp_path)[3][1] != first[3][1]
    assert read == [1]
