"""The attempts of a run, read from its files and from the machine that this process is on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from runx.errors import StoreError
from runx.locks import acquire, is_held
from runx.rundir.claims import waiting_claims, wanting
from runx.rundir.events import Attempt, Event, JobAddress, JobStatus, parse_events, place_of
from runx.rundir.files import read_json
from runx.rundir.machines import is_process_alive, locality_of, this_machine
from runx.rundir.orders import is_called_off, order_of
from runx.rundir.paths import (
    ATTEMPTS,
    HELD,
    LOCK,
    ORDERS,
    WORKSPACE,
    RunDir,
)
from runx.rundir.runfiles import RunFiles
from runx.rundir.signs import with_ages, with_signs
from runx.rundir.state import State, state
from runx.rundir.workspace import join

Warn = Callable[[str], None]
Attempts: TypeAlias = tuple[Attempt, ...]
JobStatuses: TypeAlias = Mapping[tuple[str, str], JobStatus]
"""The statuses that schedulers give of jobs, by place and job id, or farm and run without an id."""
NO_STATUSES: JobStatuses = {}
"""The statuses where no scheduler was queried."""
_LOCK_SECONDS = 2.0
"""Seconds for which a run's lock is tried: ``is_held`` takes it for a moment."""


def read_attempts(
    run: RunDir, now: Callable[[], float], warn: Warn, look: RunFiles | None = None
) -> Attempts:
    """Return the attempts of a run in order, with what its job wrote in a workspace.

    ``now`` returns the time by the clock of the run's file system, in seconds since 1970. ``look``
    keeps the stamps of the files that the result rests on.
    """
    look = look or RunFiles(os.fspath(run))
    attempts = _read(run, now, warn, look)
    while not all(attempt.event("ended") for attempt in attempts):
        look.volatile = True
        locked = is_held(f"{look.path}/{ATTEMPTS}/{LOCK}")
        # A run that ended after its events were read has released its lock: they are read again.
        latest = _read(run, now, _ignore, look) if locked is False else attempts
        if [attempt.events for attempt in latest] == [attempt.events for attempt in attempts]:
            return tuple(
                attempt if attempt.event("ended") else with_signs(attempt, look.path, locked)
                for attempt in latest
            )
        attempts = latest
    return attempts


def attempts_of(runs: Iterable[RunDir], warn: Warn) -> dict[RunDir, Attempts]:
    """Return the attempts of runs; one whose files can't be read is left out with a warning."""
    attempts, clock_of = {}, cache(clock)
    for run in runs:
        try:
            attempts[run] = read_attempts(run, clock_of(run.path.parent), warn)
        except OSError as error:
            warn(f"{run.path}: left out: {error.strerror}")
    return attempts


def _read(run: RunDir, now: Callable[[], float], warn: Warn, look: RunFiles) -> Attempts:
    """Return a run's attempts, read once, after linking to what its job wrote in a workspace."""
    names = frozenset(look.names(ATTEMPTS))
    if has_workspace := WORKSPACE in names:
        join(run, warn)
        names = frozenset(look.names(ATTEMPTS))
        now = clock(run.workspace)
    numbers, waits = set(), []
    for name in names:
        number, _, kind = name.partition(".")
        if kind in ("claim", "events.jsonl", "job.json") and number.isdecimal():
            numbers.add(int(number))
        elif kind.endswith(".wait"):
            waits.append(name)
    attempts = tuple([_attempt(run, number, names, now, warn, look) for number in sorted(numbers)])
    if waits:
        waiting = waiting_claims(look.path, waits, numbers)
        attempts += tuple(
            [_waiting(run, each, waiting[each], now, warn, look) for each in sorted(waiting)]
        )
    if has_workspace and all(attempt.event("ended") for attempt in attempts):
        join(run, warn)  # The job may have written more between the first time and its end.
    return attempts


def _attempt(
    run: RunDir,
    number: int,
    names: frozenset[str],
    now: Callable[[], float],
    warn: Warn,
    look: RunFiles,
) -> Attempt:
    """Return one attempt, given the names of the files in attempts/.

    Of one that ended with 0 only the events are read; the ages of files only where it has no end.
    """
    events: tuple[Event, ...] = ()
    file = f"{ATTEMPTS}/{number}.events.jsonl"
    if f"{number}.events.jsonl" in names:
        events = tuple(parse_events(look.content(file) or b"", f"{look.path}/{file}", warn))
    first = {event.name: event.details for event in reversed(events)}
    if "ended" in first and first["ended"].get("code") == 0:
        look.drop(file)
        return Attempt(number, events, host=str(first.get("started", {}).get("host", "")))
    path = f"{look.path}/{ATTEMPTS}/{number}"
    claim = (_object(f"{path}.claim", warn) or {}) if f"{number}.claim" in names else {}
    job = _address(_object(f"{path}.job.json", warn)) if f"{number}.job.json" in names else None
    if f"{number}.events.jsonl" not in names and job and job.type == "command":
        events = end_by_logx(number, names, look)
        first = {event.name: event.details for event in events}
    farm = claim.get("farm") or (job.farm if job else None)
    process = first["started"] if "pid" in first.get("started", ()) else claim
    order = order_of(run, number, warn) if look.names(ORDERS) else None
    is_done = first.get("ended", {}).get("code") == 0
    look.volatile |= farm not in (None, "", "local") and not is_done
    attempt = Attempt(
        number,
        events,
        farm=None if farm in (None, "", "local") else str(farm),
        host=str(process.get("host", "")),
        job=job,
        order=order,
        called_off=order is not None and is_called_off(run, number),
        process=None if "ended" in first else is_process_alive(process, this_machine()),
        locality=locality_of(process, this_machine()),
        launch=str(claim.get("launch") or "") if claim.get("by") != "run.sh" else None,
    )
    if "ended" in first:
        return attempt
    return with_ages(attempt, look.path, f"{number + 1}.claim" not in names, now)


