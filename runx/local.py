"""Runs on this machine: start one, show its output, learn how it ended."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runx.processes import started
from runx.rundir import RunDir
from runx.types import Run

_LOOK = 0.05  # seconds between looks at a run's output


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that came to its end here, and the exit status it came to."""

    run: Run
    status: int


@contextmanager
def lock(run: RunDir) -> Iterator[int]:
    """Hold the lock that run.sh and the script inherit; it falls when the last of them is gone."""
    descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def start(run: Run) -> subprocess.Popen[bytes]:
    """Start a run's run.sh in a session of its own, so that it outlives this process."""
    with lock(run.dir) as held:
        return started(
            ("bash", str(run.dir.script)),
            environment={"RUNX_LOCK": str(held)},
            pass_fds=(held,),
            new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def watched(run: Run, process: subprocess.Popen[bytes]) -> Ended:
    """Show a run's output while it goes on, and wait for its end.

    An interrupt is passed on: the first as INT, a further one as KILL.
    """
    signals = iter((signal.SIGINT, signal.SIGTERM))
    with _output(run.dir.output) as output:
        while True:
            try:
                return Ended(run, _followed(process, output))
            except KeyboardInterrupt:
                process.send_signal(next(signals, signal.SIGKILL))
                if process.wait() != 0:
                    raise


def _followed(process: subprocess.Popen[bytes], output: BinaryIO) -> int:
    while True:
        try:
            status = process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            status = None
        _copy(output)
        if status is not None:
            return status if status >= 0 else 128 - status


@contextmanager
def _output(path: Path) -> Iterator[BinaryIO]:
    path.touch()
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        yield file


def _copy(output: BinaryIO) -> None:
    while chunk := output.read(1 << 16):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
