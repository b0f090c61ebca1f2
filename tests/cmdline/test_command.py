"""What a script is given for a point, checked with a real shell and a real argparse."""

from __future__ import annotations

import argparse
import math
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.cmdline.command import (
    arguments,
    identity,
    is_execable,
    script_command,
    shell_command,
    with_logdir,
    words,
)
from runx.types import Hparam, Point

BYTES = st.binary().map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
TEXTS = st.text(st.characters(blacklist_characters="\0", codec="utf-8")) | BYTES
SHOW = "printf '%s\\0'"


def shown(script: str, **environment: str) -> tuple[str, ...]:
    done = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=script.encode("utf-8", "surrogateescape"),
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=True,
    )
    return tuple(done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1])


def text(name: str, value: str) -> Hparam:
    return Hparam(name, value, value)


@pytest.mark.parametrize(
    ("hparam", "expected"),
    [
        (text("k", "-v"), ("--k=-v",)),
        (text("k", "-"), ("--k=-",)),
        (text("k", "--"), ("--k=--",)),
        (Hparam("k", -5, "-5"), ("--k", "-5")),
        (Hparam("k", -0.5, "-.5"), ("--k", "-.5")),
        (Hparam("k", -1e-3, "-1e-3"), ("--k=-1e-3",)),
        (Hparam("k", -math.inf, "-.inf"), ("--k=-.inf",)),
        (text("k", ""), ("--k", "")),
        (text("k", "a;b $(id)"), ("--k", "a;b $(id)")),
        (Hparam("k", True, None), ("--k",)),
        (Hparam("k", False, None), ()),
        (Hparam("k", None, None), ()),
        (Hparam("k", (), ()), ("--k",)),
        (Hparam("k", (1, "a b"), ("1", "a b")), ("--k", "1", "a b")),
        (text("optimizer.lr", "1e-3"), ("--optimizer.lr", "1e-3")),
    ],
)
def test_a_hyperparameter_is_told_in_words(hparam, expected):
    assert words(hparam) == expected


@pytest.mark.parametrize("value", ["-1", "-1.5", "-.5", "-1e-3", "-5.", "-.inf", "-x", "-", ""])
def test_argparse_reads_any_value_that_begins_with_a_dash(value):
    parser = argparse.ArgumentParser()
    parser.add_argument("--k")
    parser.add_argument("--x", "-x")
    assert parser.parse_args(list(words(text("k", value)))).k == value


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=6), st.sampled_from(["/logs/run", "/a b/it's"]))
def test_any_value_comes_out_of_a_shell_as_it_went_in(values, logdir):
    point = Point(tuple(text(f"k{i}", value) for i, value in enumerate(values)))
    expected = tuple(with_logdir(word, logdir) for word in arguments(point))
    command = shell_command(SHOW, point, logdir)
    assert "\n" not in command
    if values:
        assert shown(command) == expected
        assert shown(script_command(SHOW, point), RUNX_LOGDIR=logdir) == expected


@pytest.mark.parametrize("logdir", ["/logs/run", '/it\'s "here" $HOME', "/new\nline"])
def test_every_logdir_in_a_value_is_the_directory(logdir):
    point = Point((text("k", "LOGDIR/a b:xLOGDIRx'LOGDIR'"), Hparam("n", (1,), ("$LOGDIR",))))
    expected = ("--k", f"{logdir}/a b:x{logdir}x'{logdir}'", "--n", f"${logdir}")
    assert shown(shell_command(SHOW, point, logdir)) == expected
    assert shown(script_command(SHOW, point), RUNX_LOGDIR=logdir) == expected


def test_the_newline_that_ends_a_block_of_yaml_does_not_cut_off_the_words():
    point = Point((text("k", "v"),))
    assert shell_command("python train.py\n", point, "/x") == "python train.py --k v"


def test_logdir_in_cmd_is_replaced_as_its_quotes_ask():
    assert shell_command("x 'LOGDIR' LOGDIR", Point(()), "/a b") == "x '/a b' '/a b'"
    assert script_command("x 'LOGDIR' $LOGDIR", Point(())) == "x ''\"$RUNX_LOGDIR\"'' $LOGDIR"


def test_exec_may_precede_one_program_and_nothing_else():
    assert is_execable("python train.py\n")
    assert not is_execable("cd x; python train.py")


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
def test_an_identity_tells_apart_what_a_script_may_tell_apart(one, other):
    assert identity("c", one) != identity("c", other)


def test_an_identity_depends_on_the_command():
    assert identity("a", {}) != identity("b", {})


@given(st.dictionaries(st.text(), st.integers() | st.floats() | TEXTS | st.booleans() | st.none()))
def test_an_identity_survives_a_round_trip_through_json(hparams):
    import json

    found = identity("c", hparams)
    assert found == identity("c", json.loads(json.dumps(hparams)))
    assert len(found) == 12
