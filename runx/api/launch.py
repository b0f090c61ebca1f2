"""Launching runs from Python, and previews of what a launch would execute."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runx.api.experiment import Experiment, SweepPlan
from runx.api.printing import Say, data, remark
from runx.config.experiment import Experiment as Settings
from runx.errors import RunxError
from runx.launching.plan import RETRIED, LaunchOptions
from runx.launching.support import check_options
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.api.inspect import Standings
    from runx.local.tasks import Watcher


def launch(
    runs: Iterable[Run],
    experiment: Experiment | None = None,
    *,
    here: bool = False,
    resume: bool | None = None,
    again: bool = False,
    jobs: int | None = 1,
    gpus_per_run: int | None = None,
    retries: int | None = None,
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
    steps: Sequence[str] = (),
    test_only: bool = False,
    argv: Sequence[str] = (),
    wait: bool = True,
) -> Any:
    """Submit runs of a plan to the farm of their experiment, or execute them ``here``.

    Runs here have ended when this returns, unless it does not ``wait``: then a launcher of its own
    goes on with them, whatever becomes of this process. ``jobs`` None is one for each free GPU, or
    core; ``resume`` None is what RESUME says; with ``steps``, which alone start then, it is True.
    ``experiment`` is needed for runs that are no more a ``Plan``. ``argv`` is recorded as what was
    typed. Times are in seconds.

    Returns:
        The runs that started, with their states; those of the plan that are there already where
        ``resume`` has started none.

    Raises:
        RunxError: An option is wrong, or can't be had here; nothing has started.
        FarmError: The farm refused a submission; those before it went through.
    """
    from runx.api.detached import DetachedLaunch, detach
    from runx.api.handle import Handle

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
    planned = tuple(runs)
    experiment = experiment_of(planned, experiment or getattr(runs, "experiment", None), here)
    settings = experiment.settings
    _check(settings, local, after, wait)
    steps = (steps,) if isinstance(steps, str) else tuple(steps)
    resume = settings.resume or bool(steps) if resume is None else resume
    sweep = SweepPlan.of(settings, sys.maxsize)
    choice: dict[str, Any] = {"where": where or None, "limit": limit, "shuffle": shuffle}
    choice |= {"resume": resume, "again": again, "retry": retry}
    choice |= {"restage": restage, "single": attach, "steps": steps}
    options = sweep.options(**choice)
    if test_only and planned:
        would_take(settings, planned, options, remark, after)
    started: tuple[RunDir, ...] = ()
    starts = bool(planned) and not test_only
    if starts and (wait or not settings.may_run_here):
        started = _started(sweep, planned, options, local, after, argv, experiment.at)
    elif starts:
        begun = detach(DetachedLaunch(experiment.request, planned, choice, local, argv), remark)
        if begun:
            return Handle(settings.dir, begun.runs, begun.launch, begun.launcher)
    if resume and not started and not test_only:
        started = _matching(planned, settings)
    return _standings(started, settings) if wait else Handle(settings.dir, started)


def _check(settings: Settings, local: LocalOptions, after: Sequence[str], wait: bool) -> None:
    """Raise a RunxError for an option that can't be followed where the runs go."""
    if settings.farm and not settings.candidates:
        check_options(settings.farm, local.given())
    if settings.may_run_here:
        if not settings.candidates:
            from runx.api.prepared import job_ids_of

            job_ids_of(settings, after, remark)  # It says what will never be done.
        if not wait and (local.stream or local.attach):
            raise RunxError("wait=False shows no output; runx.logs(..., follow=True) does")


