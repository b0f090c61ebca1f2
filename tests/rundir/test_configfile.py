"""The configuration file of a run, read back by the libraries that scripts use."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.rundir.configfile import config_text, nested
from runx.rundir.logdir import Logdir
from runx.rundir.styles import FILE
from runx.sweeps.values import Hparam, Point
from runx.sweeps.yaml import parse, plain

HERE = Logdir.at("/a b")


def point(values: dict[str, object]) -> Point:
    return Point(tuple(Hparam(name, value, str(value)) for name, value in values.items()))  # type: ignore[arg-type]


def test_a_name_that_is_both_a_value_and_a_mapping_is_refused():
    with pytest.raises(SweepError, match=r"opt\.lr is both a value and a mapping"):
        config_text(point({"opt": "sgd", "opt.lr": 0.1}), HERE)
    with pytest.raises(SweepError, match="opt is both a value and a mapping"):
        config_text(point({"opt.lr": 0.1, "opt": "sgd"}), HERE)


def test_what_is_left_out_is_not_in_the_file():
    left_out = Point((Hparam("a", None, None),))
    assert config_text(left_out, HERE) == "{}\n"
    assert config_text(left_out, HERE, FILE._replace(none="value")) == "a: null\n"


def test_logdir_is_a_directory_in_the_file():
    assert yaml.safe_load(config_text(point({"out": "LOGDIR/x"}), HERE)) == {"out": "/a b/x"}


texts = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["no", "1e-3", "4:00:00", "2026-02-06", "null", "~", "0o17", "=", "<<", "1_000", ".inf"]
)
scalars = st.integers() | st.floats() | st.booleans() | texts
names = st.text("abn01.- yo", min_size=1).filter(lambda name: "" not in name.split("."))


@given(st.dictionaries(names, scalars | st.lists(scalars).map(tuple), max_size=5))
def test_the_file_is_read_back_with_every_type_by_yaml_1_1_and_1_2(values):
    random_point = Point(tuple(Hparam(name, value, str(value)) for name, value in values.items()))
    try:
        tree = nested({tuple(name.split(".")): value for name, value in values.items()})
    except SweepError:
        return
    written = config_text(random_point, Logdir.at("LOGDIR"))
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
