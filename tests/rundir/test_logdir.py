"""LOGDIR in values, in words and in CMD, as a path and as run.sh's variable."""

import subprocess

import pytest

from runx.rundir.logdir import Logdir
from runx.rundir.paths import RunDir

PATHS = ["/logs/run", '/it\'s "here" $HOME', "/new\nline"]


def shown(script, logdir):
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": "/usr/bin:/bin", "RUNX_LOGDIR": logdir, "LOGDIR": "other"},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split("\0")[:-1]


def test_it_is_filled_in_wherever_it_stands_in_a_value():
    logdir = Logdir.at(RunDir("/r"))
    assert logdir.in_value(("LOGDIR/a", 1, ("xLOGDIR",))) == ["/r/a", 1, ["x/r"]]
    assert logdir.in_value({"a.LOGDIR": {"b": "LOGDIR"}, "c": None}) == {
        "a.LOGDIR": {"b": "/r"},
        "c": None,
    }


def test_a_variable_has_no_place_in_a_value():
    with pytest.raises(AssertionError):
        Logdir.as_variable().in_value("LOGDIR")


@pytest.mark.parametrize("path", PATHS)
def test_path_and_variable_are_the_same_to_a_shell(path):
    words = ["LOGDIR", "LOGDIR/a b:xLOGDIRx", "$LOGDIR", "", "it's"]
    expected = [word.replace("LOGDIR", path) for word in words]
    for logdir in (Logdir.at(path), Logdir.as_variable()):
        assert shown("printf '%s\\0' " + " ".join(map(logdir.in_word, words)), path) == expected


@pytest.mark.parametrize("path", PATHS)
def test_in_a_command_it_is_a_whole_word_that_no_dollar_precedes(path):
    cmd = "printf '%s\\0' LOGDIR \"LOGDIR/x\" 'LOGDIR' $LOGDIR ${LOGDIR} LOGDIRS MY_LOGDIR"
    expected = [path, f"{path}/x", path, "other", "other", "LOGDIRS", "MY_LOGDIR"]
    for logdir in (Logdir.at(path), Logdir.as_variable()):
        assert shown(logdir.in_command(cmd), path) == expected
