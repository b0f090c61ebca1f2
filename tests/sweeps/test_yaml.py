"""YAML files as people write them, and the errors of those that can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SettingsError
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import Document, parse, parse_value, plain, read, texts


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(text, "sweep.yml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sweep.yml: is empty"),
        ("# only a comment\n", "sweep.yml: is empty"),
        ("---\n", "sweep.yml: is empty"),
        ("- a\n- b\n", "sweep.yml:1: not a mapping"),
        ("just words", "sweep.yml:1: not a mapping"),
        ("a: 1\nb:\n\tc: 2\n", "sweep.yml:3: line 3 is indented by a tab; use spaces"),
        ("a: 1\nb:\n  c: 1\n \td: 2\n", "sweep.yml:4: line 4 is indented by a tab"),
        ("a: [1, 2\nb: 3\n", "sweep.yml:2: not YAML: "),
        ("a: 'x\n", "sweep.yml:"),
        ("a: 1\n  b: 2\n", "sweep.yml:2: not YAML: mapping values are not allowed"),
        ("a: 1\n---\nb: 2\n", "sweep.yml:3: a second document"),
        ("a: 1\nb: 2\na: 3\n", "sweep.yml:3: a was given on line 1 already"),
        ("a:\n  b: 1\n  b: 2\n", "sweep.yml:3: b was given on line 2 already"),
        ("1: a\n'1': b\n", "sweep.yml:2: 1 was given on line 1 already"),
        ("? [a]\n: 1\n", "sweep.yml:1: a key must be a word"),
        ("'': 1\n", "sweep.yml:1: a key is empty"),
        ("a: !!python/object:os.system x\n", "sweep.yml:1: `x` can't be tagged !!python/object"),
        ("a: !!set {x, y}\n", "sweep.yml:1: the tag !!set means nothing here"),
        ("a: !!int x\n", "sweep.yml:1: `x` can't be tagged !!int"),
        ("a: !mine 1\n", "sweep.yml:1: `1` can't be tagged !mine"),
        ("a: &x [*x]\n", "sweep.yml:1: an alias (*) inside its own anchor"),
        ("a: &x\n  <<: *x\n", "sweep.yml:1: an alias (*) inside its own anchor"),
        ("a: *nowhere\n", "sweep.yml:1: not YAML: "),
        ("<<: 3\n", "sweep.yml:1: `<<` takes a mapping"),
        ("a: \x07\n", "sweep.yml: not YAML: "),
        ("a: \udcff\n", "sweep.yml:1: not Unicode"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "sweep.yml:1: nested more than 100 deep"),
        ("a: " + "[" * 101, "sweep.yml:1: nested more than 100 deep"),
        ("- " * 5000, "sweep.yml:1: nested more than 100 deep"),
        ("a: 1\nb: " + "{a: " * 2000, "sweep.yml:2: nested more than 100 deep"),
        ("a: [" + "[], " * 200 + "}", "sweep.yml:1: not YAML: while parsing a flow node"),
    ],
)
def test_what_cannot_be_read_is_refused_on_one_line_that_says_where(text, message):
    assert refusal(text).startswith(message)


def test_a_bomb_of_aliases_is_refused():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases repeat more than" in refusal("\n".join(levels))


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"no\.yml: no such file"):
        read(tmp_path / "no.yml")


def test_a_directory_is_not_read(tmp_path: Path):
    with pytest.raises(SettingsError, match="is a directory; name a YAML file"):
        read(tmp_path)


def test_bytes_that_are_no_utf_8_are_refused_with_their_line(tmp_path: Path):
    (tmp_path / "sweep.yml").write_bytes(b"a: 1\nb: \xe9t\xe9\n")
    with pytest.raises(SettingsError, match=r"sweep\.yml:2: not UTF-8"):
        read(tmp_path / "sweep.yml")


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path: Path):
    (tmp_path / "sweep.yml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    document = read(tmp_path / "sweep.yml")
    assert plain(document.tree) == {"a": 1, "b": "x"}
    assert document.at("b") == f"{tmp_path}/sweep.yml:2"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("+5", 5),
        ("-.5", -0.5),
        ("5.", 5.0),
        (".", "."),
        ("-.inf", float("-inf")),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("Null", None),
        ("", None),
        ("None", "None"),
        ("no", "no"),
        ("yes", "yes"),
        ("2026-02-06", "2026-02-06"),
        ("4:00:00", "4:00:00"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("!!int '3'", 3),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        (">-\n  two\n  lines\n", "two lines"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text, value):
    scalar = parse(f"a: {text}\n", "x").tree["a"]
    assert isinstance(scalar, Scalar)
    assert scalar.value == value
    assert type(scalar.value) is type(value)


def test_a_number_keeps_the_text_that_it_has_in_the_file():
    document = parse("a: [1e-3, 010, 0x1F, 1.0, 1.50]", "x")
    assert texts(document.tree) == {"a": ["1e-3", "010", "0x1F", "1.0", "1.50"]}


def test_words_that_were_truth_values_draw_a_warning_unless_quoted():
    document = parse("a: no\nb: 'no'\nc: [On]\nno: 1\n", "sweep.yml")
    assert document.warnings == (
        "sweep.yml:1: `no` is text here; quote it, or write false",
        "sweep.yml:3: `On` is text here; quote it, or write true",
    )


def test_keys_that_look_like_numbers_are_text():
    assert plain(parse("1: a\ntrue: b\n", "x").tree) == {"1": "a", "true": "b"}


def test_merged_keys_come_first_and_give_way_to_the_mappings_own():
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\na:\n  y: 5\n  <<: [*b, *m]\n"
    merged = plain(parse(text, "x").tree)["a"]
    assert merged == {"x": 1, "y": 5, "z": 4}


def test_an_aliased_value_may_be_used_again_and_has_a_line_at_each_use():
    document = parse("a: &v\n- 1\n- 2\nb: *v\n", "x")
    assert plain(document.tree) == {"a": [1, 2], "b": [1, 2]}
    assert document.at("b") == "x:4"


def test_a_place_without_a_line_is_the_nearest_around_it():
    document = parse("a:\n  b: 1\n", "x")
    assert document.at("a", "missing") == "x:1"
    assert document.at("missing") == "x"
    assert document.at() == "x"


def test_a_value_from_the_command_line_may_be_any_yaml():
    assert plain(parse_value("{choice: [sgd, adam]}", "x")) == {"choice": ["sgd", "adam"]}
    assert parse_value("", "x") == Scalar(None, "")


@given(st.text())
def test_any_text_is_parsed_or_refused_on_one_line(text):
    try:
        document = parse(text, "sweep.yml")
    except SettingsError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(document, Document)


@given(st.recursive(st.integers() | st.booleans() | st.none() | st.text("ab'\"\\ #:-"), st.lists))
def test_json_reads_back_as_itself(value):
    import json

    assert plain(parse(json.dumps({"a": value}), "x").tree) == {"a": value}
