"""The first run, tried for a while before the others start: SMOKE.

It has the code, the command and the needs of a real one, in a folder of its own under LOGROOT. That
goes when it has ended; what a killed launcher leaves there ends by itself, and goes with the next.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runx.api.output import Lines
from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.config.guards import Smoke
from runx.errors import FarmError, RunxError, SettingsError
from runx.launching.context import rules
from runx.launching.plan import LaunchOptions, LaunchPlan
from runx.launching.preview import as_shown
from runx.local.options import LocalOptions
from runx.locks import hold, is_held
from runx.rundir.argv import shell_command
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.logdir import Logdir
from runx.rundir.paths import ATTEMPTS, LOCK, ExperimentDir, RunDir
from runx.rundir.run import Run, RunRecord
from runx.rundir.state import State, state
from runx.staging.freeze import freeze
from runx.sweeps.scalars import duration_text
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.api.launched import Caller

_FOLDER = ".smoke"
_GRACE = 10.0
_MARGIN = 60
"""Seconds after its time at which a run ends by itself, should nobody have ended it."""
_LINES = 12
_SCRIPT = """\
#!/usr/bin/env bash
# This run is tried; should its launcher be killed, it ends by itself.
cd -- "${{BASH_SOURCE[0]%/*}}" && exec timeout -k 10 {seconds} bash tried.sh "$@"
"""


class SmokeFailed(RunxError):
    """The run that was tried has failed, so that nothing was started."""

    status = 1


@contextmanager
def folder_of(settings: Settings) -> Iterator[Path]:
    """Make a folder under LOGROOT for what is thrown away, and remove it in the end."""
    root = settings.logroot / _FOLDER
    is_new = not settings.logroot.exists()
    folder = root / f"{os.getpid()}.{secrets.token_hex(4)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # Another launcher has removed it since.
            folder.mkdir()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"SMOKE: LOGROOT: {root} can't be written: {error.strerror}") from None
    _remove_stale(root, folder)
    try:
        with hold(folder / LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # Others try theirs, or there are experiments.
            root.rmdir()
            if is_new:
                settings.logroot.rmdir()


def _remove_stale(root: Path, own: Path) -> None:
    """Remove what launchers have left that are dead, unless its run goes on."""
    for folder in root.iterdir():
        lock = folder / LOCK
        if folder == own or is_held(lock) or (is_held(lock) is None and lock.exists()):
            continue
        is_old = time.time() - folder.stat().st_mtime > _MARGIN
        if is_old and not any(map(is_held, folder.glob(f"*/*/{ATTEMPTS}/{LOCK}"))):
            shutil.rmtree(folder, ignore_errors=True)


def try_first(
    settings: Settings,
    runs: Iterable[Run],
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
    smoke, run = settings.smoke, next(iter(runs), None)
    if smoke is None or caller.elsewhere is None or run is None:
        return
    where = caller.elsewhere(smoke.farm)
    _check(where)
    quiet = caller._replace(
        say=lambda line: caller.say(line) if line.startswith("warning: ") else None,
        echo=_ignore,
        watcher=lambda *_: Lines(1, {}, caller.say, quiet=True),
    )
    here = LocalOptions(gpus_per_run=local.gpus_per_run, timeout=smoke.time, grace=_GRACE)
    _try_run(where, run, smoke, lambda own, plan: launch(own, plan, here, quiet), caller.say)


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
    run: Run,
    smoke: Smoke,
    launch: Callable[[Settings, LaunchPlan], bool],
    say: Say,
) -> None:
    from runx.launching.create import create_runs
    from runx.local.signals import Interrupted

    length = duration_text(smoke.time)
    place = f"at farm {settings.farm.name}" if settings.farm else "here"
    with folder_of(settings) as folder:
        own = _thrown_away(settings, folder, smoke.time)
        tried = Run(run.name, own.dir.run(run.name), run.point)
        [shown] = as_shown(settings, [tried])
        command = shell_command(own.cmd, shown.point, Logdir.at(run.dir), own.style)
        say(f"trying the first run {place} for {length}: {command}")
        plan, *_ = create_runs(own, [tried], lambda point: run.name, LaunchOptions(), _ignore)
        assert plan.context is not None
        _bound(tried.dir, smoke.time)
        began = time.monotonic()
        if launch(own, plan):
            raise Interrupted("stopped while the first run was tried; nothing was started")
        state = _at_farm(tried.dir, smoke, say) if own.farm else _state(tried.dir)
        took = duration_text(time.monotonic() - began)
        if state.name not in ("done", "timeout"):
            raise _failed(own, tried, state, took, say)
        if freeze(rules(own), own.dir.code).digest != plan.context.frozen.digest:
            raise SmokeFailed("the code has changed while it was tried, so nothing was started")
        say(f"it was done after {took}" if state.name == "done" else f"it ran well for {length}")


def _ignore(_: str) -> None:
    """Drop what the launch says, too."""


def _thrown_away(settings: Settings, folder: Path, seconds: float) -> Settings:
    """Return the settings of an experiment in a folder of its own, of one run that is tried once.

    A farm is asked for no more time than that takes, which may start it sooner.
    """
    from runx.farms.resources import needs

    code, farm, resources = settings.code, settings.farm, settings.resources
    limit = math.ceil(seconds + 2 * _MARGIN)
    if farm is not None and (needs(resources).time or 0) > limit:
        others = [each for each in resources if each.name.lower() != "time"]
        resources = (*others, Hparam("time", f"{limit}s", f"{limit}s"))
    return settings._replace(
        dir=ExperimentDir(folder / settings.dir.path.name),
        code=code._replace(git_dirty="record" if code.git_dirty == "ask" else code.git_dirty),
        farm=farm and farm._replace(array=False, max_parallel=None, requeue=None, retries=None),
        resources=resources,
        number=None,
        metrics=None,
        max_failures=None,
    )


def _bound(run: RunDir, seconds: float) -> None:
    """Make a run end by itself some time after it should have been ended."""
    run.script.rename(run.path / "tried.sh")
    run.script.write_text(_SCRIPT.format(seconds=math.ceil(seconds + _MARGIN)))


def _state(run: RunDir) -> State:
    return state(read_attempts(run, clock(run.path.parent), _ignore))


def _at_farm(run: RunDir, smoke: Smoke, say: Say) -> State:
    """Wait until a run at a farm has ended, or has run for its time, and cancel it then.

    The state is ``timeout`` in the second case.
    """
    from runx.launching.control import cancel, look_at

    begin, said = 0.0, ""
    try:
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
    finally:
        try:
            cancel([run], _ignore, _ignore)
        except FarmError as error:
            say(f"warning: the run that was tried ends by itself: {error}")


def _failed(settings: Settings, run: Run, current: State, took: str, say: Say) -> SmokeFailed:
    """Say what a run has printed last; return the error that names the cause."""
    from runx.analysis.failures import Failure, reason
    from runx.rundir.output import readable

    hparams = run.hparams
    record = RunRecord(run.name, run.dir, hparams, current, {}, experiment=settings.name)
    failure = Failure.of(record)
    for line in readable(failure.tail).strip().splitlines()[-_LINES:]:
        say(f"    {line}")
    return SmokeFailed(
        f"the first run failed {took} after its start: {reason(failure)}; nothing was started:"
        " mend it, or launch with SMOKE=0"
    )
