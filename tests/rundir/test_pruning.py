"""Early stopping: who goes on, and the words why."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.rundir.pruning import Asha, Median, rule_of

values = st.lists(st.floats(), max_size=40)
goals = st.sampled_from(["minimize", "maximize"])
rules = st.sampled_from([Asha(1, 3), Asha(3, 2), Median(2, 1), Median(5, 4)])


@given(rules, st.floats(), values, goals)
def test_whatever_was_measured_there_is_a_verdict_on_one_line(rule, own, others, goal):
    verdict = rule.verdict(9, own, others, goal)
    assert verdict.why.startswith("epoch 9: ") and "\n" not in verdict.why
    assert verdict == rule.verdict(9, own, sorted(others, key=repr), goal)


@given(rules, values, goals)
def test_the_best_always_goes_on(rule, others, goal):
    finite = [each for each in others if math.isfinite(each)]
    best = (min if goal == "minimize" else max)(finite, default=0.0)
    assert not rule.verdict(9, best, finite, goal).stops


def test_asha_lets_one_in_three_go_on():
    others = [0.1 * place for place in range(16)]
    verdict = Asha(3, 3).verdict(9, 0.25, others, "maximize")
    assert verdict == (True, "epoch 9: 14th of 17; the best 5 go on")
    assert not Asha(3, 3).verdict(9, 1.15, others, "maximize").stops
    assert Asha(3, 3).verdict(9, 1.15, others, "minimize").stops


def test_no_number_is_the_worst():
    assert Asha(1, 3).verdict(3, math.nan, [0.1, 0.2, 0.3], "minimize").stops
    assert Median(1, 1).verdict(3, math.nan, [0.1, math.nan], "maximize").stops is False
    assert Median(1, 1).verdict(3, math.nan, [0.1, 0.2], "maximize").stops


def test_the_median_waits_for_enough_others():
    assert not Median(5, 4).is_rung(4) and Median(5, 4).is_rung(5)
    assert not Median(5, 4).verdict(6, 9.0, [1.0, 2.0, 3.0], "minimize").stops
    verdict = Median(5, 4).verdict(6, 9.0, [1.0, 2.0, 3.0, 4.0], "minimize")
    assert verdict == (True, "epoch 6: 9 is worse than 2.5, the median of 4 others")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ashaa", {}, "did you mean asha"),
        ("asha", {"frist": 3}, "did you mean first"),
        ("asha", {"factor": 1}, "2 or more"),
        ("asha", {"first": True}, "whole number"),
        ("median", {"min_runs": "4"}, "whole number"),
    ],
)
def test_a_rule_that_means_nothing_is_told(name, options, message):
    with pytest.raises(SweepError, match=message):
        rule_of(name, options)
