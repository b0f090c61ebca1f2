"""The attempts of a run, read from its files and from the machine that looks at them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.errors import StoreError
from runx.locks import acquire, is_held
from runx.rundir.events import Attempt, Event, JobAddress, JobStatus, parse_events
from runx.rundir.files import read_json
from runx.rundir.look import Look
from runx.rundir.orders import ordered
from runx.rundir.paths import ATTEMPTS, ORDERS, WORKSPACE, RunDir, events_of
from runx.rundir.state import State, state
from runx.rundir.workspace import join

Warn = Callable[[str], None]


Attempts: TypeAlias = tuple[Attempt, ...]


Words: TypeAlias = Mapping[tuple[str, str], JobStatus]
"""What schedulers said of jobs, by farm and job id, or the run's path where there is no id."""


UNASKED: Words = {}
"""What is known where no scheduler was asked."""


_LOOKERS = 2.0  # seconds for which others may hold the lock, to see whether it is held


class Here(NamedTuple):
    """The machine that looks: its name, and which boot of it this is."""

    host: str
    boot: str


@cache
def here() -> Here:
    """Return this machine and its boot, as run.sh writes them."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return Here(os.uname().nodename, boot)


def read_attempts(
    run: RunDir, now: Callable[[], float], warn: Warn, look: Look | None = None
) -> Attempts:
    """Return the attempts of a run in order, of what its job wrote elsewhere too.

    ``now`` is the time by the clock of the run's file system. ``look`` keeps the stamps of all that
    is looked at.
    """
    look = look or Look(os.fspath(run))
    attempts = _read(run, now, warn, look)
    while not _is_settled(attempts):
        look.passing = True
        locked = is_locked(run)
        # What ended after its events were read has let go of its lock, and is not dead for that.
        again = _read(run, now, _silent, look) if locked is False else attempts
        if [one.events for one in again] == [one.events for one in attempts]:
            return tuple(
                one if one.event("ended") else one._replace(locked=locked) for one in attempts
            )
        attempts = again
    return attempts


def status_of(run: RunDir, attempts: Attempts, said: Words) -> JobStatus | None:
    """Return what was said of the job of a run's last attempt; a requeue keeps its job."""
    if not said or not attempts:
        return None
    last = attempts[-1]
    job = last.job_id
    if last.events and not job:
        job = next((one.job_id for one in reversed(attempts) if one.job_id), None)
    return said.get((last.farm or "", job or str(run.path)))


def is_open(attempts: Attempts) -> bool:
    """Return whether a farm may know more of a run than its files: it has not ended well."""
    last = attempts[-1].event("ended") if attempts else None
    is_over = last is not None and last.details.get("code") == 0
    return not is_over and any(attempt.farm for attempt in attempts)


def state_said(
    run: RunDir, attempts: Attempts, said: Words, now: Callable[[], float]
) -> tuple[State, Attempts]:
    """Return the state of a run by its attempts, read before, and what schedulers said since.

    Where that alone makes another state, the files are read once more, and returned: the run may
    have written its end between the two, and its own word outweighs. So they are where its job's
    id was not known: whoever asked may have found it by its name.
    """
    if said and is_open(attempts) and attempts[-1].job_id is None:
        attempts = read_attempts(run, now, _silent)
    status = status_of(run, attempts, said)
    found = state(attempts, status)
    if status is not None and found.name != state(attempts).name:
        attempts = read_attempts(run, now, _silent)
        found = state(attempts, status_of(run, attempts, said))
    return found, attempts


def _silent(_: str) -> None:
    """Warn of nothing: it has been warned of."""


def _is_settled(attempts: Attempts) -> bool:
    return all(attempt.event("ended") for attempt in attempts)


def _read(run: RunDir, now: Callable[[], float], warn: Warn, look: Look) -> Attempts:
    """Read a run's attempts once, and first link to what its job wrote elsewhere."""
    present = frozenset(look.names(ATTEMPTS))
    if is_joined := WORKSPACE in present:
        join(run, warn)
        present = frozenset(look.names(ATTEMPTS))
        now = clock(run.workspace)
    numbers = set()
    for name in present:
        number, _, kind = name.partition(".")
        if kind in ("claim", "events.jsonl", "job.json") and number.isdecimal():
            numbers.add(int(number))
    attempts = tuple([_attempt(run, each, present, now, warn, look) for each in sorted(numbers)])
    if is_joined and _is_settled(attempts):
        join(run, warn)  # What came before its end and after the first time.
    return attempts


