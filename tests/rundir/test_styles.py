"""The styles of arguments, each checked with the library that reads it."""

from __future__ import annotations

import argparse
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SettingsError, SweepError
from runx.rundir.spelling import joined
from runx.rundir.styles import STYLES, Style, of_config, style_of, words
from runx.sweeps.values import Hparam
from runx.sweeps.yaml import parse

ONE_TWO = Hparam("k", (1, 2), ("1", "2"))
HYDRA = Style("hydra", "", "value", "")
EQUALS = Style("equals", "json", "value", "--")


def read(text: str) -> Style:
    document = parse(text, "sweep.yml")
    return style_of(document.tree, document.at)


def text(name: str, value: str) -> Hparam:
    return Hparam(name, value, value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("styl: dashes", "sweep.yml:1: ARGS: styl is unknown: did you mean style?"),
        ("style: dash", "sweep.yml:1: ARGS: dash is no style: did you mean dashes?"),
        ("style: [equals]", "sweep.yml:1: ARGS: style takes a word"),
        ("style: equals\nlist: space", "sweep.yml:2: ARGS: list: space: equals takes one of comma"),
        ("style: hydra\nlist: comma", "sweep.yml:2: ARGS: list: comma: hydra takes no such key"),
        ("style: env\nbool: no-flag", "sweep.yml:2: ARGS: bool: no-flag: env takes one of"),
        ("list: commas", "sweep.yml:1: ARGS: list: commas: dashes takes one of space, comma"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(settings, message):
    with pytest.raises(SettingsError) as caught:
        read(settings)
    assert str(caught.value).startswith(message)


def test_a_list_that_would_be_read_otherwise_is_refused():
    with pytest.raises(SweepError, match=r"k has an item with ',' in it: 'a,b'; use list"):
        words(Hparam("k", ("a,b",), ("a,b",)), Style(list="comma"))
    with pytest.raises(SweepError, match="k is a list; say how it is written"):
        words(Hparam("k", (1,), ("1",)), read("style: equals"))


@pytest.mark.parametrize(
    ("style", "hparam", "expected"),
    [
        ("list: comma", Hparam("k", (1, 2), ("1", "2")), ("--k", "1,2")),
        ("list: repeat", Hparam("k", (1, -2), ("1", "-2")), ("--k", "1", "--k", "-2")),
        ("list: json", Hparam("k", (1, "a"), ("1", "a")), ("--k", '[1, "a"]')),
        ("bool: value", Hparam("k", False, None), ("--k", "False")),
        ("bool: no-flag", Hparam("k", False, None), ("--no-k",)),
        ("bool: no-flag", Hparam("k", True, None), ("--k",)),
        ("prefix: '-'", Hparam("k", 1, "1"), ("-k", "1")),
        ("style: equals", Hparam("k", 1, "1"), ("--k=1",)),
        ("style: equals", Hparam("k", True, None), ("--k",)),
        ("style: equals", Hparam("k", False, None), ()),
        ("{style: equals, bool: value}", Hparam("k", False, None), ("--k=False",)),
        ("{style: equals, list: repeat}", Hparam("k", (1, 2), ("1", "2")), ("--k=1", "--k=2")),
        ("style: hydra", Hparam("k", None, None), ()),
        ("{style: hydra, prefix: ++}", Hparam("k.x", 1, "1"), ("++k.x=1",)),
        ("prefix: '-p '", Hparam("k", 1, "1"), ("-p", "k", "1")),
        ("prefix: '-p '", Hparam("k", -1e-3, "-1e-3"), ("-p", "k", "-1e-3")),
        ("{prefix: '-p ', list: repeat}", ONE_TWO, ("-p", "k", "1", "-p", "k", "2")),
        ("{prefix: '-p ', bool: value}", Hparam("k", False, None), ("-p", "k", "False")),
        ("{style: hydra, prefix: 'with '}", Hparam("k", 1, "1"), ("with", "k=1")),
        ("{style: equals, prefix: '-o '}", Hparam("k", "a b", "a b"), ("-o", "k=a b")),
        ("none: value", Hparam("k", None, None), ("--k", "None")),
        ("{style: hydra, none: value}", Hparam("k", None, None), ("k=null",)),
        ("{style: equals, none: value}", Hparam("k", None, None), ("--k=None",)),
        ("list: python", Hparam("k", ("a", None), ("a", "null")), ("--k", "['a', None]")),
        ("list: json", Hparam("k", ("é\x85𝄞",), ("?",)), ("--k", '["é\\u0085𝄞"]')),
        ("{}", Hparam("k", (True, None), ("true", "null")), ("--k", "True", "None")),
        ("{}", Hparam("k", (1, (2, "a")), ("1", "[2,a]")), ("--k", "1", '[2, "a"]')),
        ("{}", Hparam("k", (-1e-05, -5.0), ("-1e-5", "-5.")), ("--k", "-0.00001", "-5")),
        ("{}", Hparam("k", ("-v",), ("-v",)), ("--k=-v",)),
        ("{}", Hparam("k", math.inf, ".inf"), ("--k", "inf")),
        ("{}", Hparam("k", ".inf", ".inf"), ("--k", ".inf")),
        ("style: file", Hparam("k", 1, "1"), ()),
        ("style: env", Hparam("k", 1, "1"), ()),
    ],
)  # fmt: skip
def test_each_style_has_its_words(style, hparam, expected):
    assert words(hparam, read(style)) == expected


@pytest.mark.parametrize(
    "value", [(1, "-v"), ("a", "--"), (1, "-1e-5"), (1, -math.inf), (1, "-1_0"), ("-", "-x y")]
)
def test_a_list_that_argparse_would_not_take_is_refused(value):
    with pytest.raises(SweepError, match="use list: comma, repeat, json or python"):
        words(Hparam("k", value, tuple(map(str, value))))


def test_a_config_decides_the_format_and_gives_null():
    assert of_config(read("style: file"), "json", ["style"]).format == "json"
    assert of_config(read("{style: file, none: omit}"), "json", ["none"]).none == "omit"
    assert of_config(read("style: dashes"), "json", []).none == "omit"
    with pytest.raises(SettingsError, match="format: toml: CONFIG is yaml; leave format out"):
        of_config(read("{style: file, format: toml}"), "yaml", ["format"])


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_leaves_out_what_is_left_out(style):
    assert words(Hparam("k", None, None), Style(style)) == ()


# argparse drops "--" wherever it stands.
@given(st.text().filter(lambda text: text != "--"))
def test_argparse_reads_any_text_of_the_equals_style(value):
    parser = argparse.ArgumentParser()
    parser.add_argument("--k")
    args = parser.parse_args(list(words(text("k", value), EQUALS)))
    assert args.k == value


scalars = st.integers() | st.floats() | st.booleans() | st.text()


@given(st.lists(scalars).map(tuple))
def test_json_holds_what_a_list_holds(value):
    written = joined(Hparam("k", value, tuple(map(str, value))), "json")
    assert repr(json.loads(written)) == repr(list(value))


hydra_values = scalars | st.lists(scalars | st.lists(scalars).map(tuple)).map(tuple)
TRICKY = st.text("\\'\"$ {}[]():=,a1.~#&*?-\n\t", max_size=8)


@given(hydra_values | TRICKY | TRICKY.map(lambda item: (item,)))
def test_hydra_reads_any_value_with_its_type(value):
    from runx.sweeps.scalars import value_text

    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
    config = pytest.importorskip("omegaconf").OmegaConf
    spelling = value if isinstance(value, str) else value_text(value)
    (word,) = words(Hparam("k", value, spelling), HYDRA)
    read = parser.OverridesParser.create().parse_override(word).value()
    read = config.to_container(config.create({"k": read}), resolve=True)["k"]
    assert same(read, value), word


def same(read: object, value: object) -> bool:
    if isinstance(value, tuple):
        return isinstance(read, list) and all(map(same, read, value)) and len(read) == len(value)
    if isinstance(value, float):
        assert isinstance(read, (int, float))
        return read == value or (math.isnan(value) and math.isnan(read))
    return type(read) is type(value) and read == value
