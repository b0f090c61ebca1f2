import os
import pty
import sys

import pytest

from runx.cli.progress import Below, Progress
from runx.local.gpus import Lease
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.paths import RunDir


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal of which what is drawn can be read."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    stderr = os.fdopen(slave, "w")

    class Terminal:
        def __enter__(self):
            # Only now: pytest has its own standard error for each phase of a test.
            monkeypatch.setattr("sys.stderr", stderr)
            return lambda: os.read(master, 65536).decode()

        def __exit__(self, *_):
            monkeypatch.undo()

    yield Terminal()
    stderr.close()
    os.close(master)


def task(tmp_path, name="owl"):
    run = RunDir(tmp_path / name)
    run.path.mkdir()
    return Task(run, 1)


def test_metrics_that_are_torn_or_not_there_are_no_matter(tmp_path, terminal):
    with terminal as drawn:
        bare, torn = task(tmp_path, "bare_2026.11.20_10.00"), task(tmp_path, "torn")
        torn.run.metrics.write_bytes(b"val,acc,1,epoch,1,timestamp,5\nval,acc,2,epoch,2,timesta")
        Progress(4, {}).tick([bare, torn], 2)
        assert drawn() == "0/4 done, 2 running | bare | torn ep 1 acc 1"


def test_what_is_left_is_reckoned_from_what_has_ended(tmp_path, terminal):
    with terminal as drawn:
        progress = Progress(4, {})
        one, two = task(tmp_path, "one"), task(tmp_path, "two")
        progress.ended(EndedAttempt(one, 1, 120.0), again=False)
        assert "one: exit status 1 after 2 min (1/4)" in drawn()
        progress.tick([two], 2)
        assert drawn().startswith("0/4 done, 1 failed, 1 running, about 5 min left | two")
        progress.ended(EndedAttempt(two, 0, 120.0), again=False)
        assert drawn().startswith("\r\x1b[K")


def test_nothing_is_drawn_while_nothing_runs(tmp_path, terminal):
    with terminal as drawn:
        Progress(4, {}).tick([], 4)
        with pytest.raises(BlockingIOError):
            drawn()


@pytest.fixture
def screen(terminal, monkeypatch, tmp_path):
    """What a terminal of 80 columns shows of what is written to it, line by line."""

    def lines(text):
        shown, at = [""], 0
        for piece in text.replace("\r\n", "\n").replace("\x1b", "\r\x1b").split("\r"):
            if piece.startswith("\x1b[K"):
                shown[at], piece = "", piece[3:]
            elif piece.startswith("\x1b[1A"):
                at, piece = at - 1, piece[4:]
            for number, line in enumerate(piece.split("\n")):
                if number:
                    at += 1
                    shown[at:] = [""] if at == len(shown) else shown[at:]
                shown[at] += line
        return [line for line in shown if line]

    return lines


def test_output_goes_above_a_line_that_stays(tmp_path, terminal, monkeypatch, screen):
    text = ""
    with terminal as drawn:
        monkeypatch.setattr("sys.stdout", sys.stderr)
        below = Below(2, {}, False)
        one, two = task(tmp_path, "one_2026"), task(tmp_path, "two")
        below.started(one, Lease())
        with one.run.output.open("ab", 0) as output:
            output.write(b"first\nsecond\n 1%\r 2%")
            below.tick([one], 1)
            text += drawn()
            assert screen(text) == ["one_2026: goes on", "first", "second", " 2%", WAITS]
            output.write(b"\r 3%\nlast")
        one.run.metrics.write_bytes(b"val,epochs,7,acc,0.912345,epoch,1,timestamp,5\n")
        below.ended(EndedAttempt(one, 0, 60.0), again=False)
        below.started(two, Lease())
        below.tick([two], 0)
        text += drawn()
    assert screen(text)[-3:] == [
        "last",
        "two: goes on",
        "1/2 done, 1 running, about 30 s left | best acc 0.9123 (one) | two",
    ]
    assert screen(text)[:3] == ["one_2026: goes on", "first", "second"]


WAITS = "0/2 done, 1 running | one"
