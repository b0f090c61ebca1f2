"""A run that is executed here: the order to end it, and the signals by which it is."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from runx.local.gpus import Lease
from runx.local.process import LiveAttempt, signal_run
from runx.local.tasks import Task
from runx.rundir.orders import CANCEL, TIMEOUT, order_of, write_order_if_possible

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of what a person ends by Ctrl-C."""

_KILL_AGAIN = 5.0  # seconds in which run.sh records the end of a script that was killed


@dataclass(slots=True)
class Running:
    """A running attempt: the order to end it, when it was last signalled, and how often killed.

    ``is_ordered`` is whether the order is written. ``say`` is told, once, why it can't be.
    """

    task: Task
    live: LiveAttempt
    lease: Lease
    say: Callable[[str], None]
    order: str = ""
    is_ordered: bool = False
    signalled: float = 0.0
    kills: int = 0
    is_cancelled_elsewhere: bool = False

    def end(self, order: str, number: signal.Signals) -> None:
        """End the attempt by a signal, for a reason that is written first."""
        if not self.order:
            self.order = order
            self._write_order()
        self._signal(number)

    def end_cancelled(self) -> None:
        """End the attempt for a person who has cancelled it on another machine."""
        if not self.order:
            self.order, self.is_cancelled_elsewhere = CANCEL, True
            self._signal(signal.SIGTERM)

    def end_expired(self, limit: float | None, grace: float, now: float) -> None:
        """End the attempt where it is over its limit, kill it where it is over its grace period.

        Both are in seconds.
        """
        if limit and not self.order and now - self.live.since >= limit:
            self.end(TIMEOUT, signal.SIGTERM)
        elif self._is_over_grace(grace, now):
            self._signal(signal.SIGKILL)
        elif self.kills and now - self.signalled > _KILL_AGAIN:
            self._signal(signal.SIGKILL)
            if self.live.process:
                self.live.process.kill()

    def _is_over_grace(self, grace: float, now: float) -> bool:
        # A person who stops the launch kills by a second signal, not by time.
        has_grace = self.order == TIMEOUT or self.is_cancelled_elsewhere
        return has_grace and not self.kills and now - self.signalled > grace

    def _signal(self, number: signal.Signals) -> None:
        self.signalled = time.monotonic()
        self.kills += number is signal.SIGKILL
        signal_run(self.live, number)

    def settle_order(self) -> None:
        """Write the order of an attempt that has ended, where it could not be written before."""
        if self.order and not self.is_ordered:
            self._write_order()

    def _write_order(self) -> None:
        say = _ignore if self.signalled else self.say
        task = self.task
        self.is_ordered = write_order_if_possible(task.run, self.order, task.attempt, say)

    def order_at_end(self, status: int) -> str:
        """Return the order that ended the attempt, whoever gave it, or ""."""
        task = self.task
        if self.live.attached and status == INTERRUPTED and not self.order:
            write_order_if_possible(task.run, CANCEL, task.attempt, self.say)
            return CANCEL
        return self.order or order_of(task.run, task.attempt, _ignore) or ""


def _ignore(_: str) -> None:
    """Drop what was said before."""
