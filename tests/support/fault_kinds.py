"""The faults of random_faults.py: each starts a launcher, and does something to it meanwhile.

One that kills run.sh may cost an end that no event could tell: it counts as a hit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from disks import FILL
from pools import QUERY, SUBMIT, SUBMIT_FAULTS
from sweeps import events

if TYPE_CHECKING:
    from random_faults import Case

FAULTY = Path(__file__).parent / "faulty"
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
AS_NOBODY += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
STEPS = 130


def unharmed(output: str) -> None:
    assert "Traceback" not in output and "fault of runx" not in output, output


def killed_at_a_step(case: Case) -> None:
    step = case.draw.randint(1, STEPS)
    case.note(f"step {step}")
    path = os.pathsep.join([str(FAULTY), case.sweep.environment["PYTHONPATH"]])
    root = str(case.sweep.root)
    case.ends(case.launch(PYTHONPATH=path, FAULT_AT=str(step), FAULT_ROOT=root))


def killed_at_a_time(case: Case) -> None:
    launcher = case.launch()
    case.waits()
    launcher.kill()
    case.ends(launcher)


def told_to_end(case: Case) -> None:
    launcher = case.launch()
    case.waits()
    number = case.draw.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    if number == signal.SIGINT:
        time.sleep(1)  # Python itself shows a traceback while it starts
    launcher.send_signal(number)
    case.ends(launcher)


def two_launchers(case: Case) -> None:
    first = case.launch()
    case.waits(0.6)
    case.ends(case.launch(), first)


def disk_fills(case: Case) -> None:
    launcher = case.launch()
    case.waits()
    if case.disk:
        what = case.draw.choice(list(FILL))
        case.note(what)
        FILL[what](case.disk)
        if case.draw.random() < 0.3:
            case.note("cancel")
            case.says("cancel", "sweep")
        if case.draw.random() < 0.2:
            case.note("killed")
            launcher.kill()
    case.ends(launcher)


def cancelled(case: Case) -> None:
    launcher = case.launch()
    case.waits()
    if (case.sweep.root / "sweep").is_dir():
        case.says("cancel", "sweep")
    case.ends(launcher)


def another_user(case: Case) -> None:
    launcher = case.launch()
    case.waits()
    words = ["status", "logs", "cancel", "rm"] if not case.pool else ["status", "logs"]
    word = case.draw.choice(words)
    case.note(word)
    path = os.pathsep.join(case.sweep.environment["PATH"].split(os.pathsep)[bool(case.pool) :])
    if os.geteuid() == 0 and (case.sweep.root / "sweep").is_dir():
        more = ["--yes"] if word == "rm" else []
        case.says(word, "sweep", *more, before=tuple(AS_NOBODY), PATH=path)
    case.ends(launcher)


def process_killed(case: Case) -> None:
    """Kill run.sh, or the process group of its script."""
    launcher = case.launch()
    case.waits_for_a_script()
    name = case.draw.choice(["started", "running"])
    for run in case.sweep.runs():
        numbers = [int(file.name.split(".")[0]) for file in run.attempts.glob("*.events.jsonl")]
        told = {event["event"]: event for event in events(run, max(numbers, default=1))}
        if name in told and "ended" not in told:
            case.hits += 1
            case.note(f"killed {name}")
            pid = told[name].get("group") or told[name]["pid"]
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if name == "running" else os.kill)(pid, signal.SIGKILL)
            break
    case.ends(launcher)


def submission_fails(case: Case) -> None:
    fault = case.draw.choice(SUBMIT_FAULTS)
    case.note(fault)
    case.pool.fails(SUBMIT[case.place], fault)
    launcher = case.launch()
    if fault in ("late", "hangs") or case.draw.random() < 0.2:
        case.waits(2.5)
        launcher.kill()
    case.ends(launcher)


def query_fails(case: Case) -> None:
    case.pool.fails(QUERY[case.place], case.draw.choice(["down", "mute", "killed"]))
    case.ends(case.launch())


def full_pool(case: Case) -> None:
    """Cancel, resume, or both while no job can start."""
    case.pool.closed.touch()
    case.ends(case.launch())
    for word in case.draw.choices(["cancel", "resume", "hold", "release"], k=2):
        case.note(word)
        if word == "resume":
            case.ends(case.launch())
        elif (case.sweep.root / "sweep").is_dir():
            case.says(word, "sweep")
    case.says("release", "sweep")


def node_fails(case: Case) -> None:
    launcher = case.launch()
    case.waits_for_a_script()
    killed = case.pool.kill_one(case.draw, requeue=False)
    case.note(killed or "no job runs")
    case.hits += bool(killed)
    case.ends(launcher)


def requeued(case: Case) -> None:
    launcher = case.launch()
    case.waits_for_a_script()
    killed = case.pool.kill_one(case.draw, requeue=True)
    case.note(killed or "no job runs")
    case.hits += bool(killed)
    case.ends(launcher)


ANYWHERE = [killed_at_a_step, killed_at_a_step, killed_at_a_time, told_to_end, two_launchers]
ANYWHERE += [disk_fills, disk_fills, cancelled, another_user]
HERE = [process_killed, process_killed]
FARM = [submission_fails, submission_fails, query_fails, full_pool, node_fails, requeued]
