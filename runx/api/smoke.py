"""The first run, tried for a while before the others start: SMOKE.

It has the code, the command and the needs of a real one, in a folder of its own under LOGROOT. That
goes when it has ended; what a killed launcher leaves there ends by itself, and goes with the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from runx.api.output import Lines
from runx.api.printing import Say
from runx.api.smoke_folder import bound, folder_of, thrown_away
from runx.config.experiment import Experiment as Settings
from runx.config.guards import Smoke
from runx.errors import FarmError, RunxError, SettingsError
from runx.launching.context import rules
from runx.launching.plan import LaunchOptions, LaunchPlan
from runx.launching.preview import as_shown
from runx.local.options import LocalOptions
from runx.rundir.argv import shell_command
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.logdir import Logdir
from runx.rundir.paths import RunDir
from runx.rundir.run import Run, RunRecord
from runx.rundir.state import State, state
from runx.staging.freeze import freeze
from runx.sweeps.scalars import duration_text

if TYPE_CHECKING:
    from runx.api.launched import Caller

_GRACE = 10.0
_LINES = 12
_IN_TIME = ("timeout", "planned", "blocked")
"""States of what isn't done, but nothing is wrong with: its time is over, or that of another."""
_Ends = list[tuple[Run, State]]


class SmokeFailed(RunxError):
    """The run that was tried has failed, so that nothing was started."""

    status = 1


def try_first(
    settings: Settings,
    runs: Sequence[Run],
    options: LaunchOptions,
    local: LocalOptions,
    caller: Caller,
    launch: Callable[[Settings, LaunchPlan, LocalOptions, Caller], bool],
) -> None:
    """Try the first of the runs that start, where SMOKE says, and throw away what it leaves.

    ``launch`` executes the one run of a plan to its end, or submits it to its farm; it returns
    whether a person has stopped it.

    Raises:
        SmokeFailed: It has failed, or its code has changed meanwhile.
        Interrupted: A person has stopped it.
    """
    smoke = settings.smoke
    if smoke is None or caller.elsewhere is None:
        return
    first = _first(settings, runs, options, caller.say)
    if first is None:
        return
    where = caller.elsewhere(smoke.farm)
    _check(where)
    quiet = caller._replace(
        say=lambda line: caller.say(line) if line.startswith("warning: ") else None,
        echo=_ignore,
        watcher=lambda *_: Lines(1, {}, caller.say, quiet=True),
        begun=None,
    )
    here = LocalOptions(gpus_per_run=local.gpus_per_run, timeout=smoke.time, grace=_GRACE)
    _try_run(where, first, smoke, lambda own, plan: launch(own, plan, here, quiet), caller.say)


class _First(NamedTuple):
    """The run that is tried; with STEPS these, by name, and those that others need of it."""

    run: Run
    steps: tuple[str, ...] = ()
    done: tuple[RunDir, ...] = ()


def _first(
    settings: Settings, runs: Sequence[Run], options: LaunchOptions, say: Say
) -> _First | None:
    """Return the first run that starts; with STEPS the first of whose own all start."""
    if not settings.steps:
        from runx.launching.preview import starting

        routes = starting(settings, runs, options, _ignore)
        run = next((run for route in routes for run in route.runs), None)
        return _First(run) if run else None
    from runx.launching.step_plan import steps_to_start

    plan = steps_to_start(settings, runs, options, _ignore)
    begin = {each.run.dir for each in plan.plan.attempts}
    for run in (each.run for each in plan.runs):
        needed = {each.dir: each.step for each in plan.graph.of[run.dir] if each.step}
        if all(dir in begin for dir, step in needed.items() if step.per.is_run):
            done = {dir for dir in needed if dir not in begin and _state(dir).name == "done"}
            names = tuple(step.name for dir, step in needed.items() if dir not in done)
            return _First(run, names, tuple(done))
    if begin:
        say("note: SMOKE: nothing is tried: what starts follows steps that are done")
    return None


def _check(settings: Settings) -> None:
    """Raise a SettingsError for a farm that can't be asked how its jobs are."""
    from runx.farms.registry import farm_type_of

    farm = settings.farm
    if farm and not farm_type_of(farm.type).queries:
        raise SettingsError(
            f"SMOKE.farm: {farm.name}: a farm of TYPE {farm.type} can't be asked for its jobs;"
            " leave farm out, to try the run here"
        )


