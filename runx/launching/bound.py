"""What a launch leaves to a run of a search: its command with the point that it falls back to."""

from __future__ import annotations

from pathlib import Path

from runx.errors import StoreError
from runx.launching.context import LaunchContext
from runx.rundir.bound_script import bound_text, command_of
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import NodeLayout, ScriptSettings
from runx.rundir.searches import read_point, search_dir
from runx.rundir.step_command import is_directory
from runx.sweeps.values import Point
from runx.trials.spaces import point_of

_WAY = "and launch again"


def write_bound(
    run: Run, context: LaunchContext, settings: ScriptSettings, spread: NodeLayout, folder: RunDir
) -> None:
    """Write fallback.sh of a run of a search, or of its step, and bound.sh where it has its point.

    ``folder`` is where its files are written; what is bound takes what this launch sets.
    """
    trial = run.point.trial
    assert trial is not None
    place = search_dir(context.experiment.dir, trial.search)
    command = command_of(run, settings, spread, context.experiment.config)
    files = {folder.fallback: place.fallback(trial.number)}
    if folder.bound.exists():
        files[folder.bound] = place.point(trial.number)
    for path, source in files.items():
        text = bound_text(command, run.dir, _whole(run, context, source))
        write_whole(path, text)


def _whole(run: Run, context: LaunchContext, source: Path) -> Point:
    """Return the whole point of a run, given the file with what was chosen of it."""
    trial = run.point.trial
    assert trial is not None
    fixed = {each.name: each.value for each in run.point.hparams if not is_directory(each)}
    content = read_point(source)
    point = point_of(context.searches[trial.search], content["values"], fixed) if content else None
    if point is None:
        raise StoreError(f"{source}: is no point of {run.name}; remove the search's folder, {_WAY}")
    return point
