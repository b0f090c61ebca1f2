"""Signs of life of an attempt: the ages of its files, the locks that its processes hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from runx.locks import is_held, is_seen_by_all
from runx.rundir.events import Attempt
from runx.rundir.machines import is_alive, uptime
from runx.rundir.paths import (
    ATTEMPTS,
    LOCK,
    MESSAGES,
    METRICS,
    TRAIN_METRICS,
    ExperimentDir,
)
from runx.rundir.states import SILENT


def with_ages(attempt: Attempt, run: str, is_latest: bool, now: Callable[[], float]) -> Attempt:
    """Return an attempt with the ages of those files that its state may depend on."""
    path = f"{run}/{ATTEMPTS}/{attempt.number}"
    if attempt.farm or attempt.process is None or attempt.locality == "renamed":
        signs = [f"{path}.beat", f"{path}.events.jsonl"]
        if not attempt.farm and not attempt.events:
            signs = [f"{path}.claim", *_launch_lock(attempt, run)]
        attempt = attempt._replace(silence=_age(signs, now))
    if attempt.events and attempt.farm and not is_latest:
        claimed = _age([f"{run}/{ATTEMPTS}/{attempt.number + 1}.claim"], now)
        return attempt._replace(replaced=(attempt.silence or 0.0) > (claimed or 0.0) > 0.0)
    if attempt.events or not attempt.farm:
        return attempt
    attempt = attempt._replace(submission_age=_age([f"{path}.job.json"], now))
    if is_latest:
        output = _age([f"{run}/{name}" for name in (METRICS, TRAIN_METRICS, MESSAGES)], now)
        created = _age([f"{path}.claim", f"{path}.job.json"], now)
        # Older output is that of an earlier attempt.
        if output is not None and created is not None and output < created:
            return attempt._replace(output_age=output)
    return attempt


def _launch_lock(attempt: Attempt, run: str) -> list[str]:
    """Return the file that the launcher of an attempt locks, and touches; none in old layouts."""
    launch = attempt.launch
    if not launch or "/" in launch:
        return []
    return [os.fspath(ExperimentDir(Path(run).parent).launch_lock(launch))]


def with_signs(attempt: Attempt, run: str, locked: bool | None) -> Attempt:
    """Return an attempt with whether its process lives, by the lock that it holds and its silence.

    run.sh and what it started hold the run's lock; a launcher that has not started it yet, its
    own.
    """
    attempt = attempt._replace(locked=locked)
    is_seen = attempt.locality == "here" and attempt.process is not None
    if not attempt.host or is_seen or attempt.locality == "elsewhere":
        return attempt
    locks = [f"{run}/{ATTEMPTS}/{LOCK}"] if attempt.events else _launch_lock(attempt, run)
    silence = attempt.silence or 0.0
    process = is_alive(
        attempt.locality,
        locked=next(map(is_held, locks), None),
        is_lock_global=all(map(is_seen_by_all, locks)),
        is_silent=silence >= SILENT,
        is_silent_since_boot=silence >= uptime(),
    )
    return attempt._replace(process=process)


def _age(paths: Iterable[str], now: Callable[[], float]) -> float | None:
    """Return the seconds since the latest change of these files, None where there is none."""
    times = []
    for path in paths:
        try:
            times.append(os.stat(path).st_mtime)  # noqa: PTH116
        except OSError:
            continue
    return max(now() - max(times), 0.0) if times else None
