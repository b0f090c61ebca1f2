"""Runs read with their steps: states, the index, and what schedulers answer."""

import json

from step_folders import an_experiment

from runx.analysis.read import Reader, read_experiment
from runx.analysis.step_records import gathering


def read(experiment):
    return list(read_experiment(experiment, Reader(warn=lambda line: None)))


def test_a_run_is_as_its_steps_are(tmp_path):
    [record] = read(an_experiment(tmp_path, {"train": 0, "eval": 1}))
    assert str(record.status) == "failed (eval: exit status 1)"
    assert record.step == "eval"
    assert record.place == record.dir.step("eval")
    assert [(step.name, step.status.name) for step in record.steps] == [
        ("train", "done"),
        ("eval", "failed"),
    ]


def test_what_a_failed_step_blocks_is_said_of_the_step(tmp_path):
    [record] = read(an_experiment(tmp_path, {"train": 1, "eval": None}))
    assert [str(step.status) for step in record.steps] == [
        "failed (exit status 1)",
        "blocked (train failed)",
    ]
    assert record.state == "failed"


def test_the_index_has_the_steps_of_runs_too(tmp_path, monkeypatch):
    experiment = an_experiment(tmp_path, {"train": 0, "eval": 0}, count=70)
    monkeypatch.setattr("runx.analysis.index.SETTLED", -(10**12))
    before = read(experiment)
    assert experiment.index.exists()

    def unread(*_, **__):
        raise AssertionError("it is in the index")

    monkeypatch.setattr("runx.analysis.read.read_run", unread)
    after = read(experiment)
    assert [[(step.name, step.dir, step.status) for step in each.steps] for each in after] == [
        [(step.name, step.dir, step.status) for step in each.steps] for each in before
    ]
    assert {each.step for each in after} == {"eval"}
    assert {str(each.status) for each in after} == {"done"}


def test_what_gathers_runs_is_blocked_by_what_blocks_one_of_them(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 1, "eval": None})
    for name, when in (("seeds-1a", "done"), ("report-2b", "ended")):
        place = experiment.run(f"steps/{name}")
        place.attempts.mkdir(parents=True)
        after = {"../../run-0/steps/eval": when}
        place.record.write_text(json.dumps({"step": name.split("-")[0], "after": after}))
    own = experiment.run("run-0").step("eval").record
    own.write_text(json.dumps({"step": "eval", "after": {"../train": "done"}}))
    line = gathering(experiment, ("train", "eval"), lambda line: None)
    assert line == "report: 1 planned; seeds: 1 blocked"
