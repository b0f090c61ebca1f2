"""Ending, holding and releasing runs: those of farms by their schedulers, those here by signal."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from runx.disk.facts import (
    Attempts,
    Words,
    clock,
    here,
    read_attempts,
    state_said,
    status_of,
)
from runx.disk.orders import CANCEL, give
from runx.errors import FarmError, RunxError
from runx.farms import kind_of
from runx.machine.local import Live, tell
from runx.plans.experiment import Farm
from runx.processes import ran
from runx.rundir import RunDir
from runx.schedulers.asking import words
from runx.schedulers.delivering import ASK_SECONDS
from runx.schedulers.sent import by_farm, handed, whole_jobs
from runx.states.attempts import Attempt

Say = Callable[[str], None]
Command = tuple[str, ...]
_ON_ITS_WAY = ("queued", "running", "preempted")
_ORDERED = "those that wait end as they start, those that run within half a minute"
_PATIENCE, _PAUSE = 2.0, 0.05
GRACE = 30.0
"""Seconds that a run on this machine is given to end, once it has been told."""


class Alive(NamedTuple):
    """A run that has not come to its end: its last attempt, and how it stands."""

    run: RunDir
    attempt: Attempt
    state: str


def alive(known: Mapping[RunDir, Attempts], said: Words) -> list[Alive]:
    """Find those of the runs that wait or run, by their attempts and what schedulers said since."""
    found = []
    for run, attempts in known.items():
        now, attempts = state_said(run, attempts, said, clock(run.path.parent))
        unasked = now.name == "lost" and status_of(run, attempts, said) is None
        if attempts and (now.name in _ON_ITS_WAY or (unasked and attempts[-1].farm)):
            found.append(Alive(run, attempts[-1], now.name))
    return found


def _silent(_: str) -> None:
    """Warn of nothing: it was warned of when the schedulers were asked."""


def cancel(runs: Sequence[RunDir], say: Say, warn: Say, grace: float = GRACE) -> int:
    """End runs on purpose: the order is written first, so that their end is understood."""
    known = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    said = words(runs, warn, known)
    living = alive(known, said)
    alone = {one.run for one in living if one.attempt.farm and _ends_itself(one)}
    theirs = [one.run for one in living if one.attempt.farm and one.run not in alone]
    _check_known(theirs, "cancel")
    for one in living:
        give(one.run, CANCEL, one.attempt.number, heed=one.run in alone)
    told = [one for one in living if one.attempt.farm is None and _end_here(one, say)]
    _cancel_whole(theirs, runs)
    by_farms(theirs, "cancel", said)
    if alone:
        say(f"{len(alone)} told by an order, since runx can't end jobs of their farm: {_ORDERED}")
    _insist(told, grace, say)
    return len(living)


def _ends_itself(one: Alive) -> bool:
    """Say whether a run heeds an order of its own accord, as its farm has no way to end it.

    Its job must execute run.sh for that, not the bare command.
    """
    if any(kind_of(sent.farm.type).cancel for sent in handed([one.run], _silent)):
        return False
    file = one.run.submit_command
    submitted = file.read_text(errors="replace") if file.exists() else ""
    scripts = (one.run.script, one.run.script_of(one.attempt.number))
    names = (os.fspath(script.relative_to(one.run.path.parent)) for script in scripts)
    return any(name in submitted for name in names)


def _end_here(one: Alive, say: Say) -> bool:
    """Tell the run.sh of this machine's run, once it is sure that it is the one that was meant."""
    started = one.attempt.event("started")
    who = started.details if started else {}
    name = one.run.path.name
    if not started:
        say(f"{name}: has not started; its launcher is told by the order in {one.run.orders}")
    elif who.get("host") != here().host:
        say(f"{name}: runs on {who.get('host')}; its launcher there is told by the order")
    else:
        tell(Live(one.run, one.attempt.number, None, 0.0), signal.SIGTERM)
        return True
    return False


def _insist(told: Sequence[Alive], grace: float, say: Say) -> None:
    """Wait for the ends of this machine's runs; KILL what has not heeded TERM by then."""
    begun = time.monotonic()
    lives = [Live(one.run, one.attempt.number, None, begun) for one in told]
    noted = False
    while (lives := [one for one in lives if one.status() is None]) and (
        (waited := time.monotonic() - begun) < grace
    ):
        if waited > _PATIENCE and not noted:
            say(f"{len(lives)} have not ended yet; what still goes on after {grace:g} s is killed")
            noted = True
        time.sleep(_PAUSE)
    for one in lives:
        say(f"{one.dir.path.name}: has not heeded TERM; killed")
        tell(one, signal.SIGKILL)


def by_farms(runs: Sequence[RunDir], verb: str, said: Words) -> int:
    """Have each farm cancel, hold or release the jobs of runs; give how many it was told of."""
    count = 0
    for farm, several in by_farm(handed(runs, _silent)):
        words_of = [said.get((farm.name, one.id)) for one in several]
        ids = [
            one.id
            for one, word in zip(several, words_of, strict=True)
            if one.id and (word is None or word.state in _ON_ITS_WAY)
        ]
        if ids:
            _tell(farm, _commands(farm, verb)(ids, farm), verb)
        count += len(ids)
    return count


def _cancel_whole(living: Sequence[RunDir], meant: Sequence[RunDir]) -> None:
    """Have jobs of which every run is meant cancelled at once, where a farm has a way to do it."""
    for farm, several in by_farm(handed(living, _silent)):
        way = kind_of(farm.type).cancel_whole
        names = whole_jobs(several, set(meant)) if way else []
        if way and names:
            _tell(farm, way(names, farm), "cancel")


def _check_known(runs: Sequence[RunDir], verb: str) -> None:
    # Before any order is written: a run that counts as cancelled while its job still waits would
    # be started again beside it.
    for farm, _ in by_farm(handed(runs, _silent)):
        _commands(farm, verb)


def _commands(farm: Farm, verb: str) -> Callable[[Sequence[str], Farm], Sequence[Command]]:
    kind = kind_of(farm.type)
    commands = {"cancel": kind.cancel, "hold": kind.hold, "release": kind.release}[verb]
    if commands is None:
        raise FarmError(
            f"farm {farm.name}: runx can't {verb} jobs of TYPE {farm.type}; do it in its own way"
        )
    return commands


def _tell(farm: Farm, commands: Sequence[Command], verb: str) -> None:
    kind = kind_of(farm.type)
    for command in commands:
        try:
            finished = ran(command, timeout=ASK_SECONDS)
        except RunxError as error:
            raise FarmError(f"farm {farm.name}: {error}; {kind.package}") from None
        if finished.status and not (verb == "cancel" and kind.was_over(finished)):
            raise FarmError(f"farm {farm.name}: {command[0]}: {finished.complaint}")
