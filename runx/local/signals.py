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
    """The signals to stop that came; ``received`` are those that nobody has heeded yet."""

    received: deque[int]
    wake: int

    def wait(self, seconds: float) -> None:
        """Wait for a signal, the end of a child, or until the time is over."""
        if select.select([self.wake], [], [], max(seconds, 0.0))[0]:
            os.read(self.wake, 4096)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Ignore a signal here, but not in what we start: a handler does not survive exec."""


@contextmanager
def stop_signals(ignored: tuple[signal.Signals, ...] = ()) -> Iterator[StopSignals]:
    """Receive the signals to stop, but for ``ignored`` ones, and be woken by any child's end.

    Where this process was told to ignore one (by nohup, or as the background of a script) it does,
    but what it starts does not: run.sh could not pass on what it never gets.
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
        woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        try:
            yield signals
        finally:
            signal.set_wakeup_fd(woken)
            os.close(read)
            os.close(write)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def handled(handlers: dict[int, Handler]) -> Iterator[None]:
    """Handle these signals so, and then again as before."""
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


class Interrupted(RunxError):
    """A person stopped a launch before any of its runs had started."""

    status = 130


@contextmanager
def interruptible(remedy: str) -> Iterator[None]:
    """Let TERM and HUP interrupt as Ctrl-C does, so that what is half done is cleared away.

    ``remedy`` is the command that goes on.
    """
    numbers = [number for number in STOPPING if not _is_ignored(number)]
    try:
        with handled(dict.fromkeys(numbers, signal.default_int_handler)):
            yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted before anything started; go on with: {remedy}") from None
