"""Attempts that one job executes: in turn, or side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobSpec
from runx.farms.resources import Needs
from runx.rundir.paths import RunDir


def chained(jobs: Sequence[JobSpec], alive: Collection[RunDir] = ()) -> list[JobSpec]:
    """Return jobs, those of steps that ask for nothing of their own inside of another's.

    Such a step is executed after what it waits for, in the same job, where that is all in one, and
    of the same PER. ``jobs`` are in an order in which each follows what it waits for; ``alive`` are
    those that jobs of earlier launches execute.
    """
    chain_of: dict[RunDir, list[JobSpec]] = {}
    chains = []
    for job in direct(jobs, alive):
        before = [chain_of.get(each.dir) for each in job.after]
        chain = before[0] if before else None
        if chain and all(each is chain for each in before) and _joins(job, chain[0]):
            chain.append(replace(job, after=()))
        else:
            chain = [job]
            chains.append(chain)
        chain_of[job.dir] = chain
    return [replace(first, then=tuple(rest)) if rest else first for first, *rest in chains]


def direct(jobs: Iterable[JobSpec], alive: Collection[RunDir]) -> list[JobSpec]:
    """Return jobs that wait for what isn't over, without what that waits for itself."""
    behind: dict[RunDir, frozenset[RunDir]] = {}
    found = []
    for job in jobs:
        after = [each for each in job.after if each.dir in behind or each.dir in alive]
        implied = frozenset[RunDir]().union(*(behind.get(each.dir, ()) for each in after))
        behind[job.dir] = implied.union(each.dir for each in after)
        after = [each for each in after if each.dir not in implied]
        found.append(replace(job, after=tuple(after)) if job.after else job)
    return found


def _joins(job: JobSpec, first: JobSpec) -> bool:
    """Return whether a step is executed in the job of one that it waits for."""
    step, before = job.step, first.step
    if step is None or before is None or step.per != before.per:
        return False
    own = step.resources is not None or step.farm or step.requeue is not None
    # A step of a run is named RUN/steps/STEP.
    is_same = job.run.partition("/")[0] == first.run.partition("/")[0]
    return not own and (is_same or not step.per.is_run)


def without_others(job: JobSpec, mine: Collection[RunDir]) -> JobSpec | None:
    """Return a job that executes only those of its attempts that are ``mine``, None without any.

    >>> without_others(JobSpec("n", "e", "r", "", RunDir("/r"), 1, ()), set())
    """
    lanes = [[each for each in lane if each.dir in mine] for lane in job.lanes]
    heads = [replace(lane[0], then=tuple(lane[1:]), beside=()) for lane in lanes if lane]
    return replace(heads[0], beside=tuple(heads[1:])) if heads else None


def packed(jobs: Sequence[JobSpec], needs: Needs, size: int) -> list[tuple[Needs, JobSpec]]:
    """Return jobs, each of up to ``size`` of these of equal needs side by side, with their needs.

    Raises SettingsError where a run takes several nodes.
    """
    if size == 1:
        return [(needs, job) for job in jobs]
    if needs.nodes and needs.nodes > 1:
        raise SettingsError(
            f"RUNS_PER_JOB: {size}: a run that takes {needs.nodes} nodes has a job of its own;"
            " leave it out, or RESOURCES.nodes"
        )
    groups = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    return [
        (times(needs, len(group)), replace(group[0], beside=tuple(group[1:]))) for group in groups
    ]


def times(needs: Needs, count: int) -> Needs:
    """Return what several runs of equal needs take at a time on one node.

    >>> times(Needs(gpus=1, cpus=4, mem=1024, time=60), 8)[:5]
    (8, '', 32, 8192, 60)
    """
    several = {
        name: value * count
        for name in ("gpus", "cpus", "mem")
        if (value := getattr(needs, name)) is not None
    }
    licences = tuple(each._replace(amount=each.amount * count) for each in needs.licences)
    return needs._replace(**several, licences=licences)


def check(jobs: Sequence[JobSpec], farm: Farm, farm_type: FarmType) -> None:
    """Raise SettingsError where a job of a farm is to execute several attempts, and can't."""
    if farm_type.together:
        return
    if farm.runs_per_job > 1:
        raise SettingsError(
            f"RUNS_PER_JOB: a job of TYPE {farm.type} executes one run; leave it out"
        )
    for step in (job.then[0].step for job in jobs if job.then):
        name = f"{step.origin}: STEPS.{step.name}" if step else "STEPS"
        raise SettingsError(
            f"{name}: a job of TYPE {farm.type} executes one step; give it RESOURCES of its own"
        )
