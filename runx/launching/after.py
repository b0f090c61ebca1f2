"""What a launch waits for: other sweeps, or runs, by AFTER or --after."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.analysis.select import select
from runx.config.experiment import Experiment
from runx.errors import RunxError, SettingsError
from runx.farms.base import Farm, SubmittedJob, Wait
from runx.farms.control import ALIVE
from runx.farms.places import located
from runx.farms.query import query, submitted_jobs
from runx.farms.registry import farm_type_of
from runx.rundir.attempts import attempts_of, clock
from runx.rundir.events import place_of
from runx.rundir.paths import RunDir
from runx.rundir.record import read_or_empty
from runx.rundir.state import UNKNOWN, State
from runx.rundir.states import ENDED_WELL
from runx.rundir.step_states import current_step_state, step_entries
from runx.rundir.steps import When

Say = Callable[[str], None]
POLL = 5.0
"""Seconds between two looks at what runs here wait for."""


class Awaited(NamedTuple):
    """A run, or a step of one, that a launch waits for: until when, how it stands, and its job."""

    run: RunDir
    when: When
    state: State
    job: SubmittedJob | None = None
    origin: str = "--after"

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.state.name in ENDED_WELL or (
            self.when == "ended" and self.state.name not in (*ALIVE, UNKNOWN)
        )


class Named(NamedTuple):
    """The name of a sweep or a run that a launch waits for, until when, and who says so."""

    name: str
    when: When = "done"
    origin: str = "--after"


def named(experiment: Experiment, flags: Sequence[str]) -> list[Named]:
    """Return what a launch waits for, by AFTER and by flags, which outweigh it.

    Raises SettingsError for an experiment that is after itself.
    """
    names = {}
    for name, when in experiment.after.items():
        entry = experiment.entries["AFTER"]
        place = entry.at(name) if isinstance(entry.node, dict) else entry.origin
        origin = f"{place}: AFTER"
        if (experiment.logroot / name) == experiment.dir.path:
            raise SettingsError(f"{origin}: {name} can't wait for itself; take it out")
        names[name] = Named(name, when, origin)
    return list({**names, **{name: Named(name) for name in flags}}.values())


def awaited(names: Sequence[Named], logroot: Path, cwd: Path, warn: Say) -> list[Awaited]:
    """Return what a launch waits for, by the names of sweeps and runs; of runs with STEPS, these.

    Raises RunxError for a name that nothing has, and for what will never be done.
    """
    whens = {
        part: each for each in names for run in _runs(each, logroot, cwd) for part in _parts(run)
    }
    attempts = attempts_of(whens, warn)
    jobs = {job.run: job for job in submitted_jobs(attempts.items(), warn)}
    statuses = query(jobs.values(), warn)
    found = []
    for run in attempts:
        state, _ = current_step_state(run, attempts[run], statuses, clock(run.experiment))
        job = jobs.get(run)
        status = statuses.get(job.key) if job else None
        is_elsewhere = status is not None and status.state == "unseen"
        when, origin = whens[run][1:]
        found.append(Awaited(run, when, state, None if is_elsewhere else job, origin))
        if not found[-1].is_over and state.name not in (*ALIVE, UNKNOWN):
            raise RunxError(f"{origin}: {run.name} is {state}; runs after it would never start")
    return found


def _runs(each: Named, logroot: Path, cwd: Path) -> list[RunDir]:
    """Return the runs of a name; where there are none yet, the error says what launches them."""
    try:
        return select([each.name], logroot, cwd)
    except RunxError as error:
        files = (f"{each.name}.{end}" for end in ("yml", "yaml"))
        file = next((file for file in files if (cwd / file).is_file()), "")
        hint = f"; launch it first: runx {file}" if file else ""
        raise RunxError(f"{each.origin}: {error}{hint}") from None


def _parts(run: RunDir) -> list[RunDir]:
    """Return the steps of a run that are its own, itself where it has none."""
    entries = step_entries(run, read_or_empty(run.record, lambda _: None))
    return [entry.dir for entry in entries if entry.is_own] or [run]


def job_ids(
    names: Sequence[Named], logroot: Path, cwd: Path, farm: Farm, warn: Say
) -> dict[Wait, RunDir]:
    """Return the live jobs that a launch waits for, and their runs; what is over needs no waiting.

    Slurm takes a job that it has forgotten for done: an id is returned only while it is alive.

    Raises:
        RunxError: A run has failed or is elsewhere, or the farm has no such dependency.
    """
    farm = located(farm)
    waits = {
        Wait(
            dependency(each.run, each.state, each.job, farm, f"{each.origin}: "), each.when
        ): each.run
        for each in awaited(names, logroot, cwd, warn)
        if not each.is_over
    }
    if any(farm_type_of(farm.type).waits not in ("done", wait.when) for wait in waits):
        raise RunxError(f"{names[0].origin}: jobs of TYPE {farm.type} can't wait for others")
    return waits


def dependency(
    run: RunDir, state: State, job: SubmittedJob | None, farm: Farm, option: str = ""
) -> str:
    """Return the id of a run's job; a RunxError if jobs of the farm can't wait for it."""
    if job is None or not job.id or job.farm.name != farm.name:
        raise RunxError(
            f"{option}{run.name} is {state.name}, and not with the farm that would wait"
            " for it; launch when it is done"
        )
    if job.key[0] not in (farm.name, place_of(farm.name, farm.options)):
        # Another cluster has other jobs under the same ids.
        raise RunxError(
            f"{option}{run.name} is {state.name} at cluster"
            f" {job.farm.options['cluster']}, and jobs can't wait for those of another cluster;"
            " launch when it is done"
        )
    return job.id


def wait_here(
    names: Sequence[Named], logroot: Path, cwd: Path, say: Say, poll: float = POLL
) -> None:
    """Wait until what a launch here is after is over, and say for what when that changes.

    Raises RunxError where it will never be.
    """
    said = ""
    while left := [each for each in awaited(names, logroot, cwd, say) if not each.is_over]:
        counts = Counter(each.state.name for each in left)
        states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        line = f"waiting for {', '.join(each.name for each in names)}: {states}"
        if line != said:
            say(line)
        said = line
        time.sleep(poll)