def _started(
    sweep: SweepPlan,
    runs: Sequence[Run],
    options: LaunchOptions,
    local: LocalOptions,
    after: Sequence[str],
    argv: Sequence[str],
    elsewhere: Callable[[str], Settings],
) -> tuple[RunDir, ...]:
    """Start runs; return those that were started."""
    is_main = threading.current_thread() is threading.main_thread()
    runs_here = sweep.settings.may_run_here or sweep.settings.smoke is not None
    if runs_here and not is_main:
        raise RunxError(
            "runs here are launched from the main thread alone, which gets signals; or wait=False"
        )
    from runx.api.launched import Caller
    from runx.api.start import start

    caller = Caller(remark, data, _watcher, argv, elsewhere=elsewhere)
    launched = start(sweep.settings, runs, sweep.new_name, options, local, caller, after)
    if launched is None:
        return ()
    if sweep.settings.steps:  # Those of the runs that they belong to are asked for.
        owners = dict.fromkeys(step.owner for step in launched.runs)
        return tuple(owner for owner in owners if owner.path.parent == sweep.settings.dir.path)
    return launched.runs


def _matching(runs: Sequence[Run], settings: Settings) -> tuple[RunDir, ...]:
    """Return the runs that exist and are those of a plan."""
    from runx.launching.decide import existing_runs

    keys = {settings.id_of(run.point) for run in runs}
    has_steps = bool(settings.steps)
    existing = existing_runs(settings.dir, settings.identity, lambda line: None, has_steps)
    return tuple(each.dir for each in existing if each.id in keys)


def _standings(runs: Sequence[RunDir], settings: Settings) -> Standings:
    from runx.api.inspect import Standings, status

    names = [str(run.path) for run in runs]
    return status(*names, logroot=settings.logroot) if names else Standings(())


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
    """Return what a launch would execute; write nothing.

    A shell takes the lines as they are; with ``json`` there is a dictionary for each run.
    """
    from json import loads

    from runx.api.prepared import avoiding
    from runx.launching.preview import lines, starting

    planned = tuple(runs)
    experiment = experiment_of(planned, experiment or getattr(runs, "experiment", None), here)
    settings = experiment.settings
    resume = settings.resume if resume is None else resume
    settings = avoiding(settings, remark)
    sweep = SweepPlan.of(settings, sys.maxsize)
    options = sweep.options(where or None, limit, shuffle, resume, retry=retry)
    text = lines(starting(settings, planned, options, remark), json)
    return list(loads("".join(text))) if json else list(text)


def experiment_of(runs: Sequence[Run], experiment: Experiment | None, here: bool) -> Experiment:
    """Return the experiment of some runs, or the same for runs ``here``.

    Raises:
        RunxError: The experiment is not given, or the runs are not all of it.
    """
    if experiment is None:
        raise RunxError("of which experiment are these runs? launch(runs, experiment)")
    experiment = experiment.here() if here else experiment
    if any(run.dir.path.parent != experiment.settings.dir.path for run in runs):
        raise RunxError("these runs are not all of one experiment; launch each with its own")
    return experiment


def would_take(
    settings: Settings,
    runs: Iterable[Run],
    options: LaunchOptions,
    say: Say,
    after: Sequence[str] = (),
) -> None:
    """Ask the scheduler whether it would accept the jobs of a launch, without submitting them.

    Raises:
        FarmError: It would refuse a job.
    """
    from runx.api.prepared import avoiding, job_ids_of
    from runx.farms.probe import test_submission as ask
    from runx.launching.jobs import job_specs
    from runx.launching.preview import starting

    for route in starting(settings, runs, options, say):
        experiment = avoiding(route.experiment, say)
        jobs = job_specs(experiment, route.attempts)
        predecessors = job_ids_of(experiment, after, say)
        folder = experiment.dir.jobs(experiment.texts["launch"])
        ask(experiment.farm, jobs, folder, say, tuple(predecessors))


def _watcher(total: int, jobs: int, commands: Mapping[RunDir, str], local: LocalOptions) -> Watcher:
    """Return what shows runs here: remarks on stderr; commands and output on stdout."""
    from runx.api.output import Lines, Streamed

    if local.attach:
        return Lines(total, commands, quiet=True)
    if jobs == 1 or local.stream:
        return Streamed(total, commands, names=jobs > 1)
    return Lines(total, commands)
