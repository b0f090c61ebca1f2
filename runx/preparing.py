"""What a launch does once, before its first run: look, freeze the code, record what was asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from runx.errors import SettingsError
from runx.experiment import Code, Experiment
from runx.git import GitState, diff, state
from runx.launches import new_launch, record
from runx.launching import Kit, writable
from runx.runscript import Surroundings
from runx.staging import (
    Frozen,
    Method,
    Rules,
    editable_installs,
    freeze,
    method_for,
    source_folders,
    summary,
)
from runx.types import Run

_COPIED = "copy"


def prepare(
    experiment: Experiment,
    runs: Sequence[Run],
    argv: Sequence[str],
    now: datetime,
    say: Callable[[str], None],
) -> Kit:
    """Make all that the runs of one launch share."""
    git = _git(experiment.code, say)
    writable(experiment)
    frozen, method = _frozen(experiment, say)
    launch = new_launch(now)
    code = frozen.digest if frozen else ""
    changes = diff(experiment.code.root) if git and git.dirty else ""
    record(experiment, launch, runs, code, git, changes, argv)
    return Kit(experiment, launch, frozen, method, surroundings(experiment, frozen))


def _git(code: Code, say: Callable[[str], None]) -> GitState | None:
    git = state(code.root)
    if git is None or not git.dirty or code.source != "worktree" or code.git_dirty == "record":
        return git
    problem = f"{code.root}: has changes that are not committed"
    if code.git_dirty == "error":
        raise SettingsError(f"{problem}; commit them, or set GIT_DIRTY: record")
    say(f"warning: {problem}; they are frozen and recorded with the rest")
    return git


def rules(experiment: Experiment) -> Rules:
    """Say to staging what is frozen."""
    code = experiment.code
    return Rules(
        root=code.root,
        ignore=code.ignore,
        gitignore=code.gitignore,
        links=code.links,
        files=code.files,
        max_size=code.max_size,
        source=code.source,
        exclude=(experiment.logroot,),
        mode=code.staging,
    )


def _frozen(experiment: Experiment, say: Callable[[str], None]) -> tuple[Frozen | None, Method]:
    if experiment.code.staging == "none":
        say(f"CODE_STAGING is none: runs use {experiment.code.root} as it is while they run")
        return None, Method.COPY
    if not experiment.code.root.is_dir():
        origin = experiment.settings["CODE_ROOT"].origin
        raise SettingsError(f"{origin}: CODE_ROOT {experiment.code.root} is no folder")
    frozen = freeze(rules(experiment), experiment.dir.code)
    say(summary(frozen))
    for warning in (*frozen.warnings, *_unfrozen(experiment)):
        say(f"warning: {warning}")
    mode = _COPIED if experiment.dir_mode else experiment.code.staging
    method, why = method_for(mode, experiment.dir.code, experiment.dir.path, os.geteuid() == 0)
    if why:
        say(why)
    return frozen, method


def _unfrozen(experiment: Experiment) -> list[str]:
    return [
        f"{name} is installed editable from {experiment.code.root}: training imports it,"
        " not from the frozen code; pip uninstall it, or let PYTHONPATH name its folder"
        for name in editable_installs(
            experiment.code.root, [Path(item) for item in sys.path if item]
        )
    ]


def surroundings(experiment: Experiment, frozen: Frozen | None) -> Surroundings:
    """Say what every run.sh of this launch has in common."""
    folders = source_folders(frozen) if frozen else ("code",)
    return Surroundings(
        experiment=experiment.name,
        cmd=experiment.cmd,
        pythonpath=experiment.pythonpath or ":".join(f"LOGDIR/{folder}" for folder in folders),
        path=search_path(os.environ.get("PATH", os.defpath), sys.argv[0], sys.executable),
        project=str(experiment.code.root),
    )


def search_path(path: str, called: str, python: str) -> str:
    """Give the PATH that runs get: the launcher's, with its environment first if it was off PATH.

    A runx that was called by its path, as .venv/bin/runx, means the Python that is beside it; one
    that was found on PATH (pipx puts it there) leaves ``python`` to PATH.

    >>> search_path("/usr/bin:/bin", "/home/me/.venv/bin/runx", "/home/me/.venv/bin/python")
    '/home/me/.venv/bin:/usr/bin:/bin'
    >>> search_path("/home/me/bin:/bin", "/home/me/bin/runx", "/opt/pipx/runx/bin/python")
    '/home/me/bin:/bin'
    """
    folders = path.split(":")
    near = {os.path.dirname(os.path.abspath(item)) for item in (called, python)}  # noqa: PTH100, PTH120
    if near & set(folders):
        return path
    return ":".join([os.path.dirname(python), *folders])  # noqa: PTH120
