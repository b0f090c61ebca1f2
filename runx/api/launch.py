"""Launching from Python, and looking at what a launch would execute."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runx.api.experiment import Experiment, SweepPlan
from runx.config import experiment as decided
from runx.errors import RunxError
from runx.launching.plan import RETRIED, LaunchOptions, PlannedAttempt
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.api.inspect import Standings
    from runx.api.start import Caller
    from runx.local.executor import Watcher


Say = Callable[[str], None]


def launch(
    runs: Iterable[Run],
    experiment: Experiment | None = None,
    *,
    here: bool = False,
    resume: bool | None = None,
    again: bool = False,
    jobs: int | None = 1,
    gpus_per_run: int | None = None,
    retries: int = 0,
    timeout: float | None = None,
    max_failures: int | None = None,
    fail_fast: bool = False,
    grace: float = 30.0,
    stream: bool = False,
    attach: bool = False,
    retry: Sequence[str] = RETRIED,
    restage: bool = False,
    where: str = "",
    limit: int | None = None,
    shuffle: bool = False,
    after: Sequence[str] = (),
    test_only: bool = False,
    argv: Sequence[str] = (),
) -> Standings:
    """Launch runs of a plan, on the farm of their experiment or ``here``; return how they stand.

    Where they run here, this returns when they have ended. ``jobs`` None is one for each free GPU,
    or core; ``resume`` None is what RESUME says. ``experiment`` is needed for runs that are no
    longer a ``Plan``. ``argv`` is recorded as what was typed. Times are in seconds.

    Raises:
        RunxError: What is asked for can't be done; nothing has started.
        FarmError: The farm refused a submission; those before it went through.
    """
    from runx.api.inspect import Standings, status
    from runx.api.start import start

    chosen = tuple(runs)
    settings = settings_for(chosen, experiment or getattr(runs, "experiment", None), here)
    resume = settings.resume if resume is None else resume
    sweep = SweepPlan.of(settings, sys.maxsize)
    options = sweep.options(
        where or None, limit, shuffle, resume, again, retry, restage, single=attach
    )
    if not chosen:
        return Standings(())
    caller = _caller(argv)
    if test_only:
        would_take(settings, chosen, options, caller.say)
        return Standings(())
    local = LocalOptions(
        jobs=jobs or 0,
        gpus_per_run=gpus_per_run,
        retries=retries,
        timeout=timeout,
        grace=grace,
        max_failures=1 if fail_fast else max_failures,
        stream=stream,
        attach=attach,
    )
    if threading.current_thread() is not threading.main_thread() and settings.farm is None:
        raise RunxError("runs here are launched from the main thread alone, which hears signals")
    launched = start(settings, chosen, sweep.new_name, options, local, caller, after)
    if launched is None:
        return Standings(())
    return status(*(str(run.path) for run in launched.runs), logroot=settings.logroot)


def preview(
    runs: Iterable[Run],
    experiment: Experiment | None = None,
    *,
    here: bool = False,
    resume: bool | None = None,
    retry: Sequence[str] = RETRIED,
    where: str = "",
    limit: int | None = None,
    shuffle: bool = False,
    json: bool = False,
) -> list[Any]:
    """Return exactly what a launch would execute; touch nothing.

    These are lines that a shell takes, or with ``json`` a dictionary for each run.
    """
    from json import loads

    from runx.api.output import remark

    chosen = tuple(runs)
    settings = settings_for(chosen, experiment or getattr(runs, "experiment", None), here)
    resume = settings.resume if resume is None else resume
    sweep = SweepPlan.of(settings, sys.maxsize)
    options = sweep.options(where or None, limit, shuffle, resume, retry=retry)
    text = lines(settings, starting(settings, chosen, options, remark), json)
    return list(loads("".join(text))) if json else list(text)


def settings_for(
    runs: Sequence[Run], experiment: Experiment | None, here: bool
) -> decided.Experiment:
    """Return the settings of the experiment that runs are of, those of runs ``here`` if asked.

    Raises:
        RunxError: The runs are of another experiment, or nobody says of which.
    """
    if experiment is None:
        raise RunxError("of which experiment are these runs? launch(runs, experiment)")
    settings = experiment.here().settings if here else experiment.settings
    if any(run.dir.path.parent != settings.dir.path for run in runs):
        raise RunxError("these runs are not all of one experiment; launch each with its own")
    return settings


def would_take(
    settings: decided.Experiment, runs: Iterable[Run], options: LaunchOptions, say: Say
) -> None:
    """Ask the scheduler whether it would take what would start.

    Raises:
        FarmError: It would refuse a job.
    """
    from runx.farms.query import would_take as ask
    from runx.launching.jobs import job_specs

    attempts = map(PlannedAttempt, starting(settings, runs, options, say))
    jobs = job_specs(settings, attempts)
    ask(settings.farm, jobs, settings.dir.jobs(settings.texts["launch"]), say)


def starting(
    settings: decided.Experiment, runs: Iterable[Run], options: LaunchOptions, say: Say
) -> Iterable[Run]:
    """Return the runs that a launch would start."""
    from runx.launching.preview import starting as chosen

    return chosen(settings, runs, options, say)


def obstacles(settings: decided.Experiment) -> Iterator[str]:
    """Return what a launch would stop at, on the way to its first run."""
    from runx.launching.preview import obstacles as named

    return named(settings, os.environ)


def lines(settings: decided.Experiment, runs: Iterable[Run], json: bool = False) -> Iterator[str]:
    """Return what would be executed for each run: a line that a shell takes, or a JSON object."""
    from runx.launching.preview import args_named
    from runx.launching.preview import lines as shell_lines

    if not json:
        return shell_lines(settings, runs)
    from runx.launching.preview_jobs import objects

    def named() -> Iterator[str]:
        with args_named(settings):
            yield from objects(settings, runs)

    return named()


def _caller(argv: Sequence[str]) -> Caller:
    """Return a caller in Python: remarks on stderr; output, or commands and lines, on stdout."""
    from runx.api.output import data, remark
    from runx.api.start import Caller

    return Caller(say=remark, echo=data, watcher=_watcher, argv=argv)


def _watcher(total: int, jobs: int, commands: Mapping[RunDir, str], local: LocalOptions) -> Watcher:
    from runx.api.output import Lines, Streamed

    if local.attach:
        return Lines(total, commands, quiet=True)
    if jobs == 1 or local.stream:
        return Streamed(total, commands, names=jobs > 1)
    return Lines(total, commands)
