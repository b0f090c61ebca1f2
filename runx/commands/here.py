"""Runs on this machine, as the command line asks for them."""

from __future__ import annotations

import os

import click

from runx.claims import claim_text, take
from runx.command import shell_command
from runx.commands.local import Local
from runx.devices import devices
from runx.manners import say
from runx.placing import Placed
from runx.slots import Policy, Slots, Task
from runx.watching import Report, watcher


def run_here(placed: Placed, local: Local) -> int:
    """Execute every run of a launch on this machine; give the exit status that it comes to."""
    runs = placed.handovers
    if local.attach and len(runs) != 1:
        raise click.UsageError(f"--attach takes a single run; these are {len(runs)}")
    wants = local.gpus_per_run
    source, room = devices(placed.kit.experiment.gpus, wants, os.environ)
    jobs = local.jobs if local.jobs is not None else room or os.cpu_count() or 1
    cmd = placed.kit.experiment.cmd
    commands = {
        one.run.dir: shell_command(cmd, one.run.point, str(one.run.dir.path)) for one in runs
    }
    total = len(runs) + len(placed.adopted)
    watch = watcher(total, jobs, commands, local.stream, local.attach)
    slots = Slots(
        policy=_policy(local, jobs),
        devices=source,
        begin=lambda task: _claimed(placed, task),
        watch=watch,
    )
    slots.execute(
        (Task(one.run.dir, one.attempt) for one in runs),
        (Task(one.dir, one.attempts) for one in placed.adopted),
    )
    return Report(total, placed.kit.experiment, watch.ended_runs, slots.stops > 0).told(say)


def _policy(local: Local, jobs: int) -> Policy:
    return Policy(
        jobs=jobs,
        retries=local.retries,
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        terminal=local.attach,
    )


def _claimed(placed: Placed, task: Task) -> bool:
    """Claim an attempt; the first of a run that was made just now is claimed already."""
    if task.attempt == 1 and task.run.claim(1).exists():
        return True
    return take(task.run, task.attempt, claim_text(None, placed.kit.code))
