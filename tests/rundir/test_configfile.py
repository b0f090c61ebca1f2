"""The configuration file of a run, read back by the libraries that scripts use."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SettingsError, SweepError
from runx.rundir.configfile import config_file, config_text, nested, read_config
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


@pytest.mark.parametrize("format", ["json", "toml"])
def test_other_formats_hold_the_same(format):
    values = point({"opt.lr": 1e-05, "seed": 1, "opt.name": "no", "l": (1, "a"), "amp": True})
    written = config_text(values, HERE, FILE._replace(format=format))
    expected = {"opt": {"lr": 1e-05, "name": "no"}, "seed": 1, "l": [1, "a"], "amp": True}
    if format == "json":
        assert json.loads(written) == expected
    else:
        assert pytest.importorskip("tomlkit").parse(written).unwrap() == expected


def test_what_toml_cannot_hold_is_refused():
    pytest.importorskip("tomlkit")
    style = FILE._replace(format="toml", none="value")
    assert config_text(point({"a": None, "b": 1}), HERE, style) == "b = 1\n"
    with pytest.raises(SweepError, match=r"l: .*TOML can't hold it"):
        config_text(point({"l": (1, None)}), HERE, style)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' * 5000 + "1" + "}" * 5000,
        '{"a": ' * 200 + "1" + "}" * 200,
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_hostile_json_is_refused(text):
    with pytest.raises(SettingsError, match=r"x:?\d*: (nested more than|not JSON)"):
        config_file(text, "x", "json")


def test_a_config_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        read_config(tmp_path, "sweep.yml:1")
    (tmp_path / "c.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(SettingsError, match=r"c\.yaml:2: not UTF-8"):
        read_config(tmp_path / "c.yaml", "sweep.yml:1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\n", r"config\.yaml:2: not UTF-8; save the file as UTF-8"),
        (b"- a\n", r"config\.yaml:1: not a mapping; CONFIG takes one"),
        (b"# none\n", r"config\.yaml: is empty"),
        (None, r"x\.yml:3: CONFIG: .*config\.yaml: no such file"),
    ],
)
def test_a_file_that_holds_no_configuration_is_refused(tmp_path, content, message):
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        read_config(file, "x.yml:3")
