"""Runs on this machine, as the command line asks for them."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

from runx.cmdline.argv import shell_command
from runx.cmdline.logdir import Logdir
from runx.commands.local import Local
from runx.disk.claims import claim_text, is_ours, take
from runx.disk.orders import CANCEL, ordered
from runx.disk.record import staged_code
from runx.files import read_json
from runx.launching.executor import Executor, Policy, Right, Task
from runx.machine.devices import devices
from runx.machine.leases import Devices
from runx.plans.experiment import Experiment
from runx.plans.plan import LaunchPlan
from runx.reading.commands import again_command
from runx.terminal.manners import say
from runx.terminal.reporting import Report
from runx.terminal.watching import watcher


class Room(NamedTuple):
    """What there is for runs here: so many at a time, and devices for them."""

    jobs: int
    devices: Devices


def room(experiment: Experiment, local: Local) -> Room:
    """Find out how many runs there is room for, or say that what is asked for is not there."""
    alone = local.jobs is None
    source, most = devices(experiment.gpus, local.gpus_per_run, os.environ, alone)
    jobs = 1 if local.jobs is None else local.jobs or most or len(os.sched_getaffinity(0))
    return Room(jobs, source)


def run_here(experiment: Experiment, plan: LaunchPlan, local: Local, room: Room) -> int:
    """Execute every run of a launch on this machine; give the exit status that it comes to."""
    adopted = () if local.attach else plan.adopted
    hparams, commands = dict[Any, Any](), {}
    for run in plan.runs:
        logdir = Logdir.at(run.dir)
        hparams[run.dir] = logdir.in_value(run.hparams)
        commands[run.dir] = shell_command(experiment.cmd, run.point, logdir, experiment.style)
    hparams |= {run.dir: read_json(run.dir.record)["hparams"] for run in adopted}
    watch = watcher(len(hparams), room.jobs, commands, local.stream, local.attach)
    executor = Executor(_policy(local, room.jobs), room.devices, claimed, watch)
    executor.execute(
        (Task(each.run.dir, each.attempt) for each in plan.attempts),
        (Task(run.dir, run.attempts) for run in adopted),
    )
    left, stopped = len(watch.left_alone), executor.stops > 0
    again = local.again or again_command(sys.argv[1:])
    return Report(experiment.name, hparams, watch.ended_runs, left, stopped, again).told(say)


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


def _policy(local: Local, jobs: int) -> Policy:
    return Policy(
        jobs=jobs,
        retries=local.retries,
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )
