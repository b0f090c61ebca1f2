"""What a script is given for a point, checked with a real shell and a real argparse."""

from __future__ import annotations

import argparse
import math
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.rundir.argv import (
    arguments,
    environment,
    exports,
    is_execable,
    shell_command,
)
from runx.rundir.logdir import Logdir
from runx.rundir.styles import Style, words
from runx.sweeps.values import Hparam, Point

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
        (Hparam("k", -math.inf, "-.inf"), ("--k=-inf",)),
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
def test_a_hyperparameter_becomes_words(hparam, expected):
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
    expected = tuple(Logdir.at(logdir).in_value(arguments(point)))
    line = shell_command(SHOW, point, Logdir.at(logdir))
    assert "\n" not in line
    if values:
        assert shown(line) == expected
        assert (
            shown(shell_command(SHOW, point, Logdir.as_variable()), RUNX_LOGDIR=logdir) == expected
        )


@pytest.mark.parametrize("logdir", ["/logs/run", '/it\'s "here" $HOME', "/new\nline"])
def test_every_logdir_in_a_value_is_the_directory(logdir):
    point = Point((text("k", "LOGDIR/a b:xLOGDIRx'LOGDIR'"), Hparam("n", (1,), ("$LOGDIR",))))
    expected = ("--k", f"{logdir}/a b:x{logdir}x'{logdir}'", "--n", f"${logdir}")
    assert shown(shell_command(SHOW, point, Logdir.at(logdir))) == expected
    assert shown(shell_command(SHOW, point, Logdir.as_variable()), RUNX_LOGDIR=logdir) == expected


def test_the_newline_that_ends_a_block_of_yaml_does_not_cut_off_the_words():
    point = Point((text("k", "v"),))
    assert shell_command("python train.py\n", point, Logdir.at("/x")) == "python train.py --k v"


def test_logdir_in_cmd_is_replaced_as_its_quotes_ask():
    here = Logdir.as_variable()
    assert shell_command("x 'LOGDIR' LOGDIR", Point(()), Logdir.at("/a b")) == "x '/a b' '/a b'"
    assert shell_command("x 'LOGDIR' $LOGDIR", Point(()), here) == "x ''\"$RUNX_LOGDIR\"'' $LOGDIR"


def test_the_environment_is_set_before_the_command_that_reads_it():
    point, style = Point((text("out", "LOGDIR/a b"),)), Style("env", "json", "value", "HP_")
    assert shell_command("train", point, Logdir.at("/x"), style) == "export HP_OUT=/x'/a b'; train"
    assert exports(point, Logdir.as_variable(), style) == ["HP_OUT=\"$RUNX_LOGDIR\"'/a b'"]
    assert shell_command("train", Point(()), Logdir.at("/x"), style) == "train"
    assert shell_command("train", point, Logdir.at("/x"), style, exported=True) == "train"


def test_exec_may_precede_one_program_and_nothing_else():
    assert is_execable("python train.py\n")
    assert not is_execable("cd x; python train.py")


ENV = Style("env", "json", "value", "HP_")


def point(**values: object) -> Point:
    return Point(
        tuple(Hparam(name.replace("__", "."), value, str(value)) for name, value in values.items())  # type: ignore[arg-type]
    )


def test_two_parameters_that_would_be_one_variable_are_refused():
    with pytest.raises(SweepError, match=r"a\.b and a_b would both be HP_A_B"):
        environment(point(a__b=1, a_b=2), ENV)


def test_what_no_variable_is_called_is_refused():
    with pytest.raises(SweepError, match="1x would be '1X', which no variable is called"):
        environment(Point((text("1x", "a"),)), ENV._replace(prefix=""))


def test_none_is_a_value_where_it_is_asked_for():
    none = Point((Hparam("a", None, None),))
    assert environment(none, ENV._replace(none="value")) == {"HP_A": "null"}


def test_what_is_left_out_is_no_variable():
    left_out = Point((Hparam("a", None, None),))
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
