"""Ending, holding and releasing runs: those of farms by their schedulers, those here by signal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from runx.asking import words
from runx.attempts import Attempt, Facts
from runx.delivering import ASK_SECONDS
from runx.errors import FarmError, RunxError
from runx.experiment import Farm
from runx.facts import Words, clock, facts, here, lives
from runx.farms import kind_of
from runx.orders import CANCEL, give
from runx.processes import ran
from runx.rundir import RunDir
from runx.sent import by_farm, handed, whole_jobs
from runx.state import state

Say = Callable[[str], None]
Command = tuple[str, ...]
_ON_ITS_WAY = ("queued", "running", "preempted")


class Alive(NamedTuple):
    """A run that has not come to its end: its last attempt, and how it stands."""

    run: RunDir
    attempt: Attempt
    state: str


def alive(runs: Iterable[RunDir], said: Words, warn: Say) -> list[Alive]:
    """Find those of the runs that wait or run."""
    found = []
    for run in runs:
        known: Facts = facts(run, clock(run.path.parent), warn, said)
        stands = state(known).name
        if known.attempts and stands in _ON_ITS_WAY:
            found.append(Alive(run, known.attempts[-1], stands))
    return found


def cancel(runs: Sequence[RunDir], say: Say, warn: Say) -> int:
    """End runs on purpose: the order is written first, so that their end is understood."""
    said = words(runs, warn)
    living = alive(runs, said, warn)
    _check_known([one.run for one in living if one.attempt.farm], "cancel", warn)
    for one in living:
        give(one.run, CANCEL, one.attempt.number)
    for one in living:
        if one.attempt.farm is None:
            _end_here(one, say)
    _cancel_whole([one.run for one in living if one.attempt.farm], runs, warn)
    by_farms([one.run for one in living if one.attempt.farm], "cancel", said, warn)
    return len(living)


def _end_here(one: Alive, say: Say) -> None:
    """Tell the run.sh of this machine's run, once it is sure that it is the one that was meant."""
    started = one.attempt.event("started")
    who = started.details if started else {}
    name = one.run.path.name
    if not started:
        say(f"{name}: has not started; its launcher is told by the order in {one.run.orders}")
    elif who.get("host") != here().host:
        say(f"{name}: runs on {who.get('host')}; cancel it there")
    elif lives(who, here()):
        os.kill(int(who["pid"]), signal.SIGTERM)
    else:
        _end_group(one)


def _end_group(one: Alive) -> None:
    """Tell the script's own processes, whose run.sh is gone; their lock has just been seen held."""
    running = one.attempt.event("running")
    if running is None:
        return
    try:
        os.killpg(int(running.details["group"]), signal.SIGTERM)
    except ProcessLookupError:
        pass


def by_farms(runs: Sequence[RunDir], verb: str, said: Words, warn: Say) -> int:
    """Have each farm cancel, hold or release the jobs of runs; give how many it was told of."""
    count = 0
    for farm, several in by_farm(handed(runs, warn)):
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


def _cancel_whole(living: Sequence[RunDir], meant: Sequence[RunDir], warn: Say) -> None:
    """Have jobs of which every run is meant cancelled at once, where a farm has a way to do it."""
    for farm, several in by_farm(handed(living, warn)):
        way = kind_of(farm.type).cancel_whole
        names = whole_jobs(several, set(meant)) if way else []
        if way and names:
            _tell(farm, way(names, farm), "cancel")


def _check_known(runs: Sequence[RunDir], verb: str, warn: Say) -> None:
    # Before any order is written: a run that counts as cancelled while its job still waits would
    # be started again beside it.
    for farm, _ in by_farm(handed(runs, warn)):
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
