"""Every kind of value through the real parsers: it arrives as it was written, or is refused.

The rows of the table "Which ARGS for which parser" in docs/yaml.md are the cases here.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runx.config.hparams import axis_of
from runx.errors import SweepError
from runx.rundir.styles import Style, style_of, words
from runx.sweeps.axes import hparam
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import parse

Read = Callable[[list[str]], Any]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.sampled_from(
    [
        "",
        "-v",
        "--k",
        "-1e-5",
        "-",
        "a b",
        "'",
        '"',
        "a=b",
        "=",
        "\n",
        "é",
        "#x",
        "1",
        "None",
        "[1]",
    ]
)
floats = st.floats(width=64) | st.sampled_from([-1e-05, -1e300, -5e-324, math.inf, -math.inf])
integers = st.integers(-(2**63), 2**63)
optional = st.none() | floats


def style(text: str) -> Style:
    document = parse(f"ARGS: {text}", "sweep.yml").tree["ARGS"]
    assert isinstance(document, dict)
    return style_of(document, str)


def given_words(value: Any, args: str, name: str = "k") -> list[str]:
    """Return the words for a value that stands in a file, a list as one value."""
    node = axis_of(tuple(value) if isinstance(value, list) else value, "x")
    item = node if isinstance(node, (Scalar, dict)) else node[0]
    return list(words(hparam(name, item, str), style(args)))


def quietly(function: Callable[[], Any]) -> Any:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        return function()


def same(read: Any, value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(read) == len(value) and all(map(same, read, value))
    if isinstance(value, float) and math.isnan(value):
        return isinstance(read, float) and math.isnan(read)
    return type(read) is type(value) and bool(read == value)


def with_argparse(**kind: Any) -> Read:
    def read(argv: list[str]) -> Any:
        parser = argparse.ArgumentParser()
        parser.add_argument("--k", **kind)
        parser.add_argument("--other", "-o")
        return parser.parse_args(argv).k

    return read


def with_click(name: str = "--k", **kind: Any) -> Read:
    click = pytest.importorskip("click")

    def read(argv: list[str]) -> Any:
        option = click.Option([name], **kind)
        command = click.Command("x", params=[option], callback=lambda k: k)
        return command.main(argv, standalone_mode=False)

    return read


def with_tyro(kind: Any) -> Read:
    tyro = pytest.importorskip("tyro")

    def function(k: Any = False) -> Any:
        return k

    function.__annotations__ = {"k": kind}
    return lambda argv: tyro.cli(function, args=argv)


def with_jsonargparse(kind: Any) -> Read:
    jsonargparse = pytest.importorskip("jsonargparse")

    def read(argv: list[str]) -> Any:
        parser = jsonargparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("--k", type=kind)
        return parser.parse_args(argv).k

    return read


def with_absl(define: str) -> Read:
    flags = pytest.importorskip("absl.flags")

    def read(argv: list[str]) -> Any:
        values = flags.FlagValues()
        getattr(flags, f"DEFINE_{define}")("k", None, "k", flag_values=values)
        values(["x", *argv])
        return values.k

    return read


def with_fire() -> Read:
    fire = pytest.importorskip("fire")

    def read(argv: list[str]) -> Any:
        got = []
        fire.Fire(lambda k: got.append(k), command=argv, name="x")
        return got[0]

    return read


def with_transformers(kind: Any) -> Read:
    transformers = pytest.importorskip("transformers")
    from dataclasses import make_dataclass

    Arguments = make_dataclass("Arguments", [("k", kind)])
    return lambda argv: (
        transformers.HfArgumentParser(Arguments).parse_args_into_dataclasses(argv)[0].k
    )


LISTS = "list: space"
EQUALS = "style: equals"
JSONARGPARSE = "style: equals, list: json, bool: value, none: value"
FIRE = "style: equals, list: python, bool: value, none: value"
PYTHON = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda items: st.lists(items, max_size=3),
    max_leaves=5,
)
finite = floats.filter(math.isfinite)
no_dashes = texts.filter(lambda text: text != "--")

CASES: dict[str, tuple[Callable[[], Read], str, st.SearchStrategy[Any]]] = {
    "argparse, text": (with_argparse, "", no_dashes),
    "argparse, number": (lambda: with_argparse(type=float), "", floats),
    "argparse, integer": (lambda: with_argparse(type=int), "", integers),
    "argparse, flag": (lambda: with_argparse(action="store_true"), "", st.booleans()),
    "argparse, BooleanOptionalAction": (
        lambda: with_argparse(action=argparse.BooleanOptionalAction),
        "bool: no-flag",
        st.booleans(),
    ),
    "argparse, truth value": (
        lambda: with_argparse(type=lambda text: text == "True"), "bool: value", st.booleans(),
    ),
    "argparse, numbers": (
        lambda: with_argparse(type=float, nargs="+"), "", st.lists(finite, min_size=1),
    ),
    "argparse, any numbers": (lambda: with_argparse(type=float, nargs="*"), "", st.lists(finite)),
    "argparse, integers": (lambda: with_argparse(type=int, nargs="*"), "", st.lists(integers)),
    "argparse, texts": (lambda: with_argparse(nargs="*"), "", st.lists(no_dashes)),
    "argparse, append": (
        lambda: with_argparse(action="append"), "list: repeat", st.lists(no_dashes, min_size=1),
    ),
    "argparse, JSON": (lambda: with_argparse(type=json.loads), "list: json", st.lists(PYTHON)),
    "argparse, Python": (
        lambda: with_argparse(type=ast.literal_eval), "list: python", st.lists(PYTHON),
    ),
    "argparse, equals": (with_argparse, EQUALS, no_dashes),
    "click, text": (with_click, "", texts),
    "click, number": (lambda: with_click(type=float), "", floats),
    "click, integer": (lambda: with_click(type=int), "", integers),
    "click, flag": (lambda: with_click(name="--k/--no-k"), "bool: no-flag", st.booleans()),
    "click, truth value": (lambda: with_click(type=bool), "bool: value", st.booleans()),
    "click, multiple texts": (
        lambda: with_click(multiple=True), "list: repeat", st.lists(texts, min_size=1),
    ),
    "click, multiple numbers": (
        lambda: with_click(multiple=True, type=float), "list: repeat", st.lists(floats, min_size=1),
    ),
    "click, nargs": (
        lambda: with_click(nargs=2, type=float), "", st.lists(finite, min_size=2, max_size=2),
    ),
    "tyro, text": (lambda: with_tyro(str), "bool: no-flag", texts),
    "tyro, number": (lambda: with_tyro(float), "", floats),
    "tyro, integer": (lambda: with_tyro(int), "", integers),
    "tyro, flag": (lambda: with_tyro(bool), "bool: no-flag", st.booleans()),
    "tyro, None": (lambda: with_tyro(float | None), "none: value", optional),
    "tyro, numbers": (lambda: with_tyro(list[float]), "", st.lists(finite)),
    "tyro, truth values": (lambda: with_tyro(list[bool]), "", st.lists(st.booleans())),
    "tyro, texts": (lambda: with_tyro(list[str]), "", st.lists(texts)),
    "jsonargparse, text": (lambda: with_jsonargparse(str), JSONARGPARSE, texts),
    "jsonargparse, number": (lambda: with_jsonargparse(float), JSONARGPARSE, finite),
    "jsonargparse, integer": (lambda: with_jsonargparse(int), JSONARGPARSE, integers),
    "jsonargparse, truth value": (lambda: with_jsonargparse(bool), JSONARGPARSE, st.booleans()),
    "jsonargparse, numbers": (
        lambda: with_jsonargparse(list[float]), JSONARGPARSE, st.lists(finite),
    ),
    "jsonargparse, texts": (lambda: with_jsonargparse(list[str]), JSONARGPARSE, st.lists(texts)),
    "jsonargparse, truth values": (
        lambda: with_jsonargparse(list[bool]), JSONARGPARSE, st.lists(st.booleans()),
    ),
    "absl, string": (lambda: with_absl("string"), EQUALS, texts),
    "absl, float": (lambda: with_absl("float"), EQUALS, floats),
    "absl, integer": (lambda: with_absl("integer"), EQUALS, integers),
    "absl, bool": (lambda: with_absl("bool"), f"{EQUALS}, bool: value", st.booleans()),
    "absl, multi_string": (
        lambda: with_absl("multi_string"), f"{EQUALS}, list: repeat", st.lists(texts, min_size=1),
    ),
    "absl, multi_float": (
        lambda: with_absl("multi_float"), f"{EQUALS}, list: repeat", st.lists(floats, min_size=1),
    ),
    "fire, number": (with_fire, FIRE, finite.filter(lambda number: not number.is_integer())),
    "fire, integer": (with_fire, FIRE, integers),
    "fire, truth value": (with_fire, FIRE, st.booleans()),
    "fire, None": (with_fire, FIRE, st.none()),
    "fire, list": (with_fire, FIRE, st.lists(PYTHON)),
    "fire, word": (with_fire, FIRE, st.text("xyz/. é").map(lambda text: f"w{text}w")),
    "HfArgumentParser, text": (lambda: with_transformers(str), "bool: value", no_dashes),
    "HfArgumentParser, number": (lambda: with_transformers(float), "bool: value", floats),
    "HfArgumentParser, bool": (lambda: with_transformers(bool), "bool: value", st.booleans()),
    "HfArgumentParser, numbers": (
        lambda: with_transformers(list[float]), "bool: value", st.lists(finite, min_size=1),
    ),
    "HfArgumentParser, texts": (
        lambda: with_transformers(list[str]), "bool: value", st.lists(no_dashes, min_size=1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_value_arrives_or_is_refused(case):
    make, args, values = CASES[case]
    read = make()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values)
    def arrives(value: Any) -> None:
        try:
            argv = given_words(value, f"{{{args}}}")
        except SweepError as error:
            assert isinstance(value, list)
            assert "use list: comma" in str(error)
            return
        assert same(quietly(lambda: read(argv)), value), argv

    arrives()
