"""Runs on this machine, as the command line asks for them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import click

from runx.claims import claim_text, is_ours, take
from runx.command import shell_command
from runx.devices import devices
from runx.launching import placed as filled
from runx.manners import say
from runx.orders import CANCEL, ordered
from runx.placing import Placed
from runx.reporting import Report
from runx.restaging import staged_code
from runx.rundir import read_json
from runx.slots import Right, Slots
from runx.tasks import Policy, Task
from runx.watching import watcher


class Local(NamedTuple):
    """What the flags say about runs here.

    ``jobs`` is None where nothing is said, 0 for auto; ``unasked``: no -i was given.
    """

    jobs: int | None = None
    gpus_per_run: int | None = None
    policy: Policy = Policy()
    stream: bool = False
    unasked: bool = False


def local_options(asked: dict[str, Any]) -> Local:
    """Take those flags out of the ones that a command was given."""
    jobs = asked.pop("jobs")
    if jobs not in (None, "auto") and not (jobs.isdecimal() and int(jobs) > 0):
        raise click.UsageError(f"-j {jobs}: say how many runs at a time, or auto")
    most = asked.pop("max_failures")
    if asked.pop("fail_fast"):
        most = 1
    policy = Policy(
        retries=asked.pop("retries"),
        timeout=asked.pop("timeout"),
        grace=asked.pop("grace"),
        max_failures=most,
        attach=asked.pop("attach"),
    )
    number = None if jobs is None else 0 if jobs == "auto" else int(jobs)
    return Local(number, asked.pop("gpus_per_run"), policy, asked.pop("stream"))


def run_here(placed: Placed, local: Local) -> int:
    """Execute every run of a launch on this machine; give the exit status that it comes to."""
    runs = [one.run for one in placed.handovers]
    if local.policy.attach and (len(runs) != 1 or placed.adopted):
        raise click.UsageError(f"--attach takes a single run; these are {len(runs)}")
    hparams: dict[Any, Any] = {run.dir: filled(run) for run in runs}
    hparams |= {one.dir: read_json(one.dir.record)["hparams"] for one in placed.adopted}
    cmd = placed.experiment.cmd
    commands = {run.dir: shell_command(cmd, run.point, str(run.dir.path)) for run in runs}
    alone = local.jobs is None
    source, room = devices(placed.experiment.gpus, local.gpus_per_run, os.environ, alone)
    jobs = 1 if local.jobs is None else local.jobs or room or len(os.sched_getaffinity(0))
    watch = watcher(len(hparams), jobs, commands, local.stream, local.policy.attach)
    slots = Slots(replace(local.policy, jobs=jobs), source, claimed, watch)
    slots.execute(
        (Task(one.run.dir, one.attempt) for one in placed.handovers),
        (Task(one.dir, one.attempts) for one in placed.adopted),
    )
    left, stopped = len(watch.left_alone), slots.stops > 0
    again = again_command(sys.argv[1:])
    name = placed.experiment.name
    return Report(name, hparams, watch.ended_runs, left, stopped, again).told(say)


def claimed(task: Task) -> Right:
    """Claim an attempt, unless it was called off or begun: a launch claims those that it starts.

    Nothing of the run is alive while this is asked. What was begun by hand meanwhile has taken
    this process's claim for its own, and left its events.
    """
    run, attempt = task.run, task.attempt

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if ordered(run, attempt, warn) == CANCEL:
        return "cancelled"
    if run.events(attempt).exists():
        return "theirs"
    if is_ours(run, attempt) or take(run, attempt, claim_text(None, staged_code(run))):
        return "ours"
    return "theirs"


def again_command(words: Sequence[str]) -> str:
    """Write the command that goes on with a launch.

    >>> again_command(["sweep.yml", "-i", "--again", "-j", "2"])
    'runx sweep.yml -i -j 2 --resume'
    """
    kept = [word for word in words if word not in ("--again", "--resume", "--no-resume")]
    return shlex.join(["runx", *kept, "--resume"])
