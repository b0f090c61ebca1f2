"""runx status on a real terminal: it fits the width, shows what runs take, and q ends --watch."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest


@pytest.fixture
def typed(project):
    """Run runx on a terminal of some columns; type keys once a text is shown; return all of it."""

    def shown(columns, *words, until="", keys=b""):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {k: v for k, v in project.environment.items() if k != "COLUMNS"}
        child = subprocess.Popen(
            ["runx", *words],
            cwd=project.path,
            env={**environment, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        before = termios.tcgetattr(theirs)
        text, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                text += os.read(ours, 65536)
            elif child.poll() is not None:
                break
            if until and until.encode() in text:
                os.write(ours, keys)
                until = ""
        assert child.wait(10) in (0, 1)
        assert termios.tcgetattr(theirs) == before
        os.close(ours), os.close(theirs)
        return text.decode().replace("\r\n", "\n")

    return shown


@pytest.fixture
def launched(project):
    project.write("train.py", "open('big', 'w').write('x' * 3_000_000)\nraise SystemExit(3)\n")
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: [1, 2], deep.er: [x, yy]}\n")
    project.runx("sweep.yml", "-i", status=1)
    return project


@pytest.mark.parametrize("columns", [30, 50, 80, 200])
def test_status_fits_the_width_and_keeps_what_matters_most(launched, typed, columns):
    lines = typed(columns, "status", "sweep").splitlines()
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= columns
    assert table[0].split()[0] == "run"
    assert ("where" in table[0]) == (columns == 200)
    assert "state" in table[0] or columns == 30


def test_what_was_asked_for_is_never_left_out(launched, typed):
    assert "disk" in typed(60, "status", "sweep", "--disk").splitlines()[0].split()


def test_what_no_terminal_reads_is_whole(launched):
    assert "where" in launched.runx("status", "sweep", status=1).stdout


def test_what_runs_take_on_disk_is_shown_when_it_is_asked_for(launched):
    shown = launched.runx("status", "sweep", "--disk", status=1).stdout
    assert "disk" in shown.splitlines()[0] and "MB" in shown
    runs = json.loads(launched.runx("status", "sweep", "--disk", "--json", status=1).stdout)
    assert all(3_000_000 < run["disk"] < 4_000_000 for run in runs)
    assert "MB" in launched.runx("status", "--disk", status=1).stdout
    assert "disk" not in launched.runx("status", "sweep", status=1).stdout.splitlines()[0]


@pytest.mark.parametrize("words", [("status", "sweep"), ("status",)])
def test_q_ends_the_watching_at_once_and_other_keys_do_not(launched, typed, words):
    begin = time.monotonic()
    typed(80, *words, "--watch", "50", until="4", keys=b"xyq")
    assert time.monotonic() - begin < 30
