"""Where runs execute: which directories a command about runs with steps is about."""

import json

import pytest

from runx.analysis.step_places import places
from runx.errors import RunxError
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def experiment(tmp_path):
    experiment = ExperimentDir(tmp_path / "sweep")
    (experiment.path / ".runx").mkdir(parents=True)
    shared = experiment.run("steps/tokens-1a")
    gather = experiment.run("steps/report-2b")
    for place, step, gathered in ((shared, "tokens", None), (gather, "report", ["owl", "fox"])):
        place.path.mkdir(parents=True)
        place.record.write_text(json.dumps({"step": step, "runs": gathered}))
    for name in ("owl", "fox"):
        run = experiment.run(name)
        entries = [{"name": "tokens", "dir": "../steps/tokens-1a", "after": {}}]
        entries += [
            {"name": step, "dir": f"steps/{step}", "after": {}} for step in ("train", "eval")
        ]
        for step in ("train", "eval"):
            run.step(step).path.mkdir(parents=True)
            run.step(step).record.write_text(json.dumps({"step": step}))
        run.record.write_text(json.dumps({"hparams": {}, "steps": entries}))
    return experiment


def names(runs, **options):
    return sorted(place.name for place in places(runs, **options))


def test_a_run_executes_in_its_own_steps_and_shares_the_others(experiment):
    assert names([experiment.run("owl")]) == ["owl/eval", "owl/train"]


def test_shared_steps_are_of_all_runs_that_need_them(experiment):
    both = [experiment.run("owl"), experiment.run("fox")]
    own = ["fox/eval", "fox/train", "owl/eval", "owl/train"]
    assert names(both) == [*own, "report-2b", "tokens-1a"]


def test_a_step_is_named_shared_or_not(experiment):
    owl = [experiment.run("owl")]
    assert names(owl, step="eval") == ["owl/eval"]
    assert names(owl, step="tokens") == ["tokens-1a"]
    assert names(owl, step="report") == ["report-2b"]


def test_an_unknown_step_is_answered_with_the_nearest(experiment):
    with pytest.raises(RunxError, match="--step evla: did you mean eval"):
        places([experiment.run("owl")], "evla")


def test_runs_without_steps_are_places_themselves(tmp_path):
    run = ExperimentDir(tmp_path).run("owl")
    assert places([run]) == [run]
    with pytest.raises(RunxError, match="none of these runs has steps"):
        places([run], "eval")


def test_a_damaged_record_hides_no_other_step(experiment):
    experiment.run("fox").record.write_text("{")
    assert "fox/train" in names([experiment.run("fox")])
