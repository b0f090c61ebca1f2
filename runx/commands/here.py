"""Runs on this machine, as the command line asks for them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import click

from runx.claims import claim_text, take
from runx.command import shell_command
from runx.devices import devices
from runx.manners import say
from runx.placing import Placed
from runx.slots import Policy, Slots, Task
from runx.watching import Report, watcher


class Local(NamedTuple):
    """What the flags say about runs here. ``jobs`` None is auto; ``unasked``: no -i was given."""

    jobs: int | None = 1
    gpus_per_run: int | None = None
    policy: Policy = Policy()
    stream: bool = False
    attach: bool = False
    unasked: bool = False


def local_options(asked: dict[str, Any]) -> Local:
    """Take those flags out of the ones that a command was given."""
    jobs = asked.pop("jobs")
    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise click.UsageError(f"-j {jobs}: say how many runs at a time, or auto")
    most = asked.pop("max_failures")
    if asked.pop("fail_fast"):
        most = 1
    attach = asked.pop("attach")
    policy = Policy(
        retries=asked.pop("retries"),
        timeout=asked.pop("timeout"),
        grace=asked.pop("grace"),
        max_failures=most,
        terminal=attach,
    )
    return Local(
        None if jobs == "auto" else int(jobs),
        asked.pop("gpus_per_run"),
        policy,
        asked.pop("stream"),
        attach,
    )


def run_here(placed: Placed, local: Local) -> int:
    """Execute every run of a launch on this machine; give the exit status that it comes to."""
    runs = placed.handovers
    if local.attach and len(runs) != 1:
        raise click.UsageError(f"--attach takes a single run; these are {len(runs)}")
    wants = local.gpus_per_run
    source, room = devices(placed.kit.experiment.gpus, wants, os.environ)
    jobs = local.jobs if local.jobs is not None else room or os.cpu_count() or 1
    cmd, style = placed.kit.experiment.cmd, placed.kit.experiment.style
    commands = {
        one.run.dir: shell_command(cmd, one.run.point, str(one.run.dir.path), style) for one in runs
    }
    total = len(runs) + len(placed.adopted)
    watch = watcher(total, jobs, commands, local.stream, local.attach)
    slots = Slots(
        policy=_with_jobs(local.policy, jobs),
        devices=source,
        begin=lambda task: _claimed(placed, task),
        watch=watch,
    )
    slots.execute(
        (Task(one.run.dir, one.attempt) for one in runs),
        (Task(one.dir, one.attempts) for one in placed.adopted),
    )
    return Report(total, placed.kit.experiment, watch.ended_runs, slots.stops > 0).told(say)


def _with_jobs(policy: Policy, jobs: int) -> Policy:
    from dataclasses import replace

    return replace(policy, jobs=jobs)


def _claimed(placed: Placed, task: Task) -> bool:
    """Claim an attempt; the first of a run that was made just now is claimed already."""
    if task.attempt == 1 and task.run.claim(1).exists():
        return True
    return take(task.run, task.attempt, claim_text(None, placed.kit.code))
