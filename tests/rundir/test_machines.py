"""Who a process is, and whether it lives: every cell of the tables."""

import os
import subprocess
import sys

import pytest

from runx.rundir.machines import (
    Machine,
    has_started,
    is_alive,
    is_process_alive,
    locality_of,
    start_time,
    this_machine,
    whoami,
)

HERE = Machine("box", "boot", "m" * 32, "pid:[1]", booted=100.0)
OTHER = "x" * 32


def process(**more):
    return {"host": "box", "boot": "boot", "machine": "m" * 32, "namespace": "pid:[1]", **more}


def of_old(**more):
    """A process as files of earlier layouts name it."""
    return {"host": "box", "boot": "boot", **more}


@pytest.mark.parametrize(
    "told, place",
    [
        (process(), "here"),
        (process(host="renamed"), "here"),  # A laptop that was given another name.
        (process(namespace="pid:[2]"), "beside"),  # A container that shares our host name.
        (process(namespace="pid:[2]", host="3f2a", machine=""), "beside"),
        (process(namespace=""), "beside"),
        (process(machine=OTHER), "here"),  # A boot id is one machine's.
        (process(boot="last"), "before"),
        (process(boot="last", namespace="pid:[2]"), "before"),
        (process(boot="last", machine=""), "before"),
        (process(boot="last", machine=OTHER), "elsewhere"),  # Two machines called localhost.
        (process(boot="last", machine="", host="node2"), "elsewhere"),
        (process(boot="last", host="old-name", time=99.0), "renamed"),
        # A machine from the same image: the process is younger than our boot.
        (process(boot="last", host="node2", time=101.0), "elsewhere"),
        (of_old(), "here"),
        (of_old(host="3f2a"), "beside"),
        (of_old(boot="last"), "before"),
        (of_old(boot="last", host="node2"), "elsewhere"),
        ({}, "elsewhere"),
    ],
)
def test_the_place_of_a_process(told, place):
    assert locality_of(told, HERE) == place


def test_without_a_boot_id_the_name_decides_as_before():
    nowhere = Machine("box", "")
    assert locality_of({"host": "box", "boot": ""}, nowhere) == "here"
    assert locality_of({"host": "other", "boot": ""}, nowhere) == "elsewhere"


def test_where_proc_is_that_of_another_namespace_no_number_is_believed():
    assert locality_of(process(namespace=""), HERE._replace(namespace="")) == "beside"


SIGNS = {"locked": False, "is_lock_global": True, "is_silent": True, "is_silent_since_boot": True}
"""All signs of a process that is dead."""


@pytest.mark.parametrize(
    "place, signs, alive",
    [
        ("here", {"sighted": True, **SIGNS}, True),
        ("here", {"sighted": False, **SIGNS}, False),
        ("here", {"sighted": None, **SIGNS}, False),
        ("here", {"sighted": None, **SIGNS, "locked": True}, True),
        ("here", {"sighted": None, **SIGNS, "locked": None}, None),
        ("beside", SIGNS, False),
        ("beside", {**SIGNS, "is_silent": False}, False),
        ("beside", {**SIGNS, "is_lock_global": False}, False),
        ("beside", {**SIGNS, "is_lock_global": False, "is_silent": False}, None),
        ("beside", {**SIGNS, "locked": True}, True),
        ("beside", {**SIGNS, "locked": None}, None),
        ("before", SIGNS, False),
        ("before", {}, False),
        ("before", {**SIGNS, "locked": True}, True),
        ("renamed", SIGNS, False),
        ("renamed", {**SIGNS, "is_silent_since_boot": False}, None),
        ("renamed", {**SIGNS, "locked": True}, True),
        ("elsewhere", SIGNS, None),
        ("elsewhere", {**SIGNS, "locked": True}, True),
    ],
)
def test_whether_a_process_lives(place, signs, alive):
    assert is_alive(place, **signs) is alive


def test_this_process_is_here_and_lives():
    assert locality_of(whoami(), this_machine()) == "here"
    assert is_process_alive(whoami(), this_machine()) is True
    assert is_process_alive({**whoami(), "start": 1}, this_machine()) is False


@pytest.mark.parametrize("pid", ["../../etc", None, [], 10**30, -1, 0, 1.5])
def test_a_damaged_number_of_a_process_is_nobodys(pid):
    assert is_process_alive({**whoami(), "pid": pid}, this_machine()) is False


def test_a_forked_process_is_another():
    read, write = os.pipe()
    whoami()
    if (child := os.fork()) == 0:
        os.write(write, str(whoami()["pid"] == os.getpid()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 9) == b"True"


def test_a_process_that_proc_hides_is_not_taken_for_dead(monkeypatch):
    if os.geteuid():
        pytest.skip("only root can become another user")
    child = subprocess.Popen(["sleep", "60"])
    started = start_time(child.pid)
    monkeypatch.setattr(sys.modules[has_started.__module__], "_read", lambda path: "")
    try:
        assert as_nobody(lambda: has_started(child.pid, started)) == "None"
    finally:
        child.kill()
        child.wait()
    assert as_nobody(lambda: has_started(child.pid, started)) == "False"


def as_nobody(work):
    """Call a function as another user, in a process of its own, and return its result as text."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setuid(65534)
            os.write(write, str(work()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return os.read(read, 99).decode()
