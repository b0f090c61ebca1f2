"""The farms that runs and steps may go to: what each has, and when it would start something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runx.config.experiment import LOCAL, Experiment

if TYPE_CHECKING:
    from datetime import datetime

    from runx.farms.resources import Needs
    from runx.launching.plan import PlannedAttempt


def experiments_at(experiment: Experiment) -> dict[str, Experiment]:
    """Return an experiment as it is at each farm that steps may go to, and on this machine."""
    found = {each.place: each for each in experiment.candidates or (experiment,)}
    for name, farm in experiment.farms.items():
        at_farm = experiment._replace(farm=farm, capacity=farm.capacity)
        found.setdefault(name, at_farm)
    found.setdefault(LOCAL, experiment._replace(farm=None, capacity=None))
    return {name: each._replace(candidates=()) for name, each in found.items()}


def expected(experiment: Experiment, planned: PlannedAttempt) -> datetime | None:
    """Return when an attempt would start where an experiment goes, None if nobody can tell."""
    from datetime import datetime

    from runx.farms.probe import expected_start
    from runx.launching.jobs import job_specs

    if experiment.farm is None:
        return datetime.now()
    jobs = job_specs(experiment, [planned])
    return expected_start(experiment.farm, jobs, experiment.dir.jobs("asked"))


def capacity_here(experiment: Experiment) -> Needs | None:
    """Return what a farm has for one run; this machine is measured where CAPACITY doesn't say."""
    if experiment.capacity is not None or experiment.farm is not None:
        return experiment.capacity
    import os

    from runx.local.capacity import measured

    return measured(experiment.gpus, os.environ)
