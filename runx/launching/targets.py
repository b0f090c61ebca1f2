"""The farms that runs and steps may go to: what each has, and when it would start something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runx.config.experiment import LOCAL, Experiment
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from runx.farms.resources import Needs
    from runx.launching.plan import PlannedAttempt
    from runx.rundir.steps import Step


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


def places_of_job(experiment: Experiment, leader: Step) -> tuple[str, ...]:
    """Return the names of the farms that a job of steps may go to, by the step that leads it."""
    return tuple(leader.choices) or (leader.farm or experiment.place,)


def destination(place: str, alternative: int, of: int, needed: Sequence[tuple[Hparam, ...]]) -> str:
    """Return where runs or steps go, for people: to which farm, and what the first needs there.

    ``alternative`` is the number of what fits, from 0 on, ``of`` as many alternatives.

    >>> four, two = (Hparam("gpus", 4, "4"),), (Hparam("gpus", 2, "2"),)
    >>> destination("big", 0, 1, [four]), destination("big", 1, 3, [four, two])
    ('big: gpus: 4', 'big (alternative 2 of 3): gpus: 4; others differ')
    """
    from runx.sweeps.summary import shown

    asked = ", ".join(f"{each.name}: {shown(each)}" for each in needed[0]) or "no RESOURCES"
    others = "; others differ" if len(set(needed)) > 1 else ""
    which = f" (alternative {alternative + 1} of {of})" if of > 1 else ""
    return f"{place}{which}: {asked}{others}"


def capacity_here(experiment: Experiment) -> Needs | None:
    """Return what a farm has for one run; this machine is measured where CAPACITY doesn't say."""
    if experiment.capacity is not None or experiment.farm is not None:
        return experiment.capacity
    import os

    from runx.local.capacity import measured

    return measured(experiment.gpus, os.environ)
