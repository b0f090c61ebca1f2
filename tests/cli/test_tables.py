"""What sumx does on a terminal, seen through a pseudo-terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

import pytest
from run_folders import make_run


class Terminal:
    """A program on a terminal of a size, and what it has shown there."""

    def __init__(self, *words, rows, columns, **environment):
        self.main, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        inherited = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
        for name in ("LINES", "COLUMNS"):
            inherited.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runx.sumx", *words],
            stdin=end,
            stdout=end,
            stderr=end,
            env={**inherited, "PYTHONPATH": os.getcwd(), "TERM": "xterm", **environment},
            start_new_session=True,
        )
        os.close(end)
        self.shown = ""

    def until(self, text):
        """Read until a text is shown after what has been waited for before."""
        begin = len(self.shown)
        while text not in self.shown[begin:]:
            self.shown += os.read(self.main, 1 << 16).decode()

    def end(self):
        """Read to the end; give the exit status."""
        while True:
            try:
                more = os.read(self.main, 1 << 16).decode()
            except OSError:
                break
            if not more:
                break
            self.shown += more
        os.close(self.main)
        return self.process.wait()


@pytest.fixture
def sweep(tmp_path):
    for number in range(30):
        make_run(tmp_path / "sweep" / f"run{number:02}", {"lr": number, "wd": 1}, [number, 5])
    return tmp_path / "sweep"


@pytest.fixture
def pager(tmp_path):
    """A pager that keeps what it is given."""
    file = tmp_path / "pager"
    file.write_text(f'#!/bin/sh\ncat > "{tmp_path}/paged"\n')
    file.chmod(0o755)
    return file


def test_a_table_longer_than_the_terminal_goes_through_the_pager(sweep, pager, tmp_path):
    terminal = Terminal(str(sweep), rows=20, columns=100, PAGER=str(pager))
    assert terminal.end() == 0
    lines = (tmp_path / "paged").read_text().splitlines()
    assert lines[0].split() == ["run", "lr", "acc", "epoch", "epoch_time"]
    assert len([line for line in lines if line.startswith("run")]) == 31
    assert "run05" not in terminal.shown


@pytest.mark.parametrize(
    ("rows", "environment"), [(60, {}), (20, {"NO_COLOR": "1"}), (20, {"TERM": "dumb"})]
)
def test_a_table_that_fits_or_a_plain_terminal_needs_no_pager(
    sweep, pager, tmp_path, rows, environment
):
    terminal = Terminal(str(sweep), rows=rows, columns=100, PAGER=str(pager), **environment)
    assert terminal.end() == 0
    assert not (tmp_path / "paged").exists()
    assert "run05" in terminal.shown


def test_the_best_is_bold(sweep):
    with open(sweep / "run07" / "metrics.csv", "a") as file:
        file.write("val,acc,99,epoch,2,timestamp,99\n")
    terminal = Terminal(str(sweep), rows=60, columns=100)
    assert terminal.end() == 0
    assert "\x1b[1m99\x1b[0m" in terminal.shown


def test_a_narrow_terminal_loses_columns_and_is_told_which(sweep):
    terminal = Terminal(str(sweep), rows=60, columns=20)
    assert terminal.end() == 0
    assert "left out to fit the terminal: epoch_time" in terminal.shown
    assert max(map(len, terminal.shown.split("run00")[1].splitlines())) <= 20


def test_watching_shows_what_changes_until_it_is_interrupted(sweep):
    terminal = Terminal(str(sweep), "--watch", "0.1", rows=60, columns=100)
    terminal.until("run29")
    with open(sweep / "run07" / "metrics.csv", "a") as file:
        file.write("val,acc,77.25,epoch,2,timestamp,99\n")
    terminal.until("77.25")
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert terminal.shown.rstrip().endswith("sumx: interrupted")
