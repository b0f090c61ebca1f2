"""What is known about the run of a script: its names, where and when it runs, and its code."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runx.rundir.paths import RunDir
from runx.tracking.context import attempt_of, claimed_attempt, is_launched, object_in, place_of
from runx.tracking.logroot import logroot

_NAMES = (
    "name",
    "experiment",
    "tag",
    "attempt",
    "logdir",
    "host",
    "started",
    "launch",
    "commit",
    "dirty",
    "resources",
    "job",
    "step",
)


class RunInfo:
    """A run's ``name``, ``experiment``, ``tag``, ``attempt``, ``logdir`` and ``host``.

    ``started``: when this attempt was, in seconds since 1970. ``resources``: those of RESOURCES.
    ``launch``: the launch that this attempt is of, "" where nobody launched it. ``job``: the id of
    the scheduler's job, "" without one. ``step``: the step that executes, "" without STEPS.
    """

    __slots__ = (
        *[name for name in _NAMES if name not in ("commit", "dirty")],
        *("_claim", "_content", "_git"),
    )

    def __init__(
        self,
        run: RunDir,
        environment: Mapping[str, str] = os.environ,
        started: float | None = None,
    ) -> None:
        self._content = content = object_in(run.record)
        # The environment is about the run that was launched, and about no other directory.
        variables = environment if is_launched(run, environment) else {}
        path = run.path.absolute()
        self.logdir = str(run.path)
        self.name = str(content.get("name") or variables.get("RUNX_RUN") or path.name)
        self.experiment = str(
            content.get("experiment") or variables.get("RUNX_EXPERIMENT") or path.parent.name
        )
        self.tag = str(content.get("tag") or "")
        self.step = variables.get("RUNX_STEP", "")
        place = place_of(run, environment)
        self.attempt = attempt_of(run, environment).get("attempt") or claimed_attempt(place) or 1
        self.host = os.uname().nodename
        asked = content if place is run else object_in(place.record)
        self.resources: dict[str, Any] = dict(asked.get("resources") or {})
        begin = _start_of(place, self.attempt)
        self.started = float(begin.get("time") or started or time.time())
        job = begin.get("job") or object_in(place.job(self.attempt)).get("id")
        self.job = str(job or "")
        self._claim = claim = object_in(place.claim(self.attempt))
        self.launch = str(claim.get("launch") or content.get("launch") or "")
        self._git: tuple[str, bool | None] | None = None

    @property
    def commit(self) -> str:
        """The commit of the code, "" without a git checkout."""
        return self._state_of_git()[0]

    @property
    def dirty(self) -> bool | None:
        """Whether the code differs from its commit, None without a git checkout."""
        return self._state_of_git()[1]

    def _state_of_git(self) -> tuple[str, bool | None]:
        if self._git is None:
            run = RunDir(self.logdir)
            self._git = _recorded(run, self) if self._content else _checkout(run, Path.cwd())
        return self._git

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _NAMES)
        return f"RunInfo({shown})"


def _start_of(run: RunDir, attempt: int) -> Mapping[str, Any]:
    """Return what run.sh wrote of the start of an attempt, nothing where it wrote none."""
    from runx.rundir.events import read_events

    starts = [each for each in read_events(run, attempt) if each.name == "started"]
    return starts[-1].details if starts else {}


def _recorded(run: RunDir, info: RunInfo) -> tuple[str, bool | None]:
    """Return the commit that the launch which froze the run's code has recorded, and if it differs.

    Later launches that go on with the code of the first have other commits.
    """
    from runx.rundir.record import launch_of

    record, claim = info._content, info._claim
    is_restaged = claim.get("code") and claim["code"] != record.get("code")
    launch = launch_of(run, claim if is_restaged else record, lambda line: None)
    git = launch.get("git")
    source = launch.get("settings", {}).get("CODE_FROM", {}).get("value") or "worktree"
    dirty = bool(git.get("dirty")) and source == "worktree" if isinstance(git, dict) else None
    return str(launch.get("commit") or ""), dirty


def _checkout(run: RunDir, folder: Path) -> tuple[str, bool | None]:
    """Return the commit of the checkout that a folder is in, and whether something differs."""
    from runx.processes import CommandNotFound, run_command

    logs = [each for each in (run.path, logroot(folder)) if folder in each.absolute().parents]
    paths = [f":(exclude,literal){each.absolute().relative_to(folder)}" for each in logs]
    words = ["git", "status", "--porcelain=v2", "--branch", "-z", "--", ".", *paths]
    try:
        done = run_command(words, cwd=folder, environment={"GIT_OPTIONAL_LOCKS": "0"})
    except CommandNotFound:
        return "", None
    if done.status != 0:
        return "", None
    lines = done.output.split("\0")
    heads = [line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.o")]
    commit = heads[0] if heads and heads[0] != "(initial)" else ""
    return commit, any(line and not line.startswith("# ") for line in lines)
