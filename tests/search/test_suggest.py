"""The next point: always in the space, never twice, whatever the order and the machine."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.search import exact
from runx.search.observations import Observation, Seed, front, known
from runx.search.space import Space, key_of, space_of, values_of
from runx.search.suggest import BUILT_IN, SpaceExhausted, check_sampler, outside, suggest
from runx.sweeps.yaml import parse

MIXED = """
lr: {loguniform: [1e-5, 1]}
dropout: {uniform: [0, 0.5, 0.1]}
act: {choice: [relu, gelu, tanh]}
RUNX.CASES: [{opt: sgd}, {opt: adam, beta: {uniform: [0.8, 0.99]}}]
"""
SAMPLERS = sorted(BUILT_IN)


def space(text: str) -> Space:
    document = parse(text, "search.yml")
    assert isinstance(document.tree, dict)
    return space_of(document.tree, document.at)


def point(space: Space, *given, **options):
    return values_of(suggest(space, *given, **options))


def history(space: Space, count: int, seed: int = 0) -> list[Observation]:
    source = Random(seed)
    result = []
    for number in range(count):
        parts = space.filled(iter([source.random() for _ in space.dimensions]))
        values = values_of(space.point(parts))
        result.append(Observation(number, values, (math.log10(values["lr"]) ** 2,)))
    return result


losses = st.lists(
    st.one_of(st.floats(), st.just(0.5), st.sampled_from([math.nan, math.inf, -math.inf, 1e308])),
    min_size=0,
    max_size=30,
)
states = st.sampled_from(["done", "pruned", "failed"])


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=15, deadline=None)
@given(losses, st.data())
def test_whatever_was_measured_a_new_point_of_the_space_comes(sampler, losses, data):
    mixed = space(MIXED)
    seen = [
        each._replace(losses=(loss,), state=data.draw(states))
        for each, loss in zip(history(mixed, len(losses)), losses, strict=True)
    ]
    seen.append(Observation(99, {"lr": 5, "act": "unknown"}, (0.0,)))
    running = [each.values for each in history(mixed, 3, seed=1)]
    failed = data.draw(st.sampled_from(["worst", "ignore"]))
    values = point(mixed, seen, running, Seed("s", 40), sampler, failed)
    assert mixed.parts(values) is not None
    taken = [key_of(mixed, each.values) for each in seen] + [key_of(mixed, v) for v in running]
    assert key_of(mixed, values) not in taken


@pytest.mark.parametrize("sampler", ["gp", "tpe"])
@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-9, 1e9, 1e307])
def test_losses_of_any_size_are_learnt_from(sampler, scale):
    mixed = space(MIXED)
    seen = [each._replace(losses=(scale * (each.number % 7 - 3),)) for each in history(mixed, 15)]
    assert mixed.parts(point(mixed, seen, [], Seed("s", 15), sampler)) is not None


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_order_of_the_history_does_not_count(sampler):
    mixed = space(MIXED)
    seen, running = history(mixed, 20), [each.values for each in history(mixed, 4, seed=1)]
    first = point(mixed, seen, running, Seed("s", 24), sampler)
    for seed in range(3):
        Random(seed).shuffle(seen)
        Random(seed).shuffle(running)
        assert point(mixed, seen, running, Seed("s", 24), sampler) == first


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_trials_asked_for_at_once_get_points_of_their_own(sampler):
    mixed = space(MIXED)
    seen = history(mixed, 12)
    points = [point(mixed, seen, [], Seed("s", number), sampler) for number in range(12, 20)]
    assert len({key_of(mixed, each) for each in points}) == 8


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_small_space_is_used_up_and_then_said_to_be(sampler):
    small = space("a: {choice: [1, 2, 3]}\nb: {randint: [0, 3]}")
    seen: list[Observation] = []
    for number in range(12):
        values = point(small, seen, [], Seed("s", number), sampler)
        seen.append(Observation(number, values, (float(number % 5),)))
    assert len({key_of(small, each.values) for each in seen}) == 12
    with pytest.raises(SpaceExhausted, match="all 12 points"):
        suggest(small, seen, [], Seed("s", 12), sampler)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_points_that_skip_drops_are_not_asked_for(sampler):
    mixed = space(MIXED)
    open_space = Space(mixed.dimensions, allows=lambda values: values["opt"] == "adam")
    seen = history(mixed, 15)
    for number in range(15, 20):
        assert point(open_space, seen, [], Seed("s", number), sampler)["opt"] == "adam"
    closed = Space(mixed.dimensions, allows=lambda values: False)
    with pytest.raises(SpaceExhausted, match=r"RUNX\.SKIP"):
        suggest(closed, seen, [], Seed("s", 20), sampler)


PROGRAM = """
import math, random
import tests.search.test_suggest as of
mixed = of.space(of.MIXED)
seen = of.history(mixed, 30)
seen = [each._replace(losses=(round(each.losses[0], 9),)) for each in seen]
points = [of.point(mixed, seen, [], of.Seed("s", 30), sampler) for sampler in of.SAMPLERS]
print(points)
"""


@pytest.mark.parametrize("hashing", ["1", "2"])
def test_hash_randomisation_changes_nothing(hashing):
    environment = {**os.environ, "PYTHONHASHSEED": hashing}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    mixed = space(MIXED)
    seen = [e._replace(losses=(round(e.losses[0], 9),)) for e in history(mixed, 30)]
    assert done.stdout.strip() == str(
        [point(mixed, seen, [], Seed("s", 30), sampler) for sampler in SAMPLERS]
    )


@pytest.mark.parametrize(
    ("name", "least", "most"), [("exp", -690, 690), ("log", 1e-9, 1e9), ("below", -30, 8)]
)
def test_arithmetic_of_our_own_agrees_with_the_librarys(name, least, most):
    source = Random(0)
    theirs = {"exp": math.exp, "log": math.log, "below": lambda z: math.erfc(-z / 2**0.5) / 2}
    for _ in range(1000):
        value = source.uniform(least, most)
        assert getattr(exact, name)(value) == pytest.approx(theirs[name](value), rel=1e-9)


def test_no_sampler_asks_the_c_library_for_what_differs(monkeypatch):
    def differs(*given):
        raise AssertionError("this differs from machine to machine")

    mixed = space("lr: {uniform: [0, 1]}\nb: {uniform: [0, 1]}")
    seen = [
        Observation(number, {"lr": number / 20, "b": number * 7 % 20 / 20}, ((number - 7) ** 2,))
        for number in range(20)
    ]
    for name in ("exp", "log", "log2", "erf", "erfc", "sin", "cos", "pow", "dist", "hypot"):
        monkeypatch.setattr(math, name, differs)
    for sampler in SAMPLERS:
        assert suggest(mixed, seen, [], Seed("s", 20), sampler)


def test_gp_and_tpe_come_nearer_to_the_least_than_points_at_random():
    line = space("x: {uniform: [0, 1]}\ny: {uniform: [0, 1]}")
    best = {}
    for sampler in ("gp", "tpe", "random"):
        seen: list[Observation] = []
        for number in range(25):
            values = point(line, seen, [], Seed("s", number), sampler)
            loss = (values["x"] - 0.3) ** 2 + (values["y"] - 0.8) ** 2
            seen.append(Observation(number, values, (loss,)))
        best[sampler] = min(each.losses[0] for each in seen)
    assert best["gp"] < best["tpe"] < best["random"]
    assert best["gp"] < 1e-4


def test_failed_trials_are_as_bad_as_the_worst_or_nothing():
    line = space("x: {uniform: [0, 1]}")
    seen = [
        Observation(0, {"x": 0.1}, (1.0,)),
        Observation(1, {"x": 0.5}, (3.0,)),
        Observation(2, {"x": 0.9}, (), "failed"),
        Observation(3, {"x": 0.8}, (math.nan,)),
    ]
    assert [each.loss for each in known(line, seen, Seed("s", 4))] == [1, 3, 3, 3]
    assert [each.loss for each in known(line, seen, Seed("s", 4), "ignore")] == [1, 3]
    assert [each.loss for each in known(line, seen[2:], Seed("s", 4))] == []


def test_several_objectives_find_points_along_the_front():
    line = space("x: {uniform: [0, 1]}\ny: {uniform: [0, 1]}")
    seen: list[Observation] = []
    for number in range(40):
        values = point(line, seen, [], Seed("s", number))
        both = (values["x"] + values["y"] ** 2, (values["x"] - 1) ** 2 + values["y"])
        seen.append(Observation(number, values, both))
    best = front([each.losses for each in seen])
    xs = sorted(seen[place].values["x"] for place in best)
    assert len(best) >= 8 and xs[0] < 0.3 and xs[-1] > 0.7


def test_what_lies_outside_is_counted_and_left_out():
    line = space("x: {uniform: [0, 1]}")
    seen = [Observation(0, {"x": 5}, (0.0,)), Observation(1, {"x": 0.5}, (1.0,))]
    assert outside(line, seen) == 1
    assert len(known(line, seen, Seed("s", 2))) == 1


def test_a_function_is_a_sampler_too():
    line = space("x: {uniform: [0, 1]}")

    def middle(space, observations, running, seed):
        return {"x": 0.25 if not observations else 0.5}

    assert point(line, [], [], Seed("s", 0), middle) == {"x": 0.25}
    with pytest.raises(SweepError, match="no point of the search"):
        suggest(line, [], [], Seed("s", 0), lambda *given: {"x": 7})
    with pytest.raises(SweepError, match="no point of the search"):
        suggest(line, [], [], Seed("s", 0), lambda *given: None)


@pytest.mark.parametrize(
    ("name", "message"),
    [("tpee", "did you mean tpe"), ("nowhere_at_all:f", "nowhere_at_all"), ("math:nope", "nope")],
)
def test_a_sampler_that_is_not_there_is_told(name, message):
    with pytest.raises(SweepError, match=message):
        suggest(space("x: {uniform: [0, 1]}"), [], [], Seed("s", 0), name)


def test_names_of_samplers_are_checked_without_importing_them():
    check_sampler("optuna.Anything")
    check_sampler("mine:f")
    with pytest.raises(SweepError, match=r"known are|did you mean"):
        check_sampler("bayes")


def test_points_that_are_rounded_to_the_same_are_the_same():
    def near(space, observations, running, seed):
        return {"lr": 0.99999212 if not running else 0.99999178}

    within = space("lr: {uniform: [0, 1]}")
    first = values_of(suggest(within, [], [], Seed("0", 1), near))
    assert first == {"lr": 0.999992}
    assert suggest(within, [], [first], Seed("0", 2), near)[0].value != 0.999992
