"""How a launch ended: what went to a farm, or what failed here and why, and what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runx.disk.orders import CANCEL
from runx.launching.executor import Ended

if TYPE_CHECKING:
    from runx.api.starting import Launched

Say = Callable[[str], None]


def report(launched: Launched, again: str, say: Say) -> int:
    """Print what a launch came to, then ``again``, the command that goes on; return the status."""
    name = launched.experiment
    if launched.submitted is not None:
        runs = "1 run" if launched.submitted == 1 else f"{launched.submitted} runs"
        say(f"{runs} submitted; runx status {name} shows how they stand")
        return 0
    failed = [end for end in launched.ended if _is_failure(end)]
    done, left = _done(launched), launched.left
    if not failed and not launched.stopped and done == len(launched.hparams) - left:
        rest = f", {left} left alone" if left else ""
        say(f"{done} run{'s' * (done != 1)} done{rest}; sumx {name} ranks them")
        return 0
    say(("stopped: " if launched.stopped else "") + _counts(launched, len(failed)))
    if failed:
        for line in _digest(launched, failed, say):
            say(line)
    say(f"{'retry' if failed and not launched.stopped else 'go on'}: {again}")
    return 130 if launched.stopped else 1


def _done(launched: Launched) -> int:
    return sum(end.status == 0 for end in launched.ended)


def _counts(launched: Launched, failed: int) -> str:
    total, done, ended = len(launched.hparams), _done(launched), len(launched.ended)
    cancelled, missing = ended - done - failed, total - ended - launched.left
    parts = [
        f"{failed} of {total} runs failed" if failed else f"{done} of {total} runs done",
        f"{cancelled} cancelled" if cancelled else "",
        f"{launched.left} left alone" if launched.left else "",
        f"{missing} not started" if missing > 0 else "",
    ]
    return ", ".join(filter(None, parts))


def _digest(launched: Launched, failed: Sequence[Ended], say: Say) -> list[str]:
    """Group what failed by its reason, with what only those runs have in common."""
    from runx.disk.facts import read_attempts
    from runx.disk.output import tail
    from runx.reading.failures import Failure, digest, digest_lines
    from runx.states.state import State, state
    from runx.types import RunRecord

    def record(end: Ended, status: State) -> RunRecord:
        run = end.task.run
        hparams = launched.hparams[run]
        return RunRecord(run.path.name, run, hparams, status, {}, experiment=launched.experiment)

    failures = []
    for end in failed:
        status = state(read_attempts(end.task.run, time.time, say))
        failures.append(Failure(record(end, status), tail(end.task.run.output)))
    others = [record(end, State("done")) for end in launched.ended if end.status == 0]
    return digest_lines(digest(failures, others))


def _is_failure(end: Ended) -> bool:
    return bool(end.status) and end.order != CANCEL