def _try_run(
    settings: Settings,
    first: _First,
    smoke: Smoke,
    launch: Callable[[Settings, LaunchPlan], bool],
    say: Say,
) -> None:
    from runx.local.signals import Interrupted

    run, length = first.run, duration_text(smoke.time)
    with folder_of(settings) as folder:
        own = thrown_away(settings, folder, smoke.time)
        tried = Run(run.name, own.dir.run(run.name), run.point)
        say(f"trying the first run {_what(settings, first, smoke)}")
        plan = _made(own, tried, first)
        assert plan.context is not None
        for each in plan.runs:
            bound(each.dir, smoke.time)
        began = time.monotonic()
        if launch(own, plan):
            raise Interrupted("stopped while the first run was tried; nothing was started")
        ends = _at_farm(plan.runs, smoke, say) if own.farm else _here(plan.runs)
        took = duration_text(time.monotonic() - began)
        if worst := _worst(ends):
            raise _failed(own, *worst, took, say)
        if freeze(rules(own), own.dir.code).digest != plan.context.frozen.digest:
            raise SmokeFailed("the code has changed while it was tried, so nothing was started")
        is_done = all(state.name == "done" for _, state in ends)
        say(f"it was done after {took}" if is_done else f"it ran well for {length}")


def _what(settings: Settings, first: _First, smoke: Smoke) -> str:
    """Return where the first run is tried, for how long, and its command or its steps."""
    place = f"at farm {settings.farm.name}" if settings.farm else "here"
    length = duration_text(smoke.time)
    if first.steps:
        return f"{place}, {length} each: {', '.join(first.steps)}"
    [shown] = as_shown(settings, [first.run])
    command = shell_command(settings.cmd, shown.point, Logdir.at(first.run.dir), settings.style)
    return f"{place} for {length}: {command}"


def _made(own: Settings, tried: Run, first: _First) -> LaunchPlan:
    """Make the run that is tried, and its steps; what they need that is done is where it was."""
    from runx.launching.create import create_runs

    make: Callable[..., LaunchPlan | None] | None = None
    if first.steps:
        from runx.launching.create_steps import create_steps

        make = create_steps
    for done in first.done:
        link = own.dir.run(done.path.relative_to(done.experiment).as_posix()).path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(done.path)
    options = LaunchOptions(steps=first.steps)
    plan, *_ = create_runs(own, [tried], lambda _: tried.name, options, _ignore, make_steps=make)
    return plan


def _ignore(_: str) -> None:
    """Drop what the launch says, too."""


def _here(runs: Sequence[Run]) -> _Ends:
    return [(run, _state(run.dir)) for run in runs]


def _worst(ends: _Ends) -> tuple[Run, State] | None:
    """Return what has failed, None where all were done, or ran well until their time was over."""
    undone = [(run, state) for run, state in ends if state.name != "done"]
    bad = [each for each in undone if each[1].name not in _IN_TIME]
    if not bad and any(state.name == "timeout" for _, state in undone):
        return None
    return next(iter(bad or undone), None)


def _state(run: RunDir) -> State:
    return state(read_attempts(run, clock(run.path.parent), _ignore))


def _at_farm(runs: Sequence[Run], smoke: Smoke, say: Say) -> _Ends:
    """Wait for runs one after another, until one isn't done, or has run for its time: ``timeout``.

    Cancel all of them then.
    """
    from runx.launching.control import cancel

    ends: _Ends = []
    dirs = [run.dir for run in runs]
    try:
        for run in runs:
            ends.append((run, _end_at_farm(run.dir, smoke, say)))
            if ends[-1][1].name != "done":
                break
        return ends
    finally:
        try:
            cancel(dirs, _ignore, _ignore)
        except FarmError as error:
            say(f"warning: the run that was tried ends by itself: {error}")


def _end_at_farm(run: RunDir, smoke: Smoke, say: Say) -> State:
    """Wait until a run at a farm has ended, or has run for its time: ``timeout``."""
    from runx.launching.control import look_at

    begin, said = 0.0, ""
    while True:
        now, look = time.monotonic(), look_at([run], _ignore)
        current = look.state(run)
        if current.name == "running" and any(each.events for each in look.attempts[run]):
            begin = begin or now
        elif current.name not in ("queued", "running", "planned"):
            return current
        elif str(current) != said:
            said = str(current)
            say(f"it is {said}")
        if begin and now - begin >= smoke.time:
            return State("timeout")
        time.sleep(max(0.5, min(5.0, smoke.time / 10)))


def _failed(settings: Settings, run: Run, current: State, took: str, say: Say) -> SmokeFailed:
    """Say what a run has printed last; return the error that names the cause."""
    from runx.analysis.failures import Failure, reason
    from runx.rundir.output import readable

    hparams = run.hparams
    record = RunRecord(run.name, run.dir, hparams, current, {}, experiment=settings.name)
    failure = Failure.of(record)
    for line in readable(failure.tail).strip().splitlines()[-_LINES:]:
        say(f"    {line}")
    what = f"{run.step.name} of the first run" if run.step else "the first run"
    return SmokeFailed(
        f"{what} failed {took} after its start: {reason(failure)}; nothing was started:"
        " mend it, or launch with SMOKE=0"
    )
