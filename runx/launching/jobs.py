"""Runs of a launch as jobs for its farm: what each is called, executes and needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from runx.cmdline.argv import shell_command
from runx.cmdline.logdir import Logdir
from runx.farms import farm_type_of
from runx.farms.base import Farm, JobArray, JobSpec
from runx.plans.experiment import Experiment
from runx.plans.plan import PlannedAttempt, resources_of
from runx.schedulers.jobs import job_arrays
from runx.types import Run


def job_specs(experiment: Experiment, attempts: Iterable[PlannedAttempt]) -> list[JobSpec]:
    """Return the jobs of runs, each with the attempt that it executes."""
    return [
        JobSpec(
            name=f"{experiment.name}_{run.name}",
            experiment=experiment.name,
            run=run.name,
            tag=run.point.tag,
            dir=run.dir,
            attempt=attempt,
            resources=resources_of(experiment, run),
            template_values=partial(_template_values, experiment, run),
        )
        for run, attempt, _ in attempts
    ]


def _template_values(experiment: Experiment, run: Run) -> dict[str, Any]:
    logdir = Logdir.at(run.dir)
    command = shell_command(experiment.cmd, run.point, logdir, experiment.style)
    return {"command": command, "hparams": logdir.in_value(run.hparams)}


def planned_arrays(experiment: Experiment, farm: Farm, runs: Iterable[Run]) -> Sequence[JobArray]:
    """Return what would be submitted of runs that are planned; nothing is touched."""
    farm_type = farm_type_of(farm.type)
    jobs = job_specs(experiment, (PlannedAttempt(run, 1) for run in runs))
    folder = experiment.dir.jobs(experiment.texts["launch"])
    return job_arrays(jobs, farm, farm_type, folder, farm_type.largest)
