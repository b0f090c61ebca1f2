"""What runs print, followed as it grows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runx.api.inspect import HINT, runs_named
from runx.api.printing import Say, warning
from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.rundir.output import Follower
    from runx.rundir.paths import RunDir

_PAUSE = 0.2  # seconds between two looks at output that is followed


@dataclass(frozen=True)
class Logs:
    """The output of runs: pairs of a run and a line, read when they are asked for."""

    runs: tuple[RunDir, ...]
    lines: Iterator[tuple[RunDir, str]]

    def __iter__(self) -> Iterator[tuple[RunDir, str]]:
        return self.lines


def logs(
    *names: str,
    where: str = "",
    follow: bool = False,
    lines: int | None = None,
    step: str = "",
    logroot: str | Path | None = None,
    warn: Say = warning,
) -> Logs:
    """Return the output of runs, of all of their steps or of one, or the last ``lines`` of each.

    ``follow`` goes on until the runs have ended.

    Raises:
        RunxError: Nothing is named, no run matches, or none has written any output.
    """
    from runx.analysis.step_places import places
    from runx.rundir.output import Follower, start_of_last
    from runx.rundir.workspace import join, workspace_of

    runs = places(runs_named(names, where, logroot, warn, HINT), step)
    for run in runs:
        if workspace_of(run):
            join(run, warn)
        if run.output.exists() and not os.access(run.output, os.R_OK):
            warn(f"{run.output}: left out: you may not read it")
    if not follow and not any(run.output.exists() for run in runs):
        silent = ", ".join(run.name for run in runs) or " ".join(names)
        raise RunxError(f"{silent}: no output yet; see runx status {' '.join(names)}")
    starts = [0 if lines is None else start_of_last(run.output, lines) for run in runs]
    followers = {run: Follower(run.output, start) for run, start in zip(runs, starts, strict=True)}
    return Logs(tuple(runs), _lines(followers, follow, warn))


def _lines(
    followers: Mapping[RunDir, Follower], follow: bool, warn: Say
) -> Iterator[tuple[RunDir, str]]:
    """Return the lines of all runs, those that were added since the last look run by run."""
    while follow and any(_is_alive(run, warn) for run in followers):
        for run, follower in followers.items():
            yield from ((run, line) for line in follower.new_lines())
        time.sleep(_PAUSE)
    for run, follower in followers.items():
        yield from ((run, line) for line in follower.new_lines(True))


def _is_alive(run: RunDir, warn: Say) -> bool:
    from runx.rundir.attempts import clock, read_attempts
    from runx.rundir.state import state

    return state(read_attempts(run, clock(run.path.parent), warn)).alive
