"""Where runs execute: in their own directories, in those of their steps, or of steps they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runx.errors import RunxError
from runx.nearest import suggestion
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import read_or_empty
from runx.rundir.step_states import StepEntry, step_entries
from runx.rundir.steps import own_steps, shared_steps


def places(runs: Sequence[RunDir], step: str = "") -> list[RunDir]:
    """Return the directories in which runs execute, or those of one of their steps.

    Steps that runs share are among them where all runs that need them, or that they gather, are.

    Raises:
        RunxError: No run has such a step.
    """
    found: dict[RunDir, None] = {}
    for run in runs:
        own = own_steps(run)
        found |= dict.fromkeys(own or [run])
    chosen = {*runs}
    folders = dict.fromkeys(run.path.parent for run in runs)
    for folder in folders:
        found |= dict.fromkeys(_shared(ExperimentDir(folder), chosen, bool(step)))
    if not step:
        return list(found)
    names = {place: _step_name(place) for place in found}
    if step not in names.values():
        known = list(dict.fromkeys(filter(None, names.values())))
        hint = suggestion(step, known) if known else "none of these runs has steps"
        raise RunxError(f"--step {step}: {hint}")
    return [place for place, name in names.items() if name == step]


def _shared(experiment: ExperimentDir, chosen: set[RunDir], any_will_do: bool) -> list[RunDir]:
    """Return the shared steps of an experiment all of whose runs are chosen, or some."""
    shared = shared_steps(experiment)
    if not shared:
        return []
    users: dict[RunDir, set[RunDir]] = {}
    for run in run_dirs(experiment):
        for entry in _entries(run):
            users.setdefault(entry.dir, set()).add(run)
    found = []
    for place in shared:
        gathered = read_or_empty(place.record, _ignore).get("runs") or ()
        of = users.get(place, set()) | {experiment.run(str(name)) for name in gathered}
        if of & chosen if any_will_do else of <= chosen:
            found.append(place)
    return found


def _entries(run: RunDir) -> list[StepEntry]:
    return step_entries(run, read_or_empty(run.record, _ignore))


def _step_name(place: RunDir) -> str:
    return str(read_or_empty(Path(place.record), _ignore).get("step") or "")


def _ignore(_: str) -> None:
    """Drop a warning: what is damaged is told by whoever reads the run."""
