"""What a launch does once, before its first run: it freezes the code and records itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runx.config.experiment import LOCAL, Experiment
from runx.errors import SettingsError
from runx.farms.base import Farm
from runx.launching.record import record
from runx.locks import acquire
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings
from runx.staging.freeze import freeze
from runx.staging.git import GitState, changes, commit, diff, git_problem, git_state
from runx.staging.materialize import method_for
from runx.staging.messages import code_warnings, editable_installs, source_folders, summary
from runx.staging.store import WORKTREE, FreezeRules, FrozenCode, StagingMethod
from runx.sweeps.naming import new_launch

if TYPE_CHECKING:
    from runx.launching.graph import StepRuns
    from runx.rundir.searches import Search

Say = Callable[[str], None]

Ask = Callable[[str, Sequence[str]], str]
"""Asks a person what to do about changes, which it gets in a line and as lines of git's.

Returns the message to commit them with, "" to record them. Raises a RunxError to stop.
"""


def refuse(problem: str, _changes: Sequence[str]) -> str:
    """Stop where GIT_DIRTY is ask, and there is nobody to ask."""
    raise SettingsError(
        f"{problem}, and GIT_DIRTY: ask needs a terminal; commit them, or set GIT_DIRTY: record"
    )


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """What all runs of one launch are made with.

    ``lock``: the launch's, open and held, by which others see that its launcher lives; None on a
    farm. ``graph``: the steps of its runs, None without STEPS. ``searches``: what its runs are
    searched by, by name.
    """

    experiment: Experiment
    launch: str
    frozen: FrozenCode
    method: StagingMethod
    script: ScriptSettings
    lock: int | None = None
    graph: StepRuns | None = None
    searches: Mapping[str, Search] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The digest of the frozen code, None where runs start in the project itself."""
        return self.frozen.digest or None


def prepare(
    experiment: Experiment,
    runs: Sequence[Run],
    argv: Sequence[str],
    now: datetime,
    say: Say,
    ask: Ask | None = None,
) -> LaunchContext:
    """Freeze the code, record the launch, and return the context of its runs.

    Raises:
        SettingsError: Git has changes and GIT_DIRTY is error; or the farm can't do REQUEUE.
        StagingError: The code can't be frozen.
    """
    root = experiment.code.root
    git = _git(experiment, say, ask)
    frozen = _frozen(experiment, say)
    method, why = method_for(
        experiment.code.staging, experiment.dir.code, experiment.dir.path, os.geteuid() == 0
    )
    if why:
        say(why)
    launch = experiment.texts["launch"]
    if (experiment.dir.launches / launch).exists():
        launch = new_launch(now)  # an experiment in Python may be launched several times
    is_dirty = git is not None and git.dirty
    patch = diff(root, (experiment.logroot,)) if is_dirty else ""
    record(experiment, launch, runs, frozen, git, patch, argv)
    called = argv[0] if argv else sys.executable
    settings = script_settings(experiment, frozen, called)
    named = (name for step in experiment.steps for name in (step.farm, *step.choices))
    is_here = experiment.farm is None or LOCAL in named
    lock = acquire(experiment.dir.launch_lock(launch)) if is_here else None
    return LaunchContext(experiment, launch, frozen, method, settings, lock)


def check_root(experiment: Experiment) -> None:
    """Raise a SettingsError unless CODE_ROOT is a folder."""
    root = experiment.code.root
    if not root.is_dir():
        raise SettingsError(
            f"{experiment.settings['CODE_ROOT'].origin}: CODE_ROOT {root} is no folder"
        )


def _git(experiment: Experiment, say: Say, ask: Ask | None) -> GitState | None:
    """Return the state of the code's repository; GIT_DIRTY decides what changes mean."""
    code = experiment.code
    git = git_state(code.root, (experiment.logroot,))
    if git is None and (why := git_problem(code.root)):
        say(f"warning: {why}")
    if git is None or not git.dirty or code.source != WORKTREE or code.git_dirty == "record":
        return git
    problem = f"{code.root}: has changes that are not committed"
    if code.git_dirty == "ask":
        return _settled(experiment, git, problem, say, ask or refuse)
    if code.git_dirty == "error":
        raise SettingsError(f"{problem}; commit them, or set GIT_DIRTY: record")
    say(f"warning: {problem}; they are frozen and recorded with the rest")
    return git


