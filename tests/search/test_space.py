"""Spaces: points and their parts, one way and the other."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.search.space import Space, key_of, space_of, values_of
from runx.sweeps.yaml import parse

MIXED = """
lr: {loguniform: [1e-5, 1]}
momentum: {uniform: [0, 1]}
dropout: {uniform: [0, 0.5, 0.1]}
width: {lograndint: [16, 4096]}
layers: {randint: [1, 9, 2]}
steps: {loguniform: [100, 10000, 100]}
gain: {normal: [1, 0.2]}
act: {choice: [relu, gelu, null, true]}
batch: {choice: [16, 32, 64]}
RUNX.CASES:
  - {opt: sgd, nesterov: [true, false]}
  - opt: adam
    beta: {uniform: [0.8, 0.99]}
    RUNX.CASES: [{amsgrad: true}, {amsgrad: false, eps: {loguniform: [1e-9, 1e-6]}}]
  - {opt: lion}
"""


def space(text: str) -> Space:
    document = parse(text, "search.yml")
    assert isinstance(document.tree, dict)
    return space_of(document.tree, document.at)


def any_parts(space: Space, seed: int):
    source = Random(seed)
    return space.filled(iter([source.random() for _ in space.dimensions]))


@given(st.integers(0, 10**9))
def test_the_values_of_a_point_have_its_parts(seed):
    mixed = space(MIXED)
    parts = any_parts(mixed, seed)
    again = mixed.parts(values_of(mixed.point(parts)))
    assert again is not None
    assert mixed.point(again) == mixed.point(parts)
    for one, other in zip(again, parts, strict=True):
        assert (one is None) == (other is None)
        assert one is None or abs(one - other) < 1e-5


@given(st.integers(0, 10**9))
def test_values_lie_in_their_ranges_and_on_their_steps(seed):
    values = values_of(space(MIXED).point(any_parts(space(MIXED), seed)))
    assert 1e-5 <= values["lr"] <= 1
    assert values["dropout"] in (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert values["width"] in range(16, 4097)
    assert values["layers"] in (1, 3, 5, 7, 9)
    assert values["steps"] in range(100, 10001, 100)
    assert ("beta" in values) == (values["opt"] == "adam")
    assert ("eps" in values) == (values.get("amsgrad") is False)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a: {choice: [1, 2, 3]}\nb: {randint: [0, 4]}", 15),
        ("a: {uniform: [0, 1, 0.1]}", 11),
        ("a: {uniform: [0, 1]}", None),
        ("a: {uniform: [1, 1]}", 1),
        ("RUNX.CASES: [{a: [1, 2]}, {a: 3, b: {choice: [1, 2, 3]}}]", 5),
        ("RUNX.CASES: [{a: 1}, {b: {uniform: [0, 1]}}]", None),
        ("RUNX.CASES: [[{a: 1}, {a: 2}], [{b: 1}, {b: 2}]]", 4),
    ],
)
def test_a_space_knows_how_many_points_it_has(text, size):
    small = space(text)
    assert small.size == size
    if size:
        points = [small.point(parts) for parts in small.all_parts()]
        assert len({key_of(small, values_of(point)) for point in points}) == size == len(points)


@pytest.mark.parametrize(
    "values",
    [
        {"a": 3, "b": 0.5},
        {"a": 1, "b": 1.5},
        {"a": 1},
        {"a": 1, "b": math.nan},
        {"a": 1, "b": math.inf},
        {"a": 1, "b": "0.5"},
        {"a": 1, "b": True},
        {"a": True, "b": 0.5},
        {"a": 1, "b": None},
        {},
    ],
)
def test_what_lies_outside_has_no_parts(values):
    assert space("a: {choice: [1, 2]}\nb: {uniform: [0, 1]}").parts(values) is None


def test_values_of_equal_meaning_are_one_and_other_names_do_not_count():
    small = space("a: {choice: [1, 2]}\nb: {choice: [[1, 2], [3]]}")
    parts = small.parts({"a": 1.0, "b": (1, 2), "seed": 7})
    assert parts is not None
    assert values_of(small.point(parts)) == {"a": 1, "b": (1, 2)}


def test_texts_of_choices_stay_as_written():
    small = space("lr: {choice: [1e-3, 1e-2]}")
    assert [each.text for parts in small.all_parts() for each in small.point(parts)] == [
        "1e-3",
        "1e-2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {uniform: [1, 0]}", "search.yml:1: a: uniform takes"),
        ("a: {choice: []}", "search.yml:1: a: choice takes"),
        ("a: {lograndint: [0, 9]}", "above 0"),
        ("a: {uniform: [-1e308, 1e308, 1]}", "nearer to each other"),
        ("RUNX.CASES: []", "takes a list of mappings"),
        ("RUNX.CASES: [3]", "takes mappings"),
        ("RUNX.CASES: [{RUNX.ZIP: {a: [1]}}]", "can't stand in a case"),
        ("a: {uniform: [0, 1]}\nRUNX.CASES: [{a: 1}, {b: 2}]", "a is set twice"),
    ],
)
def test_what_makes_no_space_is_told_with_its_place(text, message):
    with pytest.raises(SweepError, match=message):
        space(text)


def test_the_same_name_may_stand_in_several_cases():
    cases = space("RUNX.CASES: [{a: {uniform: [0, 1]}}, {a: {uniform: [5, 6]}}]")
    for value in (0.5, 5.5):
        parts = cases.parts({"a": value})
        assert parts is not None and values_of(cases.point(parts)) == {"a": value}
