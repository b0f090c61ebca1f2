"""Runs read with their steps: states, the index, and what schedulers answer."""

import json

from step_folders import an_experiment

from runx.analysis.read import Reader, read_experiment
from runx.analysis.step_records import goes_on, of_shared


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


def test_a_run_took_what_all_of_its_steps_took(tmp_path):
    [record] = read(an_experiment(tmp_path, {"train": 0, "eval": 1, "late": None}))
    assert [step.elapsed(0.0) for step in record.steps] == [1.0, 1.0, None]
    assert record.elapsed(0.0) == 2.0


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
    lines = of_shared(experiment, ("train", "eval"), lambda line: None)
    assert lines == ["gathered by report: 1 planned; seeds: 1 blocked"]


def shared(experiment, name, created, hparams=(), runs=(), **more):
    place = experiment.run(f"steps/{name}")
    place.attempts.mkdir(parents=True)
    record = {"step": name.split("-")[0], "created": created, "runs": list(runs), "after": {}}
    place.record.write_text(json.dumps({**record, "hparams": dict(hparams), **more}))


def told(experiment):
    return of_shared(experiment, ("tokens", "train"), lambda line: None)


def test_a_shared_step_of_other_runs_or_values_is_not_superseded(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0})
    for number, directory in enumerate(("a", "b")):
        shared(experiment, f"tokens-{directory}", number, {"data.dir": directory})
        shared(experiment, f"report-{directory}", number, runs=[directory])
    assert told(experiment) == ["gathered by report: 2 planned"]


def test_a_damaged_record_of_a_shared_step_is_not_taken_for_newer(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0})
    shared(experiment, "report-a", 1, runs=["a"])
    shared(experiment, "report-b", None)
    (experiment.path / "steps" / "report-b" / "run.json").write_text('{"runs": 3, "hparams": 2}')
    assert told(experiment)[-1].endswith("planned")


def test_one_of_which_there_is_a_newer_one_for_the_same_runs_is_told_apart(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0})
    shared(experiment, "tokens-a", 1, {"size": 1})
    shared(experiment, "tokens-b", 2, {"size": 1})
    shared(experiment, "report-a", 1, {"train.dirs": ["LOGDIR/../../a"]}, ["a"])
    shared(experiment, "report-b", 2, {"train.dirs": ["LOGDIR/../../b"]}, ["a", "b"])
    assert told(experiment) == [
        "gathered by report: 1 planned",
        "superseded by newer shared steps: 1 report, 1 tokens",
    ]


def test_what_waits_for_a_failed_step_does_not_go_on_and_what_takes_its_end_does(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 1, "eval": None})
    run = experiment.run("run-0")
    submitted = {
        run.step("eval"): {"../train": "done"},
        experiment.run("steps/report-2b"): {"../../run-0/steps/eval": "done"},
    }
    for place, after in submitted.items():
        place.attempts.mkdir(parents=True, exist_ok=True)
        place.record.write_text(json.dumps({"step": "x", "after": after}))
        place.claim(1).write_text('{"version": 1, "farm": "slurm"}')
        place.job(1).write_text('{"version": 1, "id": "7", "farm": "slurm"}')
    records = read(experiment)
    assert [record.state for record in records] == ["queued"]
    assert not goes_on(experiment, records, print)
    place.record.write_text(json.dumps({"step": "x", "after": dict.fromkeys(after, "ended")}))
    assert goes_on(experiment, records, print)
