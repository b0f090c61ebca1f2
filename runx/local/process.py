"""One run on this machine: the start of its run.sh, its signals, its heartbeat, its end.

A run is started apart from its launcher, so that it outlives it.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.local.gpus import Lease
from runx.local.holders import user_name
from runx.locks import may_be_held
from runx.processes import NULL, send_group_signal, send_signal, start_command
from runx.rundir.attempts import take_lock
from runx.rundir.events import read_events
from runx.rundir.files import VERSION, append_line
from runx.rundir.machines import is_process_alive, locality_of, this_machine
from runx.rundir.orders import is_cancelled_elsewhere
from runx.rundir.output import tail
from runx.rundir.paths import STEPS, RunDir
from runx.rundir.ranks import variables_of_ranks
from runx.rundir.states import PASSED

if TYPE_CHECKING:
    from subprocess import Popen

BEAT = "RUNX_BEAT"
"""The variable with the seconds between two heartbeats, for tests."""

_NOT_STARTED = 70  # the status of a run.sh that ended with 0, and has not executed CMD
_KILLED = 128 + signal.SIGKILL  # the status of a run.sh that ended without recording an end


@dataclass(frozen=True, slots=True)
class LiveAttempt:
    """A running attempt, and the monotonic time since when it is watched.

    ``process`` is its run.sh, or None where another launcher, now dead, started it. One that is
    ``attached`` has this process's terminal.
    """

    dir: RunDir
    attempt: int
    process: Popen[bytes] | None
    since: float
    attached: bool = False

    def status(self) -> int | None:
        """Return the exit status of the run, or None while it goes on."""
        status = self.process.poll() if self.process else None
        if status is not None and status >= 0:
            return status
        if (self.process and status is None) or may_be_held(self.dir.lock):
            return None
        code = _event(self.dir, self.attempt, "ended").get("code")
        return code if isinstance(code, int) else _KILLED


class RecordedEnd(NamedTuple):
    """The end of an attempt: its exit status, and whether its disk had no room for its output.

    ``passed`` is how a search left it: held, skipped or pruned; "" where it was executed.
    """

    status: int
    is_output_lost: bool = False
    passed: str = ""


def recorded_end(live: LiveAttempt, status: int) -> RecordedEnd:
    """Make sure that the end of an attempt is recorded; return what is.

    run.sh could not where it was killed, where the disk was full, or where it ended before it had
    started CMD; that has failed, whatever its status. What was killed leaves no end.

    Raises:
        OSError: The disk is still full.
    """
    written = _event(live.dir, live.attempt, "ended")
    if "code" in written or live.process is None or live.process.returncode < 0:
        passed = next((name for name in ("held", *PASSED) if written.get(name)), "")
        return RecordedEnd(status, written.get("output") == "lost", passed)
    end: dict[str, Any] = {"event": "ended", "time": time.time(), "code": status, "by": "launcher"}
    if not _event(live.dir, live.attempt, "started"):
        end["code"] = status = status or _NOT_STARTED
        lines = tail(live.dir.output, 1000).strip().splitlines()
        end["reason"] = f"run.sh ended before it started CMD: {lines[-1] if lines else 'no output'}"
    append_line(live.dir.events(live.attempt), json.dumps(end))
    return RecordedEnd(status)


def has_started(live: LiveAttempt) -> bool:
    """Return whether CMD was executed: run.sh writes that down first."""
    return bool(_event(live.dir, live.attempt, "started"))


def holder(live: LiveAttempt) -> dict[str, Any]:
    """Return who holds what a run was given: the run, its user, and its run.sh."""
    return {
        "version": VERSION,
        "run": str(live.dir.path),
        "experiment": live.dir.experiment.name,
        "user": user_name(os.geteuid()),
        "pid": live.process.pid if live.process else None,
        "since": time.time(),
    }


def start(
    run: RunDir, attempt: int, lease: Lease, claim: Callable[[], bool], attach: bool = False
) -> LiveAttempt | None:
    """Start run.sh for an attempt, unless ``claim`` returns False or a process of the run is alive.

    ``claim`` is called while no process of the run is alive. run.sh inherits the run's lock and
    those of its lease, which the kernel drops with the last process of the run.
    """
    lock = take_lock(run)
    if lock is None:
        return None
    try:
        if not claim():
            return None
        process = _start_script(run, lease, lock, attach)
    finally:
        os.close(lock)
    return LiveAttempt(run, attempt, process, time.monotonic(), attach)


def _start_script(run: RunDir, lease: Lease, lock: int, attach: bool) -> Popen[bytes]:
    command = ("bash", str(run.script))
    locks = (lock, *lease.locks)
    # If we are one of several ranks, a run is none of them.
    outer = dict.fromkeys(variables_of_ranks(os.environ))
    environment = {**outer, **lease.environment, "RUNX_LOCK": str(lock)}
    environment["RUNX_NAMESPACE"] = this_machine().namespace  # which costs run.sh a process
    if attach:
        environment["RUNX_ATTACH"] = "1"
        return start_command(command, environment=environment, pass_fds=locks)
    # Errors of bash itself go to the output, too; a pipe of ours might break.
    with run.output.open("ab") as output:
        return start_command(
            command,
            environment=environment,
            pass_fds=locks,
            new_session=True,
            stdin=NULL,
            stdout=output,
            stderr=output,
        )


class Heartbeat:
    """The regular touch of each running attempt's beat file, by which other machines see it alive.

    The file ``launch`` is touched for those that wait. The first comes after one interval: a short
    run gets none.
    """

    def __init__(self, launch: Path | None = None) -> None:
        self._launch = launch
        self._interval = float(os.environ.get(BEAT) or 30)
        self._next = time.monotonic() + self._interval

    def beat(self, running: Iterable[LiveAttempt]) -> list[LiveAttempt]:
        """Beat, if it is time, and then return the runs that were cancelled on another machine."""
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + self._interval
        runs = list(running)
        files = [run.dir.beat(run.attempt) for run in runs]
        for file in [*files, self._launch] if self._launch else files:
            with suppress(OSError):  # It is only a sign; whether the disk is full shows elsewhere.
                file.touch()
        return [run for run in runs if is_cancelled_elsewhere(run.dir, run.attempt)]


def signal_run(live: LiveAttempt, number: signal.Signals) -> bool:
    """Send a signal to a run: to run.sh, which records it and passes it on; return whether it was.

    KILL goes to all other processes of the run, so that run.sh can record the end. So does every
    signal to an attached run: bash handles none while it waits for a foreground process. Those in a
    container are found from its machine alone.
    """
    direct = number is signal.SIGKILL or live.attached
    if (not direct and _signal_script(live, number)) or _signal_others(live, number):
        return True
    if live.process:
        live.process.send_signal(number)
    return live.process is not None


def _signal_script(live: LiveAttempt, number: signal.Signals) -> bool:
    """Signal run.sh; return False where it is gone."""
    script = _event(live.dir, live.attempt, "started")
    if script and is_process_alive(script, this_machine()):
        return send_signal(int(script["pid"]), number)
    if live.process and live.process.poll() is None:
        live.process.send_signal(number)
        return True
    return False


def _signal_others(live: LiveAttempt, number: signal.Signals) -> bool:
    """Signal the group of CMD, or what has its terminal; return whether there was any process.

    KILL, and each signal to an attached run, goes to what has left the group, too; and so does each
    signal to a run in another pid namespace, where the numbers in its events are those of others
    here.
    """
    running = _event(live.dir, live.attempt, "running")
    started = _event(live.dir, live.attempt, "started")
    is_here = live.process or not started or locality_of(started, this_machine()) == "here"
    sent = False
    if is_here and may_be_held(live.dir.lock) and "group" in running:
        sent = send_group_signal(int(running["group"]), number)
    if is_here and may_be_held(live.dir.lock) and "pid" in running:
        sent = send_signal(int(running["pid"]), number)
    if number is signal.SIGKILL or live.attached or not is_here:
        for pid in processes_of(live.dir, live.attempt):
            sent |= send_signal(pid, number)
    return sent


def processes_of(run: RunDir, attempt: int) -> Iterator[int]:
    """Yield the ids of this user's processes that an attempt started, by their environment.

    run.sh is not among them: it sets these variables for CMD, after its own start.
    """
    number = os.fsencode(f"RUNX_ATTEMPT={attempt}")
    is_step = run.path.parent.name == STEPS and run.is_step
    place = os.fsencode(f"{'RUNX_STEP_DIR' if is_step else 'RUNX_LOGDIR'}={run.path}")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # Another user's, or gone meanwhile.
        if place in environment and number in environment:
            yield int(folder.name)


def process_group(run: RunDir, attempt: int) -> int | None:
    """Return the process group of an attempt's CMD, or None before run.sh has recorded it."""
    group = _event(run, attempt, "running").get("group")
    return group if isinstance(group, int) else None


def _event(run: RunDir, attempt: int, name: str) -> Mapping[str, Any]:
    """Return the details of an attempt's event, empty where it has not happened."""
    events = (event for event in read_events(run, attempt) if event.name == name)
    return next((event.details for event in events), {})
