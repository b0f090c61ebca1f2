"""A launch: what starts is decided and made, then executed here or submitted to a farm."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import SettingsError
from runx.launching.deciding import Wish
from runx.launching.options import LocalOptions
from runx.plans import experiment as decided
from runx.plans.plan import Namer
from runx.rundir import RunDir
from runx.types import Run

if TYPE_CHECKING:
    from runx.launching.placing import Placed
    from runx.launching.slots import Right
    from runx.launching.tasks import Ended, Task, Watcher
    from runx.machine.leases import Devices

Say = Callable[[str], None]
MakeWatcher = Callable[[int, int, Mapping[RunDir, str], LocalOptions], "Watcher"]
"""Makes what shows runs here, of: how many they are, how many at a time, their commands."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who launches: ``argv`` is what was typed, ``go_on`` the command that goes on with it.

    ``say`` takes remarks, ``echo`` what is data: a command that submits.
    """

    say: Say
    echo: Say
    watcher: MakeWatcher
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"


class Launched(NamedTuple):
    """What a launch came to.

    ``runs`` are those that it started or went on with. On a farm ``submitted`` counts them, and the
    rest is empty; here it is None, ``hparams`` has every run, ``ended`` how they ended, ``left`` is
    how many were somebody else's, and ``stopped`` is true where a person stopped it.
    """

    experiment: str
    runs: tuple[RunDir, ...]
    submitted: int | None = None
    hparams: Mapping[RunDir, Mapping[str, Any]] = {}
    ended: Sequence[Ended] = ()
    left: int = 0
    stopped: bool = False


class Room(NamedTuple):
    """What there is for runs here: so many at a time, and devices for them."""

    jobs: int
    devices: Devices


def start(
    settings: decided.Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    wish: Wish,
    local: LocalOptions,
    caller: Caller,
    after: Sequence[str] = (),
) -> Launched | None:
    """Decide what starts, freeze the code, make the runs, and execute or submit them.

    Return None where nothing starts.
    """
    from runx.launching.interrupts import interruptible
    from runx.launching.placing import place
    from runx.launching.previewing import check_first

    _check_program(settings)
    check_first(settings, runs)
    jobs = _awaited(settings, after, caller.say)
    if not settings.farm and local.is_fallback and "FARM" not in settings.settings:
        caller.say("no farm is set: running here, as with -i")
    there = None if settings.farm else room(settings, local)
    with interruptible(caller.go_on):
        placed = place(settings, runs, new_name, wish, caller.say, caller.argv)
    if placed is None:
        return None
    if there is None:
        return _submit(placed, jobs, caller)
    return _execute(placed, local, there, caller)


def _check_program(settings: decided.Experiment) -> None:
    """Stop where the program that submits is not there, before anything is made."""
    if not settings.farm:
        return
    from runx.schedulers.submitting import missing_program

    if problem := missing_program(settings.farm, os.environ):
        raise SettingsError(problem)


def _awaited(settings: decided.Experiment, after: Sequence[str], say: Say) -> tuple[str, ...]:
    """Return the jobs that the runs shall wait for."""
    if not after:
        return ()
    from runx.launching.waiting import job_ids

    def warn(line: str) -> None:
        say(f"warning: {line}")

    return job_ids(after, settings.logroot, Path.cwd(), settings.farm, warn)


def room(settings: decided.Experiment, local: LocalOptions) -> Room:
    """Return how many runs there is room for.

    Raises:
        SettingsError: The GPUs that are asked for are not there.
    """
    from runx.machine.devices import devices

    alone = local.jobs is None
    source, most = devices(settings.gpus, local.gpus_per_run, os.environ, alone)
    jobs = 1 if local.jobs is None else local.jobs or most or len(os.sched_getaffinity(0))
    return Room(jobs, source)


def _execute(placed: Placed, local: LocalOptions, room: Room, caller: Caller) -> Launched:
    """Execute every run of a launch on this machine, each to its end."""
    from runx.cmdline.command import shell_command
    from runx.files import read_json
    from runx.launching.making import placed as filled
    from runx.launching.slots import Slots
    from runx.launching.tasks import Policy, Task

    runs = [handover.run for handover in placed.handovers]
    adopted = () if local.attach else placed.adopted
    hparams: dict[RunDir, Mapping[str, Any]] = {run.dir: filled(run) for run in runs}
    hparams |= {one.dir: read_json(one.dir.record)["hparams"] for one in adopted}
    cmd, style = placed.experiment.cmd, placed.experiment.style
    commands = {run.dir: shell_command(cmd, run.point, str(run.dir.path), style) for run in runs}
    policy = Policy(
        jobs=room.jobs,
        retries=local.retries,
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )
    watcher = caller.watcher(len(hparams), room.jobs, commands, local)
    slots = Slots(policy, room.devices, lambda task: claimed(task, caller.say), watcher)
    slots.execute(
        (Task(handover.run.dir, handover.attempt) for handover in placed.handovers),
        (Task(one.dir, one.attempts) for one in adopted),
    )
    dirs = tuple(dict.fromkeys([*hparams, *(one.dir for one in placed.adopted)]))
    name, stopped = placed.experiment.name, slots.stops > 0
    return Launched(name, dirs, None, hparams, slots.ended, len(slots.left), stopped)


def claimed(task: Task, say: Say) -> Right:
    """Claim an attempt, unless it was called off or begun: a launch claims those that it starts.

    Nothing of the run is alive while this is asked. What was begun by hand meanwhile has taken
    this process's claim for its own, and left its events.
    """
    from runx.disk.claims import claim_text, is_ours, take
    from runx.disk.orders import CANCEL, ordered
    from runx.launching.restaging import staged_code

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


def _submit(placed: Placed, after: tuple[str, ...], caller: Caller) -> Launched:
    """Submit every run of a launch to the farm."""
    from runx.farms import is_plain
    from runx.schedulers.handing import hand_over
    from runx.schedulers.submitting import submit

    kit, handovers = placed.kit, placed.handovers
    assert kit is not None  # without one there is nothing but runs that go on here
    assert kit.experiment.farm is not None
    dirs = tuple(handover.run.dir for handover in handovers)
    if not is_plain(kit.experiment.farm):
        count = hand_over(kit, handovers, caller.say, after)
        return Launched(kit.experiment.name, dirs, count)
    count = 0
    for job in submit(kit, handovers, caller.echo):
        caller.say(f"{job.run.name}: submitted{f' as job {job.id}' if job.id else ''}")
        count += 1
    return Launched(kit.experiment.name, dirs, count)
