"""Samplers of Optuna, whose study is made anew of the observations."""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random

import pytest

from runx.errors import SweepError
from runx.search.observations import Observation, Seed
from runx.search.space import Space, key_of, space_of, values_of
from runx.search.suggest import suggest
from runx.search.with_optuna import SamplerMissing
from runx.sweeps.yaml import parse

pytest.importorskip("optuna")

MIXED = """
lr: {loguniform: [1e-5, 1]}
width: {lograndint: [16, 1024]}
dropout: {uniform: [0, 0.5, 0.1]}
act: {choice: [relu, gelu, tanh]}
RUNX.CASES: [{opt: sgd}, {opt: adam, beta: {uniform: [0.8, 0.99]}}]
"""
NUMBERS = "x: {uniform: [0, 1]}\ny: {uniform: [0, 1]}"


def space(text: str) -> Space:
    document = parse(text, "search.yml")
    assert isinstance(document.tree, dict)
    return space_of(document.tree, document.at)


def history(space: Space, count: int) -> list[Observation]:
    source = Random(0)
    parts = [space.filled(iter([source.random() for _ in space.dimensions])) for _ in range(count)]
    ends = [(source.random(), "done") for _ in parts]
    ends[3] = (math.nan, "done")
    ends[4] = (math.inf, "failed")
    ends[5] = (0.5, "pruned")
    points = [values_of(space.point(each)) for each in parts]
    seen = [
        Observation(number, values, (loss,), state, 9 if state == "pruned" else None)
        for number, (values, (loss, state)) in enumerate(zip(points, ends, strict=True))
    ]
    return [*seen, Observation(99, {"lr": 7}, (0.0,))]


@pytest.mark.parametrize("failed", ["worst", "ignore"])
@pytest.mark.parametrize(
    "sampler", ["TPESampler", "RandomSampler", "CmaEsSampler", "NSGAIISampler"]
)
def test_a_point_of_the_space_comes_whatever_was_measured(sampler, failed):
    mixed = space(MIXED)
    seen = history(mixed, 14)
    running = [seen.pop(7).values, seen.pop(7).values]
    point = values_of(suggest(mixed, seen, running, Seed("s", 15), f"optuna.{sampler}", failed))
    assert mixed.parts(point) is not None
    assert key_of(mixed, point) not in [key_of(mixed, each.values) for each in seen]


def test_the_same_history_in_any_order_gives_the_same_point_and_each_trial_its_own():
    mixed = space(MIXED)
    seen = history(mixed, 14)
    first = suggest(mixed, seen, [], Seed("s", 15), "optuna.TPESampler")
    assert suggest(mixed, seen[::-1], [], Seed("s", 15), "optuna.TPESampler") == first
    starts = [suggest(mixed, [], [], Seed("s", number), "optuna.TPESampler") for number in range(6)]
    assert len(set(starts)) == 6


@pytest.mark.parametrize("sampler", ["TPESampler", "CmaEsSampler"])
def test_what_was_seen_is_learnt_from(sampler):
    flat = space(NUMBERS)
    source = Random(1)
    points = [{"x": round(source.random(), 6), "y": round(source.random(), 6)} for _ in range(60)]
    seen = [
        Observation(number, each, ((each["x"] - 0.2) ** 2 + (each["y"] - 0.7) ** 2,))
        for number, each in enumerate(points)
    ]
    found = [
        values_of(suggest(flat, seen, [], Seed("s", number), f"optuna.{sampler}"))
        for number in range(60, 75)
    ]
    near = [math.hypot(each["x"] - 0.2, each["y"] - 0.7) for each in found]
    assert sorted(near)[7] < 0.25


def test_several_objectives_are_told():
    flat = space(NUMBERS)
    seen = [Observation(n, {"x": n / 9, "y": 0.5}, (float(n), float(-n))) for n in range(9)]
    assert suggest(flat, seen, [], Seed("s", 10), "optuna.TPESampler")


@pytest.mark.parametrize(
    ("sampler", "message"),
    [("TPESampel", "did you mean TPESampler"), ("GridSampler", "a seed alone")],
)
def test_a_sampler_that_can_not_be_is_told(sampler, message):
    with pytest.raises(SweepError, match=message):
        suggest(space(NUMBERS), [], [], Seed("s", 0), f"optuna.{sampler}")


def test_what_a_sampler_can_not_do_is_told_on_one_line():
    seen = [Observation(n, {"x": n / 9, "y": 0.5}, (float(n), float(-n))) for n in range(12)]
    with pytest.raises(SweepError, match=r"optuna\.CmaEsSampler: "):
        suggest(space(NUMBERS), seen, [], Seed("s", 12), "optuna.CmaEsSampler")


def test_a_missing_optuna_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SamplerMissing, match=r"pip install 'runx-sweeps\[search\]'"):
        suggest(space(NUMBERS), [], [], Seed("s", 0), "optuna.TPESampler")


def test_nothing_but_the_standard_library_is_imported_by_what_is_built_in():
    program = (
        "import sys, runx.search.suggest; "
        "print([name for name in ('optuna', 'numpy', 'scipy', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
