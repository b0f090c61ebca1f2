"""Random commands around a program that prints its arguments, executed by real shells."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runx.rundir.argv import arguments, shell_command
from runx.rundir.logdir import Logdir
from runx.rundir.placement import refusal
from runx.sweeps.values import Hparam, Point

PIECES = ["$(touch PWNED)", "`touch PWNED`", "'", '"', "\\", "$", "\n", " ", "a", ";", "é", "${x}"]
PIECES += ["#", "!", "*", "~", "{a,b}", "{x}", "-c", "&", "|", ">f", "(", "=", "-", "LOGDIR", "\t"]
VALUES = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
WORDS = st.sampled_from(["{x}", "a{x}b", '"{x}"', "'p {x}'", "--k={x}", "{y}", "{args}", "plain"])
SHELLS = ["bash -c", "sh -c", "bash -ec", "env A=1 sh -c", "eval"]
AROUND = ["({})", "if true; then {}; fi", "for i in 1; do {}; done", "{{ {}; }} >/dev/null"]


def single(text):
    return "'" + text.replace("'", "'\\''") + "'"


def double(text):
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


def one(words):
    return " ".join(["show", *words]), [tuple(words)]


def larger(commands):
    """Return commands made of others: a text, and the words of each show in it."""
    joined = st.tuples(commands, st.sampled_from([" && ", "; ", "\n", " | cat; "]), commands)
    wrapped = st.tuples(st.sampled_from(AROUND), commands)
    inner = st.tuples(st.sampled_from(SHELLS), st.sampled_from([single, double]), commands)
    return st.one_of(
        joined.map(lambda made: (made[0][0] + made[1] + made[2][0], made[0][1] + made[2][1])),
        wrapped.map(lambda made: (made[0].format(f" {made[1][0]}"), made[1][1])),
        inner.map(lambda made: (f"{made[0]} {made[1](made[2][0])}", made[2][1])),
    )


COMMANDS = st.recursive(st.lists(WORDS, min_size=1, max_size=3).map(one), larger, max_leaves=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("shown")
    (made / "show.py").write_text(
        "import os, sys\n"
        "words = [os.fsencode(word) + b'\\0' for word in sys.argv[1:]]\n"
        "os.write(3, b''.join(words) + b'\\1')\n"
    )
    (made / "show").write_text(f'#!/bin/sh\nexec {sys.executable} -S "{made}/show.py" "$@"\n')
    (made / "show").chmod(0o755)
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(COMMANDS, VALUES, VALUES, VALUES, st.booleans())
def test_values_arrive_in_any_command(folder, command, x, y, other, is_variable):
    cmd, calls = command
    placed = [
        Hparam(name, text, text) for name, text in (("x", x), ("y", y)) if f"{{{name}}}" in cmd
    ]
    point = Point((*placed, Hparam("o", other, other)))
    if refusal(cmd, tuple(each.name for each in point.hparams)):
        cmd, calls = f"{cmd}\nshow {{args}}", [*calls, ("{args}",)]
    elif "{args}" not in cmd:
        calls = [*calls[:-1], (*calls[-1], "{args}")]
    here = Logdir.at("/log d")
    values = {"x": here.in_value(x), "y": here.in_value(y)}
    args = here.in_value(arguments(point, cmd=cmd))
    meant = [
        tuple(
            text for word in call for text in (args if word == "{args}" else [_meant(word, values)])
        )
        for call in calls
    ]
    line = shell_command(cmd, point, Logdir.as_variable() if is_variable else here)
    assert _shown(folder, line) == meant
    assert not (folder / "PWNED").exists()


def _meant(word, values):
    return re.sub(r"\{(\w)\}", lambda match: values[match[1]], word.strip("\"'"))


def _shown(folder, line):
    output = folder / "output"
    output.write_bytes(b"")
    subprocess.run(
        ["bash", "--norc", "-c", f"exec 3>>{output}\n{line}"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "RUNX_LOGDIR": "/log d", "LC_ALL": "C.UTF-8"},
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=30,
    )
    return [tuple(call.split("\0")[:-1]) for call in output.read_text().split("\1")[:-1]]
