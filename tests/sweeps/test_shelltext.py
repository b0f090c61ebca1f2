"""Commands as a real bash reads them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.sweeps.shelltext import is_simple, pieces, place, quote, variable, with_logdir

NO_NUL = st.text(st.characters(blacklist_characters="\0", codec="utf-8"))
BYTES = st.binary().map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
SHOW = "printf '%s\\0' "


def shown(script: str, **environment: str) -> list[str]:
    """Return the words that bash makes of a script's arguments."""
    done = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=script.encode("utf-8", "surrogateescape"),
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@settings(max_examples=60)
@given(st.lists(NO_NUL | BYTES, min_size=1, max_size=8))
def test_any_word_comes_out_of_a_shell_as_it_went_in(words):
    line = SHOW + " ".join(map(quote, words))
    assert "\n" not in line
    assert shown(line) == words


PATHS = ["/logs/run", "/it's here", '/a "b" $HOME `id` \\ c', "/new\nline", "/ü", "/!x"]

# What bash is given, and what it is to make of it where LOGDIR is a path.
COMMANDS = [
    ("LOGDIR", "{}"),
    ("LOGDIR/x", "{}/x"),
    ('"LOGDIR/x y"', "{}/x y"),
    ("'LOGDIR/x y'", "{}/x y"),
    ("$'LOGDIR\\tx'", "{}\tx"),
    ("'it'\\''s LOGDIR'", "it's {}"),
    ('"\\"LOGDIR"', '"{}'),
    ('"$(echo "LOGDIR")"', "{}"),
    ("\"$(echo 'LOGDIR')\"", "{}"),
    ('"${unset:-LOGDIR}"', "{}"),
    ("x=LOGDIR", "x={}"),
    ("a-LOGDIR", "a-{}"),
    ("x # it's a remark\nprintf '%s' LOGDIR", "x\0{}"),
    ("MYLOGDIR LOGDIR_X LOGDIR2", "MYLOGDIR\0LOGDIR_X\0LOGDIR2"),
    ("$LOGDIR ${LOGDIR} \"$LOGDIR\" '$LOGDIR'", "env\0env\0env\0$LOGDIR"),
    ("\\LOGDIR", "LOGDIR"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("command", "meant"), COMMANDS)
def test_logdir_is_the_directory_whatever_quotes_it_stands_in(command, meant, path):
    script = SHOW + with_logdir(command, place(path)) + "; printf '\\0'"
    assert "\0".join(shown(script, LOGDIR="env")).rstrip("\0") == meant.replace("{}", path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("command", "meant"), COMMANDS)
def test_logdir_is_the_variable_whatever_quotes_it_stands_in(command, meant, path):
    script = SHOW + with_logdir(command, variable("D")) + "; printf '\\0'"
    assert "\0".join(shown(script, LOGDIR="env", D=path)).rstrip("\0") == meant.replace("{}", path)


@given(st.text("LOGDIR$'\"\\`(){}# \nab"))
def test_cutting_a_command_loses_nothing(command):
    assert "LOGDIR".join(piece.text for piece in pieces(command)) == command


@pytest.mark.parametrize(
    "command",
    [
        "python train.py",
        "python 'a;b' \"c && d\" --x=1",
        "/opt/bin/python3.11 -u train.py",
        "torchrun --nproc_per_node=2 train.py",
        "python 'it'\"'\"'s'",
    ],
)
def test_one_program_with_its_arguments_may_be_executed(command):
    assert is_simple(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "cd x && python train.py",
        "python a.py; python b.py",
        "python a.py | tee log",
        "A=1 python train.py",
        "'python' train.py",
        "source env.sh",
        "time python train.py",
        "module load x",
        "(python train.py)",
        "python train.py &",
        "python train.py\npython eval.py",
        "$RUNNER train.py",
        "python train.py $(cat flags)",
        "! python train.py",
        "if true",
        "python train.py # note",
    ],
)
def test_anything_else_is_left_to_the_shell(command):
    assert not is_simple(command)
