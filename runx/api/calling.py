"""Launching and looking, from Python: what the command line does, for scripts and notebooks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, overload

from runx.api.planning import Experiment
from runx.commands.local import Local
from runx.errors import RunxError
from runx.plans import experiment as decided
from runx.plans.plan import LaunchOptions, namer, sweep_of
from runx.settings.load import load
from runx.settings.load import logroot as settled_logroot
from runx.terminal.manners import say
from runx.types import Run

if TYPE_CHECKING:
    from runx.types import RunRecord


@dataclass(frozen=True)
class Standings(Sequence["RunRecord"]):
    """How runs stand, as ``runx status`` shows it."""

    found: tuple[RunRecord, ...]

    @overload
    def __getitem__(self, place: int) -> RunRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Standings: ...
    def __getitem__(self, place: int | slice) -> RunRecord | Standings:
        """Give how one run stands, or how some do."""
        return Standings(self.found[place]) if isinstance(place, slice) else self.found[place]

    def __len__(self) -> int:
        return len(self.found)

    @property
    def states(self) -> dict[str, str]:
        """The state of each run, by its name."""
        return {one.name: one.state for one in self.found}

    def _written(self, form: str) -> str:
        from runx.formats import written
        from runx.reading.overview import status as table

        return written(form, table(self.found, time.time()))

    def __repr__(self) -> str:
        return self._written("table")

    def _repr_html_(self) -> str:
        return self._written("html")


def status(*words: str, where: str = "", logroot: str | Path | None = None) -> Standings:
    """Say how runs stand: those of experiments, of names or parts of names, or all."""
    from runx.reading.read import Reader
    from runx.reading.select import records_of

    root = Path(logroot).expanduser() if logroot else settled_logroot(Path.cwd(), os.environ)
    found = records_of(words, root, Path.cwd(), Reader(warn=_warn), where)
    return Standings(tuple(found))


def launch(
    runs: Iterable[Run],
    experiment: Experiment | None = None,
    *,
    here: bool = False,
    resume: bool = False,
    again: bool = False,
    jobs: int | None = 1,
    gpus_per_run: int | None = None,
    retries: int = 0,
    timeout: float | None = None,
    max_failures: int | None = None,
) -> Standings:
    """Launch runs of a plan, on the farm of their experiment or ``here``; say how they stand then.

    Where they run here, this returns when they have ended. ``jobs`` None is one for each free GPU,
    or core. ``experiment`` is needed for runs that are no longer a ``Plan``.
    """
    experiment = experiment or getattr(runs, "experiment", None)
    if experiment is None:
        raise RunxError("of which experiment are these runs? launch(runs, experiment)")
    settings = load(replace(experiment.request, here=True)) if here else experiment.settings
    local = Local(
        jobs=jobs or 0,
        gpus_per_run=gpus_per_run,
        retries=retries,
        timeout=timeout,
        max_failures=max_failures,
        again="launch(..., resume=True)",
    )
    return _launched(settings, tuple(runs), local, resume, again)


def _launched(
    settings: decided.Experiment, runs: Sequence[Run], local: Local, resume: bool, again: bool
) -> Standings:
    from runx.commands.here import room, run_here
    from runx.commands.launch import obstacle, submit_all
    from runx.launching.create import create_runs
    from runx.launching.preview import check_first

    if threading.current_thread() is not threading.main_thread() and settings.farm is None:
        raise RunxError("runs here are launched from the main thread alone, which hears signals")
    if any(run.dir.path.parent != settings.dir.path for run in runs):
        raise RunxError("these runs are not all of one experiment; launch each with its own")
    if not runs:
        return Standings(())
    obstacle(settings)
    check_first(settings, runs)
    there = None if settings.farm else room(settings, local)
    new_name = namer(settings, sweep_of(settings), datetime.now().astimezone())
    made = create_runs(settings, runs, new_name, LaunchOptions(resume, again), say)
    if made is None:
        return Standings(())
    (run_here(settings, made, local, there) if there else submit_all(made))
    dirs = [*(run.dir for run in made.runs), *(run.dir for run in made.adopted)]
    return status(*(str(run.path) for run in dirs), logroot=settings.logroot)


def _warn(line: str) -> None:
    say(f"warning: {line}")
