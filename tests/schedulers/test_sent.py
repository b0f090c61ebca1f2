"""Where runs were sent, from their files and the maps of their launches."""

import json
import time

import pytest
from batched import ABOUT, a_batch, an_order

from runx.disk.claims import claim_text, take
from runx.disk.facts import read_attempts
from runx.rundir import ExperimentDir
from runx.schedulers import sent
from runx.schedulers.handing import _write_map
from runx.schedulers.sent import by_farm, handed, whole_jobs


@pytest.fixture
def order(tmp_path):
    """Three runs whose array was about to be submitted, and nobody knows more."""
    order = an_order(tmp_path, count=3)
    for name in order.attempts:
        run = order.kit.experiment.dir.run(name)
        take(run, 1, claim_text("cluster", None, ABOUT.launch))
    _write_map(a_batch(order, array=True), order)
    return order


def runs(order):
    return [order.kit.experiment.dir.run(name) for name in order.attempts]


def wrong(line):
    raise AssertionError(line)


def test_a_run_that_was_never_given_away_went_nowhere(tmp_path):
    run = ExperimentDir(tmp_path).run("owl")
    assert list(handed([run], wrong)) == []
    run.attempts.mkdir(parents=True)
    take(run, 1, claim_text(None, None))
    assert list(handed([run], wrong)) == []


def test_a_claim_without_a_map_went_nowhere(order):
    (order.folder / "jobs.jsonl").unlink()
    assert list(handed(runs(order), wrong)) == []


def test_a_torn_line_of_the_map_costs_nothing_else(order):
    with (order.folder / "jobs.jsonl").open("a") as file:
        file.write('{"name": "half')
    assert [one.task for one in handed(runs(order), wrong)] == [0, 1, 2]


def test_without_an_id_the_map_says_name_and_place(order):
    first, *_, last = handed(runs(order), wrong)
    assert (first.id, first.task, last.task) == ("", 0, 2)
    assert first.name == order.kind.job_name(a_batch(order, array=True))
    assert not first.pending


def test_after_a_requeue_a_run_is_still_of_the_same_job(order):
    [run, *_] = runs(order)
    run.job(1).write_text(json.dumps({"farm": "cluster", "type": "slurm", "id": "7_0"}))
    run.claim(2).write_text('{"version": 1, "farm": "cluster", "by": "run.sh"}')
    [one] = handed([run], wrong)
    assert (one.attempt, one.id) == (1, "7_0")


def test_runs_of_one_place_are_told_together(order):
    several = list(handed(runs(order), wrong))
    [(farm, all_of_them)] = by_farm(several)
    assert (farm.name, all_of_them) == ("cluster", several)
    other = several[0]._replace(farm=order.farm.__class__("other", type="slurm"))
    assert len(by_farm([*several, other])) == 2


def test_a_job_is_whole_where_every_run_of_it_is_meant(order):
    several = list(handed(runs(order), wrong))
    assert whole_jobs(several[:1], runs(order)) == [several[0].name]
    assert whole_jobs(several, runs(order)[:2]) == []


def test_a_run_that_ended_well_is_asked_of_no_more_however_its_events_are_written(order):
    run, *others = runs(order)
    run.events(1).write_text('{ "event" : "ended", "time" : 2, "code" : 0 }\n')
    assert [one.run for one in handed(runs(order), wrong)] == others


def test_code_0_of_another_event_is_no_end(order):
    run = runs(order)[0]
    run.events(1).write_text(
        '{"event":"started","time":1,"said":"\\"event\\":\\"ended\\"","code":0}\n'
    )
    assert len(list(handed(runs(order), wrong))) == 3


def test_a_run_whose_address_is_damaged_is_warned_of_and_not_asked_of(order):
    run, *others = runs(order)
    run.job(1).write_text("{")
    warnings = []
    assert [one.run for one in handed(runs(order), warnings.append)] == others
    assert len(warnings) == 1


def test_attempts_that_are_known_are_not_read_again(order, monkeypatch):
    known = {run: read_attempts(run, time.time, wrong) for run in runs(order)}
    monkeypatch.setattr(sent, "read_attempts", None)
    assert len(list(handed(runs(order), wrong, known))) == 3
