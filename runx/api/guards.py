"""What keeps a launch here from going on in vain: what is tried again, and when nothing more is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.local.options import LocalOptions, Policy
from runx.rundir.handback import NO_RETRIES, Retries
from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.launching.plan import LaunchPlan
    from runx.local.capacity import Capacity
    from runx.local.tasks import EndedAttempt, Task


def policy(settings: Settings, local: LocalOptions, jobs: int) -> Policy:
    """Return how runs are executed here, ``jobs`` at a time."""
    return Policy(
        jobs=jobs,
        retries=_retries(settings, local),
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )


def _retries(settings: Settings, local: LocalOptions) -> Retries:
    """Return which failed runs are tried again: by --retries in this launch, else by RETRIES."""
    if local.retries is not None:
        return Retries(local.retries)
    return settings.retries or NO_RETRIES


def tried_before(run: RunDir, attempt: int, settings: Settings, local: LocalOptions) -> int:
    """Return how often a run was tried again by RETRIES before; --retries counts from now on."""
    if local.retries is not None or not settings.retries:
        return 0
    from runx.local.retries import tried_again

    return tried_again(run, range(1, attempt))


def renewed(
    settings: Settings, plan: LaunchPlan, local: LocalOptions, capacity: Capacity, task: Task
) -> Task:
    """Return a further attempt of a run with the share that RESOURCES computes for its number.

    Raises:
        SettingsError: This machine hasn't as much, or it can't be computed.
    """
    from runx.api.prepared import capacity_of, needs_of
    from runx.launching.routes import anew

    planned = next((each for each in plan.attempts if each.run.dir == task.run), None)
    if planned is None:  # Another launcher has begun it.
        return task
    route = anew(settings, planned._replace(attempt=task.attempt))
    runs = list(route.runs)
    [need] = needs_of(route.experiment, runs)
    share = capacity.share(need)
    if share != task.share:
        capacity_of(route.experiment, local, runs, lambda line: None)
    return task._replace(share=share)


def resized(
    settings: Settings, plan: LaunchPlan, local: LocalOptions, say: Say
) -> Callable[[], Capacity | None]:
    """Return what gives the capacity that ``runx slots`` has changed a launcher's to."""
    from runx.api.prepared import capacity_of
    from runx.local.slots import Slots

    def capacity(jobs: int) -> Capacity:
        return capacity_of(settings, local._replace(jobs=jobs), plan.runs, say)

    launch = plan.context.launch if plan.context else None
    file = settings.dir.launch_slots(launch) if launch else None
    return Slots(file, capacity, say).changed


def closing(settings: Settings) -> Callable[[Sequence[EndedAttempt]], str]:
    """Return what tells, before a start, why nothing more is started here, given what has ended."""
    from runx.rundir.held import held_because

    def why(ended: Sequence[EndedAttempt]) -> str:
        can_be_held = settings.max_failures or settings.search
        reason = held_because(settings.dir) if can_be_held else ""
        return reason or (_passed_by(settings, ended) if settings.avoid_hosts else "")

    return why


def _passed_by(settings: Settings, ended: Sequence[EndedAttempt]) -> str:
    """Return why this machine is passed by: runs fail at once here while others do well elsewhere.

    What others do is read only when the number of failures has doubled.
    """
    from runx.analysis.hosts import QUICK, avoided, failing_hosts_of
    from runx.rundir.machines import this_machine

    count = sum(bool(end.status) and not end.order and end.seconds < QUICK for end in ended)
    if count < len(ended) or count < 2 or count & (count - 1):
        return ""
    names = {this_machine().host, os.environ.get("SLURMD_NODENAME", "")}
    hosts = failing_hosts_of(settings.dir)
    return next((avoided(host, hosts[host]) for host in hosts if host in names), "")
