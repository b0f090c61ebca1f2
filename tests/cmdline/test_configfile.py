"""What a script reads instead of words."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runx.cmdline.configfile import config_text, environment, nested
from runx.cmdline.styles import Style
from runx.errors import SweepError
from runx.language.yamltext import parse, plain
from runx.types import Hparam, Point

ENV = Style("env", "json", "value", "HP_")


def point(**values: object) -> Point:
    return Point(
        tuple(Hparam(name.replace("__", "."), value, str(value)) for name, value in values.items())  # type: ignore[arg-type]
    )


def test_a_name_that_is_both_a_value_and_a_mapping_is_refused():
    with pytest.raises(SweepError, match=r"opt\.lr is both a value and a mapping"):
        nested(point(opt="sgd", opt__lr=0.1))
    with pytest.raises(SweepError, match="opt is both a value and a mapping"):
        nested(point(opt__lr=0.1, opt="sgd"))


def test_two_parameters_that_would_be_one_variable_are_refused():
    with pytest.raises(SweepError, match=r"a\.b and a_b would both be HP_A_B"):
        environment(point(a__b=1, a_b=2), ENV)


def test_what_is_left_out_is_in_neither():
    left_out = Point((Hparam("a", None, None),))
    assert nested(left_out) == {}
    assert environment(left_out, ENV) == {}


def test_variables_hold_values_as_text():
    given_values = Point(
        (
            Hparam("lr", 0.001, "1e-3"),
            Hparam("amp", False, None),
            Hparam("sizes", (1, "a"), ("1", "a")),
            Hparam("out-dir", "LOGDIR/x", "LOGDIR/x"),
        )
    )
    assert environment(given_values, ENV) == {
        "HP_LR": "1e-3",
        "HP_AMP": "false",
        "HP_SIZES": '[1, "a"]',
        "HP_OUT_DIR": "LOGDIR/x",
    }
    assert "HP_AMP" not in environment(given_values, ENV._replace(bool="flag"))


def test_logdir_is_a_directory_in_the_file():
    assert yaml.safe_load(config_text(point(out="LOGDIR/x"), "/a b")) == {"out": "/a b/x"}


texts = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["no", "1e-3", "4:00:00", "2026-02-06", "null", "~", "0o17", "=", "<<", "1_000", ".inf"]
)
scalars = st.integers() | st.floats() | st.booleans() | texts
names = st.text("abn01.- yo", min_size=1).filter(lambda name: "" not in name.split("."))


@given(st.dictionaries(names, scalars | st.lists(scalars).map(tuple), max_size=5))
def test_the_file_is_read_back_with_every_type_by_yaml_1_1_and_1_2(values):
    made = Point(tuple(Hparam(name, value, str(value)) for name, value in values.items()))
    try:
        tree = nested(made)
    except SweepError:
        return
    written = config_text(made, "LOGDIR")
    assert same(yaml.safe_load(written), tree)
    if tree:
        assert same(plain(parse(written, "x").tree), tree)


def same(read: object, value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(read, dict) and list(read) == list(value) and all(
            same(read[key], value[key]) for key in value
        )  # fmt: skip
    if isinstance(value, tuple):
        return isinstance(read, list) and len(read) == len(value) and all(map(same, read, value))
    if isinstance(value, float):
        assert isinstance(read, float)
        return read == value or (math.isnan(value) and math.isnan(read))
    return type(read) is type(value) and read == value
