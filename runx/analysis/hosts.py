"""Machines on which runs fail at once, while others are done elsewhere.

A run that fails at once on several machines says nothing about them; neither does what was long
ago, since what is avoided can't show that it was mended.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from runx.rundir.attempts import read_attempts
from runx.rundir.events import Attempt
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir

QUICK = 60.0
"""Seconds from the start within which a failure may be the machine's."""
RECENT = 86400.0
"""Seconds for which what happened on a machine counts."""
_LEAST = 2  # runs


class _Try(NamedTuple):
    """An attempt on a machine: when it began, and whether it failed at once, or was done."""

    host: str
    began: float
    has_failed: bool
    is_done: bool


def failing_hosts(runs: Iterable[Sequence[Attempt]], now: float) -> Mapping[str, int]:
    """Return the machines to avoid, and how many runs have failed at once on each.

    They have done nothing well since. More than half of all machines are not to be avoided: then it
    is something else.
    """
    tries = [[*filter(None, (_try(each, now) for each in attempts))] for attempts in runs]
    everywhere = [each for each_run in tries for each in each_run]
    done_at = {each.host for each in everywhere if each.is_done}
    last_well: dict[str, float] = defaultdict(float)
    for each in everywhere:
        if not each.has_failed:
            last_well[each.host] = max(last_well[each.host], each.began)
    failures: dict[str, int] = defaultdict(int)
    for each_run in tries:
        hosts = {each.host: each.began for each in each_run if each.has_failed}
        for host, began in hosts.items() if len(hosts) == 1 else ():
            failures[host] += began > last_well[host]
    found = {
        host: count
        for host, count in sorted(failures.items())
        if count >= _LEAST and done_at - {host}
    }
    return found if 2 * len(found) <= len({each.host for each in everywhere}) else {}


def _try(attempt: Attempt, now: float) -> _Try | None:
    """Return an attempt that says something about its machine, None for any other."""
    started, ended = attempt.event("started"), attempt.event("ended")
    if started is None or started.time is None or now - started.time > RECENT:
        return None
    host = str(started.details.get("node") or started.details.get("host") or "")
    code = ended.details.get("code") if ended else None
    seconds = ((ended.time if ended else None) or now) - started.time
    if not host or (seconds < QUICK and code != 0 and not _is_own(attempt, code)):
        return None
    return _Try(host, started.time, seconds < QUICK and code != 0, code == 0)


def _is_own(attempt: Attempt, code: object) -> bool:
    """Return whether a script has failed by itself: nobody has ended it, nor does it go on."""
    outside = ("signalled", "warned", "superseded")
    is_ended = attempt.order is not None or any(attempt.event(name) for name in outside)
    return isinstance(code, int) and code != 75 and not is_ended


def may_fail(runs: Iterable[Sequence[Attempt]]) -> bool:
    """Return whether so many attempts have failed that a machine may be to avoid."""
    ends = (attempt.event("ended") for attempts in runs for attempt in attempts)
    return sum(bool(end and end.details.get("code")) for end in ends) >= _LEAST


def failing_hosts_of(experiment: ExperimentDir) -> Mapping[str, int]:
    """Return the machines to avoid by the runs of an experiment that have begun lately."""
    now, runs = time.time(), []
    for run in run_dirs(experiment):
        with suppress(OSError):
            if now - run.attempts.stat().st_mtime < RECENT:
                runs.append(read_attempts(run, time.time, lambda line: None))
    return failing_hosts(runs, now)


def avoided(host: str, count: int) -> str:
    """Return why a machine is avoided, and how to use it all the same."""
    return (
        f"{host} is avoided: {count} runs failed there within a minute, while others are done"
        " elsewhere; AVOID_HOSTS=false uses it"
    )
