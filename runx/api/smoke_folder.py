"""The folder of what is tried by SMOKE, and the experiment that goes with it."""

from __future__ import annotations

import math
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runx.config.experiment import Experiment as Settings
from runx.errors import SettingsError
from runx.locks import hold, is_held
from runx.rundir.handback import Requeue
from runx.rundir.paths import ATTEMPTS, LOCK, ExperimentDir, RunDir
from runx.rundir.steps import Step
from runx.sweeps.grid import holds_template
from runx.sweeps.values import Hparam

_FOLDER = ".smoke"
_MARGIN = 60
"""Seconds after its time at which a run ends by itself, should nobody have ended it."""
_SCRIPT = """\
#!/usr/bin/env bash
# This run is tried; should its launcher be killed, it ends by itself.
cd -- "${{BASH_SOURCE[0]%/*}}" && exec timeout -k 10 {seconds} bash tried.sh "$@"
"""


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


def thrown_away(settings: Settings, folder: Path, seconds: float) -> Settings:
    """Return the settings of an experiment in a folder of its own, of one run that is tried once.

    A farm is asked for no more time than that takes, which may start it sooner.
    """
    code, farm, steps = settings.code, settings.farm, settings.steps
    limit = math.ceil(seconds + 2 * _MARGIN) * (len(steps) or 1)
    alternatives = tuple(_brief(each, limit) for each in settings.alternatives)
    if farm is None:
        limit, alternatives = 0, settings.alternatives
    return settings._replace(
        dir=ExperimentDir(folder / settings.dir.path.name),
        code=code._replace(git_dirty="record" if code.git_dirty == "ask" else code.git_dirty),
        farm=farm and farm._replace(array=False, max_parallel=None, requeue=None, retries=None),
        resources=alternatives[0],
        alternatives=alternatives,
        steps=tuple(_brief_step(step, limit) for step in steps),
        number=None,
        metrics=None,
        retries=None,
        max_failures=None,
        after={},
    )


def _brief_step(step: Step, limit: int) -> Step:
    own = tuple(_brief(each, limit) if limit else each for each in step.alternatives)
    return step._replace(
        resources=own[0] if own else step.resources,
        alternatives=own,
        requeue=step.requeue and Requeue(max=0),
    )


def _brief(resources: tuple[Hparam, ...], limit: int) -> tuple[Hparam, ...]:
    """Return resources with no more time than a limit, in seconds."""
    from runx.farms.resources import needs

    short = Hparam("time", f"{limit}s", f"{limit}s")
    return tuple(
        short
        if each.name.lower() == "time"
        and (holds_template(each.value) or (needs((each,)).time or 0) > limit)
        else each
        for each in resources
    )


def bound(run: RunDir, seconds: float) -> None:
    """Make a run end by itself some time after it should have been ended."""
    run.script.rename(run.path / "tried.sh")
    run.script.write_text(_SCRIPT.format(seconds=math.ceil(seconds + _MARGIN)))
