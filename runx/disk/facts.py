"""What a run's files, and the machine they are looked at from, tell of how it stands."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.disk.happened import events_in
from runx.disk.joining import join
from runx.disk.look import Look
from runx.disk.orders import ordered
from runx.errors import StoreError
from runx.files import read_json
from runx.locks import is_held
from runx.rundir import ATTEMPTS, ORDERS, WORKSPACE, RunDir, events_of
from runx.states.attempts import Attempt, Event, Facts, JobStatus

Warn = Callable[[str], None]


class Here(NamedTuple):
    """The machine that looks: its name, and which boot of it this is."""

    host: str
    boot: str


Words: TypeAlias = Mapping[tuple[str, str], JobStatus]
UNASKED: Words = {}
"""What is known where no scheduler was asked."""


@cache
def here() -> Here:
    """Name this machine and its boot as run.sh does."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return Here(os.uname().nodename, boot)


def facts(
    run: RunDir,
    now: Callable[[], float],
    warn: Warn,
    words: Words = UNASKED,
    look: Look | None = None,
) -> Facts:
    """Read what is known of a run; ``now`` gives the time by the clock of its file system.

    ``words`` holds what schedulers were asked before, by farm and job id, or the run's path.
    ``look`` is told of all that is looked at.
    """
    look = look or Look(os.fspath(run))
    attempts, locked = _attempts(run, now, warn, look), None
    while not _is_settled(attempts):
        look.passing = True
        locked = is_held(run.lock)
        # What ended after its events were read has let go of its lock, and is not dead for that.
        again = _attempts(run, now, _silent, look) if locked is False else attempts
        if [one.events for one in again] == [one.events for one in attempts]:
            break
        attempts, locked = again, None
    if not attempts:
        return Facts()
    status = words.get(_asked_for(run, attempts)) if words else None
    return Facts(attempts, locked, *(status[:2] if status else ()))


def _silent(_: str) -> None:
    """Say nothing: it has been said."""


def _is_settled(attempts: tuple[Attempt, ...]) -> bool:
    return all(attempt.event("ended") for attempt in attempts)


def _attempts(run: RunDir, now: Callable[[], float], warn: Warn, look: Look) -> tuple[Attempt, ...]:
    """Read a run's attempts, what its job wrote elsewhere included."""
    present = frozenset(look.names(ATTEMPTS))
    if is_joined := WORKSPACE in present:
        join(run, warn)
        present = frozenset(look.names(ATTEMPTS))
        now = clock(run.workspace)
    numbers = sorted({int(name.split(".")[0]) for name in present if _of_attempt(name)})
    attempts = tuple(_attempt(run, number, present, now, warn, look) for number in numbers)
    if is_joined and _is_settled(attempts):
        join(run, warn)  # What came before its end and after the first time.
    return attempts


def _asked_for(run: RunDir, attempts: tuple[Attempt, ...]) -> tuple[str, str]:
    """Say under which farm and job its scheduler's word is kept; a requeue keeps its job."""
    last = attempts[-1]
    job = last.job
    if last.events and not job:
        job = next((attempt.job for attempt in reversed(attempts) if attempt.job), None)
    return (last.farm or "", job or str(run.path))


def _of_attempt(name: str) -> bool:
    number, _, kind = name.partition(".")
    return number.isdecimal() and kind in ("claim", "events.jsonl", "job.json")


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
        events = tuple(events_in(look, events_of(number), warn))
    ended = next((event for event in events if event.name == "ended"), None)
    started = next((event for event in events if event.name == "started"), None)
    if ended and ended.details.get("code") == 0:
        look.final(events_of(number))
        return Attempt(number, events, host=str(started.details.get("host", "")) if started else "")
    claim = _object(run.claim(number), warn) if f"{number}.claim" in present else {}
    job = _object(run.job(number), warn) if f"{number}.job.json" in present else {}
    farm = claim.get("farm") or job.get("farm")
    who = started.details if started and "pid" in started.details else claim
    process = None if ended else lives(who, here())
    unseen = not ended and (farm or process is None)
    # What a later attempt writes is no sign of this one.
    later = f"{number + 1}.claim" in present
    look.passing |= farm not in (None, "local")
    look.note(ORDERS)
    return Attempt(
        number,
        events,
        farm=None if farm in (None, "local") else str(farm),
        host=str(who.get("host", "")),
        job=str(job["id"]) if "id" in job else None,
        order=ordered(run, number, warn),
        process=process,
        rebooted=who.get("host") == here().host and who.get("boot") != here().boot,
        silence=_age([run.beat(number), run.events(number)], now) if unseen else None,
        submitted=None if events or not farm else _age([run.job(number)], now),
        refused=bool(job.get("refused")),
        wrote=None if events or not farm or later else _wrote(run, number, now),
    )


def lives(who: dict[str, Any] | Any, machine: Here) -> bool | None:
    """Say whether a process lives; None where it is, or was, on another machine.

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


def _object(path: Path, warn: Warn) -> dict[str, Any]:
    try:
        return read_json(path)
    except StoreError as error:
        warn(str(error))
        return {}


def _age(paths: Iterable[Path], now: Callable[[], float]) -> float | None:
    """Give the seconds since the latest of these files was touched, if there is any."""
    times = []
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(now() - max(times), 0.0) if times else None


def _wrote(run: RunDir, number: int, now: Callable[[], float]) -> float | None:
    """Give the age of the script's latest output, if it is of this attempt."""
    wrote = _age([run.metrics, run.train_metrics, run.messages], now)
    given = _age([run.claim(number), run.job(number)], now)
    return wrote if wrote is not None and given is not None and wrote < given else None


def clock(folder: Path) -> Callable[[], float]:
    """Give the time by the clock of a folder's file system, which may not be this machine's.

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
