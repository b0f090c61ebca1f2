"""What is computed of runs: in Python for the page, and in the page for what is drawn."""

import math
import random

import pytest
from javascript import node

from runx.analysis.groups import Spread, rounded
from runx.report.statistics import groupings
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord

STATISTICS = ["nearest", "numbers", "tokens", "arithmetic", "statistics"]


def record(name, **hparams):
    return RunRecord(name, RunDir(name), hparams, "done", {})


def grouping(runs, name, *names):
    [choice] = [choice for choice in groupings(runs, names) if choice["id"] == name]
    members = [
        [run.name for run, at in zip(runs, choice["of"], strict=True) if at == nth]
        for nth in range(max(choice["of"]) + 1)
    ]
    return [*zip(choice["labels"], members, strict=True)] if "labels" in choice else members


def test_a_group_is_what_has_the_same_value_as_sumx_sees_it():
    runs = [record("a", lr=0.1234567), record("b", lr=0.1234568), record("c"), record("d", lr=10)]
    groups = [("0.1234567", ["a"]), ("0.1234568", ["b"]), ("10", ["d"]), ("none", ["c"])]
    assert grouping(runs, "h:lr", "lr") == groups


def test_a_number_and_its_text_are_two_groups():
    runs = [record("a", n="1"), record("b", n=1), record("c", n=1.0), record("d", n=True)]
    assert grouping(runs, "h:n", "n") == [("1", ["b", "c"]), ("True", ["d"]), ("'1'", ["a"])]


def test_seeds_can_be_left_out_of_groups():
    runs = [record(f"{lr}{seed}", lr=lr, opt="sgd", seed=seed) for lr in (2, 1) for seed in (0, 1)]
    groups = grouping(runs, "*h:seed", "lr", "opt", "seed")
    assert groups == [["10", "11"], ["20", "21"]]
    assert [choice["id"] for choice in groupings(runs, ["seed"])] == ["h:seed"]


def test_means_and_deviations_of_what_is_drawn_are_those_of_tables():
    dice = random.Random(1)
    rows = [[dice.gauss(90, 5) for _ in range(length)] for length in (1, 2, 3, 10, 200)]
    rows += [[1e9, 1e9 + 1], [0.1] * 3, [-5, 5], [1e-12, 3e-12]]
    harness = """
    const { mean, deviation } = modules.statistics;
    const answers = input.map((values) => [mean(values), deviation(values)]);
    """
    for row, (mean, std) in zip(rows, node(STATISTICS, harness, rows), strict=True):
        spread = Spread(tuple(row), len(row))
        assert mean == pytest.approx(spread.mean, rel=1e-12)
        if len(row) == 1:
            assert std is None
            assert math.isnan(spread.std)
        else:
            assert std == pytest.approx(spread.std, rel=1e-9, abs=1e-15)


def test_a_group_is_written_as_in_tables():
    dice = random.Random(3)
    rows = [
        [
            dice.gauss(10.0 ** dice.randint(-6, 4), 10.0 ** dice.randint(-8, 3))
            for _ in range(length)
        ]
        for length in (1, 2, 3, 10)
        for _ in range(40)
    ]
    rows += [[-10, 15], [0, 5], [1, 1, 1], [0.125, 0.375], [1, 1 + 1e-12], [0, 1], [97.5, 12.5]]
    harness = """
    const { rounded } = modules.statistics;
    const answers = input.map((values) => [rounded(values, values.length), rounded(values, 9)]);
    """
    for row, written in zip(rows, node(STATISTICS, harness, rows), strict=True):
        assert written == [rounded(Spread(tuple(row), number)) for number in (len(row), 9)], row


def test_numbers_below_a_hundred_thousand_are_written_as_in_tables():
    dice = random.Random(2)
    values = [dice.uniform(1, 10) * 10 ** dice.randint(-12, 3) for _ in range(300)]
    values += [0.1, 1e-05, 2.5e-300, 0.30000000000000004, 99994.4, -0.00012345678, 1.5e20]
    harness = """
    const { shortNumber } = modules.numbers;
    const answers = input.map((value) => shortNumber(value));
    """
    assert node(["numbers"], harness, values) == [f"{value:.5g}" for value in values]