def _settled(
    experiment: Experiment, git: GitState, problem: str, say: Say, ask: Ask
) -> GitState | None:
    """Ask what to do, commit if that is wished, and return the state of the repository then."""
    root, exclude = experiment.code.root, (experiment.logroot,)
    message = ask(problem, changes(root, exclude))
    if not message:
        return git
    commit(root, exclude, message)
    after = git_state(root, exclude)
    if after is not None:
        rest = "; what differs still is recorded" if after.dirty else ""
        say(f"committed as {after.commit[:12]}{rest}")
    return after


def rules(experiment: Experiment) -> FreezeRules:
    """Return the rules of what is frozen."""
    code = experiment.code
    return FreezeRules(
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


def _frozen(experiment: Experiment, say: Say) -> FrozenCode:
    root = experiment.code.root
    frozen = freeze(rules(experiment), experiment.dir.code)
    say(summary(frozen))
    for warning in (*code_warnings(frozen), *_unfrozen(root)):
        say(f"warning: {warning}")
    return frozen


def _unfrozen(root: Path) -> list[str]:
    """Return a warning on each package whose code is used where it lies, not frozen."""
    folders = [Path(folder) for folder in sys.path if folder]
    return [
        f"{name} is installed editable from {root}: training imports it, not the frozen code;"
        " pip uninstall it, or let PYTHONPATH name its folder"
        for name in editable_installs(root, folders)
    ]


def script_settings(experiment: Experiment, frozen: FrozenCode, called: str) -> ScriptSettings:
    """Return what all run.sh of a launch share; ``called`` is the path by which runx was called."""
    default = ":".join(f"LOGDIR/{folder}" for folder in source_folders(frozen))
    return ScriptSettings(
        experiment=experiment.name,
        cmd=experiment.cmd,
        pythonpath=experiment.pythonpath or default,
        path=search_path(os.environ.get("PATH", os.defpath), called, sys.executable),
        project=str(experiment.code.root),
        style=experiment.style,
        shell=experiment.shell,
        requeue=experiment.farm.requeue if experiment.farm else None,
        handback=handback_of(experiment, experiment.farm) if experiment.farm else ("", 0, ""),
        retries=experiment.retries if experiment.farm else None,
        max_failures=experiment.max_failures,
    )


def handback_of(experiment: Experiment, farm: Farm) -> tuple[str, int, str]:
    """Return how run.sh hands a run back to its scheduler, and sends it elsewhere if it may."""
    from runx.farms.registry import farm_type_of

    handback = farm_type_of(farm.type).handback
    command, status, elsewhere = handback or ("", 0, "")
    return command, status, elsewhere if experiment.avoid_hosts else ""


def search_path(path: str, called: str, python: str) -> str:
    """Return the PATH of runs: the launcher's, after the folder of ``python`` if runx is off PATH.

    A runx that was called by its path, as .venv/bin/runx, means the Python that is beside it; one
    that is on PATH (pipx puts it there) leaves ``python`` to PATH.

    >>> search_path("/usr/bin:/bin", "/home/me/.venv/bin/runx", "/home/me/.venv/bin/python")
    '/home/me/.venv/bin:/usr/bin:/bin'
    >>> search_path("/home/me/bin:/bin", "/home/me/bin/runx", "/opt/pipx/runx/bin/python")
    '/home/me/bin:/bin'
    """
    folders = path.split(":")
    own = {os.path.dirname(os.path.abspath(file)) for file in (called, python)}  # noqa: PTH100, PTH120
    if own & set(folders):
        return path
    return ":".join([os.path.dirname(python), *folders])  # noqa: PTH120
