"""The runs of a launch as jobs of its farm, and the jobs that it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from runx.analysis.hosts import avoided, failing_hosts_of
from runx.config.experiment import Experiment
from runx.farms.base import Farm, JobArray, JobSpec, Wait
from runx.farms.control import ALIVE
from runx.farms.jobs import job_arrays
from runx.farms.places import located
from runx.farms.query import query, submitted_jobs, together
from runx.farms.registry import farm_type_of
from runx.farms.waits import Place, places_of
from runx.launching.after import dependency
from runx.launching.plan import PlannedAttempt, resources_of
from runx.rundir.argv import shell_command
from runx.rundir.attempts import attempts_of, clock
from runx.rundir.logdir import Logdir
from runx.rundir.paths import STEPS, RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.step_command import step_command
from runx.rundir.step_states import current_step_state


def job_specs(experiment: Experiment, attempts: Iterable[PlannedAttempt]) -> list[JobSpec]:
    """Return the jobs of runs, each with the attempt that it executes."""
    return [
        JobSpec(
            name=f"{experiment.name}_{_label(run)}",
            experiment=experiment.name,
            run=run.name,
            tag=run.point.tag,
            dir=run.dir,
            attempt=planned.attempt,
            resources=resources_of(experiment, run),
            template_values=partial(_template_values, experiment, run),
            code=None if planned.is_new or planned.restaged else staged_code(run.dir),
            step=run.step,
            after=run.after,
        )
        for planned in attempts
        for run in [planned.run]
    ]


def _label(run: Run) -> str:
    """Return a run's name as the name of its job has it, of a step with a dot.

    >>> from runx.sweeps.values import Point
    >>> _label(Run("wise-owl/steps/eval", RunDir("/l/sweep/wise-owl/steps/eval"), Point(())))
    'wise-owl.eval'
    """
    return run.name.removeprefix(f"{STEPS}/").replace(f"/{STEPS}/", ".")


def avoiding(experiment: Experiment, say: Callable[[str], None]) -> Experiment:
    """Return an experiment whose farm keeps jobs from machines on which runs fail at once."""
    farm = experiment.farm
    if farm is None or not (experiment.avoid_hosts and farm_type_of(farm.type).excludes):
        return experiment
    hosts = failing_hosts_of(experiment.dir) if experiment.dir.path.is_dir() else {}
    for host, count in hosts.items():
        say(avoided(host, count))
    return experiment._replace(farm=farm._replace(avoid=tuple(hosts)))


def _template_values(experiment: Experiment, run: Run) -> dict[str, Any]:
    logdir = Logdir.at(run.dir)
    if run.point.trial is not None:  # Its command is known when it starts; run.sh reads it then.
        return {"hparams": logdir.in_value(run.hparams)}
    if run.step is not None:
        command = step_command(run, experiment.style)
        return {"command": command, "hparams": logdir.in_value(run.hparams)}
    command = shell_command(experiment.cmd, run.point, logdir, experiment.style)
    return {"command": command, "hparams": logdir.in_value(run.hparams)}


def planned_arrays(
    experiment: Experiment, farm: Farm, runs: Iterable[Run], after: tuple[Wait, ...] = ()
) -> Sequence[JobArray]:
    """Return the job arrays of planned runs, or of steps, at a farm; nothing is written.

    Where they wait for each other, an array that has no id yet is ``JOB`` and its number.
    """
    farm_type = farm_type_of(farm.type)
    jobs = job_specs(experiment, (PlannedAttempt(run, 1) for run in runs))
    folder = experiment.dir.jobs(experiment.texts["launch"])
    arrays, places = [], dict[RunDir, Place]()
    for array in job_arrays(jobs, farm, farm_type, folder, farm_type.largest, after, places):
        places |= places_of(array, [f"JOB{array.number}"] * len(array.jobs), farm_type)
        arrays.append(array)
    return arrays


def places_of_earlier(
    attempts: Sequence[PlannedAttempt], farm: Farm, warn: Callable[[str], None]
) -> dict[RunDir, Place]:
    """Return which jobs of earlier launches execute what steps wait for that are to be submitted.

    Raises RunxError where that is somewhere else than at the farm.
    """
    planned = {each.run.dir for each in attempts}
    waited = {before.dir for each in attempts for before in each.run.after} - planned
    read = attempts_of(waited, warn)
    jobs = {job.run: job for job in submitted_jobs(read.items(), warn)}
    statuses = query(jobs.values(), warn)
    places = {}
    for run in waited & read.keys():
        state, _ = current_step_state(run, read[run], statuses, clock(run.experiment))
        if state.name in ALIVE:
            job = jobs.get(run)
            id = dependency(run, state, job, located(farm))
            members = tuple(together(job)) if job and job.shares else ()
            places[run] = Place(id, id, lasts=members)
    return places