def end_by_logx(number: int, names: frozenset[str], look: RunFiles) -> tuple[Event, ...]:
    """Return how a script ended that no run.sh has started, as logx wrote it; () until then.

    Of a job that its farm has queued again, the last start counts.
    """
    if f"{number}.logx.jsonl" not in names:
        return ()
    content = look.content(f"{ATTEMPTS}/{number}.logx.jsonl") or b""
    events = list(parse_events(content, "", _ignore))
    starts = [index for index, event in enumerate(events) if event.name == "started"]
    latest = tuple(events[starts[-1] :] if starts else ())
    return latest if any(event.name == "ended" for event in latest) else ()


def _waiting(
    run: RunDir,
    number: int,
    claim: Mapping[str, Any],
    now: Callable[[], float],
    warn: Warn,
    look: RunFiles,
) -> Attempt:
    """Return an attempt that nobody has claimed, given the claim that a launcher waits with."""
    look.volatile = True
    attempt = Attempt(
        number,
        host=str(claim.get("host", "")),
        order=order_of(run, number, warn) if look.names(ORDERS) else None,
        process=is_process_alive(claim, this_machine()),
        locality=locality_of(claim, this_machine()),
        launch=str(claim.get("launch") or ""),
        waits=True,
        waits_for=wanting(run, claim),
        held=HELD in look.names(ORDERS),
    )
    return with_ages(attempt, look.path, True, now)


def _object(path: str, warn: Warn) -> dict[str, Any] | None:
    """Return the JSON object that a file holds; None, with a warning, where it is damaged."""
    try:
        return read_json(path)
    except StoreError as error:
        warn(str(error))
        return None


def _address(content: Mapping[str, Any] | None) -> JobAddress:
    """Return the address that a job.json holds, an empty one where it is damaged."""
    if content is None:
        return JobAddress()
    return JobAddress(
        farm=str(content.get("farm") or ""),
        type=str(content.get("type", "command")),
        id=str(content["id"]) if "id" in content else None,
        name=str(content.get("name", "")),
        options=_options(content),
        answer=str(content.get("answer", "")),
        refused=bool(content.get("refused")),
        owner=str(content.get("owner") or ""),
        shares=bool(content.get("shares")),
    )


def _options(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a job; in older files, a cluster of Slurm's is in the answer alone.

    >>> _options({"options": {"VOLUME": "v"}}), _options({"type": "slurm", "answer": "40;u"})
    ({'VOLUME': 'v'}, {'cluster': 'u'})
    """
    number, _, cluster = str(content.get("answer", "")).strip().partition(";")
    is_named = content.get("type") == "slurm" and number.isdecimal() and cluster
    options = content.get("options")
    named = options.items() if isinstance(options, dict) else ()
    place = {"cluster": cluster} if is_named else {}
    return {**place, **{str(name): str(value) for name, value in named}}


def current_state(
    run: RunDir, attempts: Attempts, statuses: JobStatuses, now: Callable[[], float]
) -> tuple[State, Attempts]:
    """Return the state of a run by its attempts, read before, and the statuses of jobs since.

    Where a status makes another state, the attempts are read again and returned: the run may have
    written its end in between, which outweighs the status. They are, too, where the id of its job
    was unknown: the query may have found it by the job's name.
    """
    if statuses and attempts and attempts[-1].job_id is None and is_open(attempts):
        attempts = read_attempts(run, now, _ignore)
    status = status_of(run, attempts, statuses)
    current = state(attempts, status)
    if status is not None and current.name != state(attempts).name:
        attempts = read_attempts(run, now, _ignore)
        current = state(attempts, status_of(run, attempts, statuses))
    return current, attempts


def status_of(run: RunDir, attempts: Attempts, statuses: JobStatuses) -> JobStatus | None:
    """Return the status of the job of a run's last attempt; a requeued attempt has no job.json."""
    if not statuses or not attempts:
        return None
    last = attempts[-1]
    job = last.job
    if last.events and not last.job_id:
        job = next((attempt.job for attempt in reversed(attempts) if attempt.job_id), None)
    if job and job.id:
        return statuses.get((place_of(job.farm, job.options), job.id))
    return statuses.get((last.farm or "", str(run.path)))


def is_open(attempts: Attempts) -> bool:
    """Return whether a scheduler may have news of a run: it has a farm and has not ended with 0."""
    ended = attempts[-1].event("ended") if attempts else None
    is_over = ended is not None and ended.details.get("code") == 0
    return not is_over and any(attempt.farm for attempt in attempts)


def _ignore(_: str) -> None:
    """Ignore a warning that has been given before."""


def take_lock(run: RunDir) -> int | None:
    """Take a run's lock and return its descriptor; None where the run is alive."""
    return acquire(run.lock, _LOCK_SECONDS)


def clock(folder: Path) -> Callable[[], float]:
    """Return a function for the time by the clock of a folder's file system, which may differ.

    It touches a file when first called, and returns the same time from then on. Where the folder
    can't be written to it is this machine's time.
    """

    @cache
    def now() -> float:
        probe = folder / f".now.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            probe.touch()
            touched = probe.stat().st_mtime
            probe.unlink()
        except OSError:
            return time.time()
        return touched

    return now
