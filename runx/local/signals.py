"""The signals by which a person, a terminal or a system stops a launch."""

from __future__ import annotations

import os
import select
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from runx.errors import RunxError

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, "FrameType | None"], object]


class StopSignals(NamedTuple):
    """The stop signals that were received and not handled yet, and a pipe that each one wakes."""

    received: deque[int]
    wake: int

    def wait(self, seconds: float) -> None:
        """Wait for a signal, the end of a child, or this many seconds."""
        if select.select([self.wake], [], [], max(seconds, 0.0))[0]:
            os.read(self.wake, 4096)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Ignore a signal here, but not in what we start: a handler does not survive exec."""


@contextmanager
def stop_signals(ignored: tuple[signal.Signals, ...] = ()) -> Iterator[StopSignals]:
    """Receive the stop signals, but for the ``ignored``, and wake up at the end of any child.

    A signal that this process was started to ignore (by nohup, or in the background of a script)
    it goes on to ignore, but its children do not: run.sh could not pass on what it never gets.
    """
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signals = StopSignals(deque(), read)

    def receive(number: int, _frame: FrameType | None) -> None:
        signals.received.append(number)

    handlers: dict[int, Handler] = {
        number: _ignore if number in ignored or _is_ignored(number) else receive
        for number in STOPPING
    }
    handlers[signal.SIGCHLD] = _ignore
    if _is_ignored(signal.SIGQUIT):
        handlers[signal.SIGQUIT] = _ignore
    with handled(handlers):
        previous_wakeup = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        try:
            yield signals
        finally:
            signal.set_wakeup_fd(previous_wakeup)
            os.close(read)
            os.close(write)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def handled(handlers: dict[int, Handler]) -> Iterator[None]:
    """Set handlers of signals, and restore the former ones at the end."""
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


class Interrupted(RunxError):
    """A person stopped a launch before any of its runs had started."""

    status = 130


@contextmanager
def interruptible(remedy: str) -> Iterator[None]:
    """Let TERM and HUP interrupt as Ctrl-C does, so that what is half done is removed.

    ``remedy`` is the command that goes on.

    Raises:
        Interrupted: One of the signals came.
    """
    numbers = [number for number in STOPPING if not _is_ignored(number)]
    try:
        with handled(dict.fromkeys(numbers, signal.default_int_handler)):
            yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted before anything started; go on with: {remedy}") from None
