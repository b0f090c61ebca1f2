"""One run on this machine: started apart from its launcher, so that it outlives it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.local.gpus import Lease
from runx.locks import may_be_held
from runx.processes import NULL, send_group_signal, send_signal, started
from runx.rundir.attempts import here, lives, take_lock
from runx.rundir.events import read_events
from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from subprocess import Popen


_KILLED = 128 + signal.SIGKILL  # what else ends run.sh without a word


@dataclass(frozen=True, slots=True)
class Live:
    """A run that goes on here: its attempt, and since when.

    ``process`` is its run.sh, or None where another launcher, now dead, started it. One that is
    ``attached`` has this process's terminal.
    """

    dir: RunDir
    attempt: int
    process: Popen[bytes] | None
    since: float
    attached: bool = False

    def status(self) -> int | None:
        """Give the exit status that the run came to, or None while it goes on."""
        status = self.process.poll() if self.process else None
        if status is not None and status >= 0:
            return status
        if (self.process and status is None) or may_be_held(self.dir.lock):
            return None
        code = _event(self.dir, self.attempt, "ended").get("code")
        return code if isinstance(code, int) else _KILLED


def start(
    run: RunDir, attempt: int, lease: Lease, ours: Callable[[], bool], attach: bool = False
) -> Live | None:
    """Start run.sh for an attempt, if it is ``ours``: asked while nothing of the run is alive.

    None where it is not, or something is. run.sh inherits the run's lock and those of its lease,
    which fall when the last process of the run is gone, whatever becomes of this one.
    """
    lock = take_lock(run)
    if lock is None:
        return None
    try:
        if not ours():
            return None
        process = _run_sh(run, lease, lock, attach)
    finally:
        os.close(lock)
    return Live(run, attempt, process, time.monotonic(), attach)


def _run_sh(run: RunDir, lease: Lease, lock: int, attach: bool) -> Popen[bytes]:
    words = ("bash", str(run.script))
    told = {**lease.environment, "RUNX_LOCK": str(lock)}
    if attach:
        return started(
            words, environment={**told, "RUNX_ATTACH": "1"}, pass_fds=(lock, *lease.locks)
        )
    # What bash itself has to say stands with the rest; no pipe of ours that might break.
    with run.output.open("ab") as output:
        return started(
            words,
            environment=told,
            pass_fds=(lock, *lease.locks),
            new_session=True,
            stdin=NULL,
            stdout=output,
            stderr=output,
        )


def tell(live: Live, number: signal.Signals) -> None:
    """Send a signal to a run: through run.sh, which records it and passes it on.

    KILL goes to all else that the run consists of, so that run.sh can record the end. So does
    whatever an attached run is told: bash hears nothing while it waits for one.
    """
    direct = number is signal.SIGKILL or live.attached
    if not direct and _told_script(live, number):
        return
    if not _told_rest(live, number) and live.process:
        live.process.send_signal(number)


def _told_script(live: Live, number: signal.Signals) -> bool:
    script = _event(live.dir, live.attempt, "started")
    if script and lives(script, here()):
        return send_signal(int(script["pid"]), number)
    if live.process and live.process.poll() is None:
        live.process.send_signal(number)
        return True
    return False


def _told_rest(live: Live, number: signal.Signals) -> bool:
    """Tell the script's group, or what has its terminal; what has left that too, if it is KILL."""
    running = _event(live.dir, live.attempt, "running")
    told = False
    if may_be_held(live.dir.lock) and "group" in running:
        told = send_group_signal(int(running["group"]), number)
    if may_be_held(live.dir.lock) and "pid" in running:
        told = send_signal(int(running["pid"]), number)
    if number is signal.SIGKILL or live.attached:
        for pid in members(live.dir, live.attempt):
            told |= send_signal(pid, number)
    return told


def members(run: RunDir, attempt: int) -> Iterator[int]:
    """Name this user's processes that were started by an attempt, wherever they have gone since.

    run.sh is not among them: what it sets for the script, it was not started with.
    """
    marks = {os.fsencode(f"RUNX_LOGDIR={run.path}"), os.fsencode(f"RUNX_ATTEMPT={attempt}")}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # Another user's, or gone meanwhile.
        if marks.issubset(environment):
            yield int(folder.name)


def process_group(run: RunDir, attempt: int) -> int | None:
    """Give the process group that an attempt's script runs in, once run.sh has recorded it."""
    group = _event(run, attempt, "running").get("group")
    return group if isinstance(group, int) else None


def _event(run: RunDir, attempt: int, name: str) -> Mapping[str, Any]:
    """Return what an attempt wrote with an event, nothing where it has not happened."""
    events = (event for event in read_events(run, attempt) if event.name == name)
    return next((event.details for event in events), {})
