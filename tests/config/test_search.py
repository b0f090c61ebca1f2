"""SEARCH as people write it, and as they get it wrong."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError


def loaded(tmp_path, search, *overrides):
    file = tmp_path / "search.yml"
    file.write_text(f"CMD: t\nHPARAMS: {{lr: {{uniform: [0, 1]}}}}\nSEARCH:{search}\n")
    return load(Request(file, tmp_path, {}, overrides=overrides)).search


def test_what_is_needed_and_what_follows(tmp_path):
    search = loaded(tmp_path, " {metric: val_loss, trials: 60}")
    assert (search.metrics, search.goals, search.trials) == (("val_loss",), ("minimize",), 60)
    assert (search.sampler, search.failed, search.prune) == ("gp", "worst", {})


@pytest.mark.parametrize("text", ["", " {}", " null"])
def test_none(tmp_path, text):
    assert loaded(tmp_path, text) is None


def test_all_of_it(tmp_path):
    search = loaded(
        tmp_path,
        " {metric: [acc, 'train.loss:min'], goal: [max, minimize], trials: 9, sampler: my:f,"
        " try_first: [{lr: 0.5}], warm_start: old, failed: ignore, budget: 2.5 GPU-hours}",
    )
    assert search.goals == ("maximize", "minimize")
    assert search.warm_start == ("old",)
    assert search.budget == 2.5
    assert search.failed == "ignore"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("asha", {"asha": {"first": 1, "factor": 3}}),
        ("{asha: {first: 3}}", {"asha": {"first": 3, "factor": 3}}),
        ("{median: }", {"median": {"warmup": 5, "min_runs": 4}}),
        ("false", {}),
        ("null", {}),
    ],
)
def test_rules_of_early_stopping(tmp_path, text, rule):
    assert loaded(tmp_path, f" {{metric: acc, trials: 3, prune: {text}}}").prune == rule


WRONG = {
    "{trials: 4}": "SEARCH: metric is missing; add it, as metric: val.loss",
    "{metric: acc}": "SEARCH: trials is missing; add it, as trials: 60",
    "{metrics: acc, trials: 3}": "SEARCH: unknown key metrics; did you mean metric?",
    "[1]": "SEARCH must be a mapping",
    "{metric: foo, trials: 3}": "less or more of foo? add goal: minimize, or goal: maximize",
    "{metric: foo, goal: up, trials: 3}": "SEARCH.goal: up is no goal",
    "{metric: [a, b], goal: [min, max, min], trials: 3}": "one goal for all metrics, or one for",
    "{metric: '', goal: min, trials: 3}": "SEARCH.metric: must be a name",
    "{metric: [acc, acc], trials: 3}": "SEARCH.metric: has one name twice",
    "{metric: [], trials: 3}": "SEARCH.metric: names no metric",
    "{metric: acc, trials: 0}": "SEARCH.trials: must be a whole number from 1 on",
    "{metric: acc, trials: -3}": "SEARCH.trials: must be a whole number from 1 on",
    "{metric: acc, trials: 1.5}": "SEARCH.trials: must be a whole number from 1 on",
    "{metric: acc, trials: [1]}": "SEARCH.trials: must be one value",
    "{metric: acc, trials: 3, sampler: bayes}": "SEARCH.sampler: bayes is no sampler",
    "{metric: acc, trials: 3, sampler: 'optuna.'}": "SEARCH.sampler: optuna. is no sampler",
    "{metric: acc, trials: 3, sampler: 'my:'}": "SEARCH.sampler: my: is no sampler",
    "{metric: acc, trials: 3, prune: {hyper: {}}}": "SEARCH.prune: hyper is unknown",
    "{metric: acc, trials: 3, prune: {asha: {firs: 1}}}": "asha: firs is unknown: did you mean f",
    "{metric: acc, trials: 3, prune: {asha: {factor: 1}}}": "factor takes a whole number, 2 or",
    "{metric: acc, trials: 3, prune: {asha: {}, median: {}}}": "SEARCH.prune: takes one rule",
    "{metric: acc, trials: 3, prune: [asha]}": "SEARCH.prune: takes one rule",
    "{metric: [acc, loss], trials: 3, prune: asha}": "SEARCH.prune: goes by one metric",
    "{metric: acc, trials: 3, failed: skip}": "SEARCH.failed: must be one of worst, ignore",
    "{metric: acc, trials: 3, budget: 200}": "SEARCH.budget: must be as 200 gpu-hours",
    "{metric: acc, trials: 3, budget: 0 gpu-hours}": "SEARCH.budget: must be as 200 gpu-hours",
    "{metric: acc, trials: 3, target: high}": "SEARCH.target: must be a number",
    "{metric: acc, trials: 3, target: .nan}": "SEARCH.target: must be a number",
    "{metric: [acc, loss], trials: 3, target: 1}": "SEARCH.target: is of one metric",
    "{metric: acc, trials: 3, try_first: [1]}": "SEARCH.try_first: takes points",
    "{metric: acc, trials: 3, warm_start: {a: 1}}": "SEARCH.warm_start: must be a name",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text):
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, f" {text}")
    message = str(raised.value)
    assert "search.yml:3: SEARCH" in message
    assert WRONG[text] in message
    assert "\n" not in message


def test_the_line_is_that_of_the_key(tmp_path):
    with pytest.raises(SettingsError, match=r"search.yml:5: SEARCH.trials: must be a whole"):
        loaded(tmp_path, "\n  metric: acc\n  trials: many")


def test_keys_are_overridden_from_the_command_line(tmp_path):
    assert loaded(tmp_path, " {metric: acc, trials: 3}", "SEARCH.trials=5").trials == 5