def _attempt(
    run: RunDir,
    number: int,
    present: frozenset[str],
    now: Callable[[], float],
    warn: Warn,
    look: Look,
) -> Attempt:
    """Read one attempt; what can no longer matter once it has ended is not looked at."""
    events: tuple[Event, ...] = ()
    if f"{number}.events.jsonl" in present:
        name = events_of(number)
        events = tuple(parse_events(look.content(name) or b"", f"{look.path}/{name}", warn))
    ended = started = None
    for event in reversed(events):
        if event.name == "ended":
            ended = event
        elif event.name == "started":
            started = event
    if ended and ended.details.get("code") == 0:
        look.final(events_of(number))
        return Attempt(number, events, host=str(started.details.get("host", "")) if started else "")
    claim = (_object(run.claim(number), warn) or {}) if f"{number}.claim" in present else {}
    job = _job(_object(run.job(number), warn)) if f"{number}.job.json" in present else None
    farm = claim.get("farm") or (job.farm if job else None)
    who = started.details if started and "pid" in started.details else claim
    process = None if ended else lives(who, here())
    unseen = not ended and (farm or process is None)
    # What a later attempt writes is no sign of this one.
    later = f"{number + 1}.claim" in present
    look.passing |= farm not in (None, "", "local")
    look.note(ORDERS)
    return Attempt(
        number,
        events,
        farm=None if farm in (None, "", "local") else str(farm),
        host=str(who.get("host", "")),
        job=job,
        order=ordered(run, number, warn),
        process=process,
        rebooted=who.get("host") == here().host and who.get("boot") != here().boot,
        silence=_age([run.beat(number), run.events(number)], now) if unseen else None,
        submitted=None if events or not farm else _age([run.job(number)], now),
        wrote=None if events or not farm or later else _wrote(run, number, now),
        launch=str(claim.get("launch") or "") if claim.get("by") != "run.sh" else None,
    )


def _job(content: Mapping[str, Any] | None) -> JobAddress:
    """Return the address that a job.json holds, an empty one where it is damaged."""
    if content is None:
        return JobAddress()
    return JobAddress(
        farm=str(content.get("farm") or ""),
        type=str(content.get("type", "command")),
        id=str(content["id"]) if "id" in content else None,
        name=str(content.get("name", "")),
        options=content.get("options") or {},
        answer=str(content.get("answer", "")),
        refused=bool(content.get("refused")),
    )


def lives(who: dict[str, Any] | Any, machine: Here) -> bool | None:
    """Return whether a process lives; None where it is, or was, on another machine.

    >>> lives({"host": "elsewhere", "pid": 1}, Here("here", "b"))
    """
    if who.get("host") != machine.host:
        return None if who.get("host") else False
    if who.get("boot") != machine.boot:
        return False
    try:
        stat = Path(f"/proc/{who.get('pid')}/stat").read_text(errors="replace")
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    # The pid of a dead process is used again, the time it started is not. Z is dead already.
    return fields[0] not in "ZX" and fields[19] == str(who.get("start"))


def _object(path: Path, warn: Warn) -> dict[str, Any] | None:
    try:
        return read_json(path)
    except StoreError as error:
        warn(str(error))
        return None


def _age(paths: Iterable[Path], now: Callable[[], float]) -> float | None:
    """Return the seconds since the latest of these files was touched, if there is any."""
    times = []
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(now() - max(times), 0.0) if times else None


def _wrote(run: RunDir, number: int, now: Callable[[], float]) -> float | None:
    """Return the age of the script's latest output, if it is of this attempt."""
    wrote = _age([run.metrics, run.train_metrics, run.messages], now)
    given = _age([run.claim(number), run.job(number)], now)
    return wrote if wrote is not None and given is not None and wrote < given else None


def is_locked(run: RunDir) -> bool | None:
    """Return whether anything of a run lives here; None where this file system can't tell."""
    return is_held(run.lock)


def take_lock(run: RunDir) -> int | None:
    """Take a run's lock and return its descriptor; None where the run is alive."""
    return acquire(run.lock, _LOOKERS)


def clock(folder: Path) -> Callable[[], float]:
    """Return the time by the clock of a folder's file system, which may not be this machine's.

    It is asked once, when first needed, by touching a file. Where nothing may be written, this
    machine's clock has to do.
    """

    @cache
    def now() -> float:
        probe = folder / f".now.{os.getpid()}"
        try:
            probe.touch()
            touched = probe.stat().st_mtime
            probe.unlink()
        except OSError:
            return time.time()
        return touched

    return now
