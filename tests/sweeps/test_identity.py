"""Identities of runs."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.sweeps.identity import Identity, identity

TEXTS = st.text(st.characters(codec="utf-8"))


def test_an_identity_is_the_same_for_equal_numbers_in_any_order():
    assert identity("c", {"a": 1, "b": (1, 2.0)}) == identity("c", {"b": [1.0, 2], "a": 1.0})


def test_an_identity_leaves_out_what_is_left_out():
    assert identity("c", {"a": None}) == identity("c", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": False}, {}),
        ({"a": 1}, {"a": "1"}),
        ({"a": (1,)}, {"a": 1}),
        ({"a": "None"}, {"a": None}),
        ({"a": math.nan}, {"a": math.inf}),
        ({"a": math.nan}, {"a": "NaN"}),
        ({"a": (True,)}, {"a": (1,)}),
    ],
)
def test_an_identity_differs_where_a_script_may_see_a_difference(one, other):
    assert identity("c", one) != identity("c", other)


def test_an_identity_depends_on_the_command():
    assert identity("a", {}) != identity("b", {})


@given(st.dictionaries(st.text(), st.integers() | st.floats() | TEXTS | st.booleans() | st.none()))
def test_an_identity_survives_a_round_trip_through_json(hparams):
    digest = identity("c", hparams)
    assert digest == identity("c", json.loads(json.dumps(hparams)))
    assert len(digest) == 12


@pytest.mark.parametrize(
    ("default", "value", "same"),
    [(0.0, 0, True), (0, False, False), ([1, 2], (1, 2.0), True), ("a", "b", False)],
)
def test_a_default_is_compared_as_values_are(default, value, same):
    identity = Identity(defaults={"x": default})
    assert (identity.of("c", {"x": value}) == identity.of("c", {})) is same


def test_ignored_names_never_count_and_cmd_only_if_named():
    assert Identity(frozenset({"w"})).of("a", {"w": 1}) == Identity().of("a", {})
    assert Identity(frozenset({"w"})).of("a", {}) != Identity(frozenset({"w"})).of("b", {})
    assert Identity(frozenset({"CMD"})).of("a", {}) == Identity(frozenset({"CMD"})).of("b", {})
