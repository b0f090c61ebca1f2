"""Run directories read back as Results. Nothing is written, and nothing damaged stops the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from runx.disk.experiments import places
from runx.disk.facts import clock
from runx.errors import StoreError
from runx.reading.details import detailed
from runx.reading.entries import Entries
from runx.reading.index import MANY, Index, opened
from runx.reading.looking import standing
from runx.reading.standing import Reader, Standing
from runx.rundir import ExperimentDir, RunDir
from runx.types import Result

WORTH_A_FORK = 400
"""So many runs take longer to read than a fork to start, and to tell of them."""


class Seen(NamedTuple):
    """What a look at a directory came to, and what is wrong there."""

    found: Standing | None
    warnings: tuple[str, ...] = ()


def collect(experiment: ExperimentDir, reader: Reader) -> Iterator[Result]:
    """Give the runs of an experiment, by name, one after another."""
    reader = reader._replace(attempts=bool(reader.details))
    return (standing.result for standing in standings(experiment, reader))


def standings(experiment: ExperimentDir, reader: Reader) -> Iterator[Standing]:
    """Give the runs of an experiment with how each stands, by name, one after another."""
    runs = list(places(experiment))
    return read(runs, experiment.path.name, reader, index_for(runs, experiment, reader))


def index_for(runs: Sequence[RunDir], experiment: ExperimentDir, reader: Reader) -> Index | None:
    """Open the index of an experiment if it can help to read so many of its runs."""
    if len(runs) < MANY or reader.at is not None:
        return None
    return opened(experiment, reader.measures, reader.attempts)


def read(
    runs: Sequence[RunDir], experiment: str, reader: Reader, index: Index | None = None
) -> Iterator[Standing]:
    """Read the directories that are runs'; what is damaged costs a warning, each time."""
    if not runs:
        return
    now = clock(runs[0].path.parent)
    look = partial(_seen, experiment=experiment, now=now, reader=reader, index=index)
    try:
        ahead = _ahead(runs, look, reader.hands, index)
        for run in runs:
            seen = ahead.pop(run, None)
            one = index.find(run, experiment) if index and not seen else None
            if one is None:
                one, warnings = seen or look(run)
                for warning in warnings:
                    reader.warn(warning)
            if one is not None:
                yield _with_details(one, reader, now) if reader.details else one
        if index:
            index.write()
    finally:
        if index:
            index.close()


def _seen(
    run: RunDir,
    experiment: str,
    now: Callable[[], float],
    reader: Reader,
    index: Index | None,
) -> Seen:
    """Look at a directory; what is wrong with it stops nobody."""
    warnings: list[str] = []
    one = None
    try:
        one = standing(run, experiment, now, reader._replace(warn=warnings.append), index)
    except (StoreError, OSError) as error:
        warnings.append(f"{os.fspath(run)}: left out: {_without(error, run)}")
    return Seen(one, tuple(warnings))


def _ahead(
    runs: Sequence[RunDir], look: Callable[[RunDir], Seen], hands: int, index: Index | None
) -> dict[RunDir, Seen]:
    """Look with all hands at the runs of which nothing is known, if they are many.

    What the index takes of them is found there.
    """
    hands = min(hands, (len(runs) - (index.known if index else 0)) // WORTH_A_FORK)
    if hands < 2:
        return {}
    unread = [run for run in runs if not (index and index.answers(run))]
    from runx.processes import shared_out

    def looked(part: Sequence[RunDir]) -> tuple[dict[RunDir, Seen], Entries]:
        seen = {run: look(run) for run in part}
        fresh = index.fresh if index else {}
        return {run: one for run, one in seen.items() if not _kept(run, fresh)}, fresh

    left: dict[RunDir, Seen] = {}
    for seen, fresh in shared_out(looked, [unread[at::hands] for at in range(hands)]):
        left.update(seen)
        if index:
            index.fresh.update(fresh)
    return left


def _kept(run: RunDir, fresh: Entries) -> bool:
    return os.path.basename(os.fspath(run)) in fresh


def _with_details(one: Standing, reader: Reader, now: Callable[[], float]) -> Standing:
    details = {
        name: found
        for name, found in detailed(one, reader.details, now(), reader.warn)
        if found is not None
    }
    return one._replace(result=replace(one.result, details=details))


def _without(error: Exception, run: RunDir) -> str:
    """Tell an error without the path that the warning begins with."""
    return str(error).removeprefix(f"{os.fspath(run)}/")
