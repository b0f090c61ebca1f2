"""The report at the end of a launch: how its runs ended, and the command that goes on."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runx.api.printing import Say
from runx.launching.plan import SETTLED
from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.api.launched import Launched
    from runx.local.tasks import EndedAttempt
    from runx.rundir.state import State


def report(launched: Launched, command: str, say: Say) -> int:
    """Print how the runs of a launch ended, then ``command``, which goes on with it.

    Returns:
        The exit status.
    """
    name = shlex.quote(launched.experiment)
    if launched.submitted is not None:
        runs = _several(launched.submitted, launched.unit)
        say(f"{runs} submitted; runx status {name} shows how they stand")
        if not launched.hparams:
            return 0
    failed = [end for end in launched.ended if end.has_failed]
    done, left = _done(launched), launched.left
    is_well = all(state.name in SETTLED for state in left.values())
    if (
        not failed
        and not launched.stopped
        and is_well
        and done == len(launched.hparams) - len(left)
    ):
        passed = Counter(end.order for end in launched.ended if end.order)
        counts = [_several(done - passed.total(), launched.unit) + " done"]
        counts += [f"{many} {name}" for name, many in passed.items()]
        counts += [_taken(left)] if left else []
        say(f"{', '.join(counts)}; sumx {name} ranks them")
        return 0
    say(("stopped: " if launched.stopped else "") + _counts(launched, len(failed)))
    if failed:
        for line in _digest(launched, failed, say):
            say(line)
    is_retry = failed and not launched.stopped
    if is_retry and "--restage" not in command.split():
        # What has failed is mended first, so that its code is today's.
        command = command.replace(" --resume", " --resume --restage", 1)
    say(f"{'retry' if is_retry else 'go on'}: {command}")
    return 130 if launched.stopped else 1


def _several(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' * (count != 1)}"


def _taken(left: Mapping[RunDir, State]) -> str:
    """Return how many runs others took, and how these stand."""
    counts = Counter(state.name for state in left.values())
    return f"{len(left)} taken by others: " + ", ".join(f"{counts[name]} {name}" for name in counts)


def _done(launched: Launched) -> int:
    return sum(end.status == 0 and end.recorded for end in launched.ended)


def _counts(launched: Launched, failed: int) -> str:
    total, done, ended = len(launched.hparams), _done(launched), len(launched.ended)
    unrecorded = sum(not (end.status or end.recorded) for end in launched.ended)
    held = sum(end.order == "held" for end in launched.ended)
    cancelled = ended - done - failed - unrecorded - held
    missing = total - ended - len(launched.left)
    parts = [
        f"{failed} of {total} {launched.unit}s failed"
        if failed
        else f"{done} of {total} {launched.unit}s done",
        f"{cancelled} cancelled" if cancelled else "",
        f"{held} held" if held else "",
        f"{unrecorded} ended well, which can't be written" if unrecorded else "",
        f"{missing} not started" if missing > 0 else "",
        _taken(launched.left) if launched.left else "",
    ]
    return ", ".join(filter(None, parts))


def _digest(launched: Launched, failed: Sequence[EndedAttempt], say: Say) -> list[str]:
    """Return lines on the runs that failed, grouped by the reason and by common hyperparameters."""
    from runx.analysis.failures import Failure, digest, digest_lines
    from runx.rundir.attempts import read_attempts
    from runx.rundir.run import RunRecord
    from runx.rundir.state import State, state
    from runx.rundir.step_states import step_state

    def record(run: RunDir, status: State) -> RunRecord:
        hparams = launched.hparams[run]
        return RunRecord(run.name, run, hparams, status, {}, experiment=launched.experiment)

    failures = []
    for run in (end.task.run for end in failed):
        attempts = read_attempts(run, time.time, say)
        status = step_state(attempts) if run.is_step else state(attempts)
        failures.append(Failure.of(record(run, status)))
    others = [record(end.task.run, State("done")) for end in launched.ended if end.status == 0]
    return digest_lines(digest(failures, others))
