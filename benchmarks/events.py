"""``python -m benchmarks.events``: events on a real Slurm, under submitit and runx.

Two jobs, one of each, train the same steps in the same cluster while the same happens to both. The
table has what each says of its job, whether it is trained to its end, and the time that was trained
twice.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.commands import OURS, ROOT, environment

sys.path.insert(0, str(ROOT / "tests" / "support"))
HOG = Path("/dev/shm/runx-events-hog")
SUBMITIT = ROOT / "benchmarks" / "peers" / "submitit_events.py"
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
STEP, PATIENCE = 0.5, 150.0
"""Seconds that a step takes, and seconds to wait for the end of both jobs."""
TRAIN = """\
import os, pathlib, sys, time


def train(folder, steps):
    folder = pathlib.Path(folder)
    saved = folder / "saved"
    first = int(saved.read_text()) if saved.exists() else 0
    for step in range(first, steps):
        time.sleep(0.5)
        with open(folder / "steps", "a") as file:
            file.write(f"{step}\\n")
        if step == 12 and first == 0 and os.path.exists("/dev/shm/runx-events-hog"):
            hog = b"x" * 1_200_000_000
            time.sleep(30)
        if step % 5 == 4:
            new = folder / "new"
            new.write_text(str(step + 1))
            new.replace(saved)

if __name__ == "__main__":
    train(sys.argv[1], int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Event:
    """What happens to two jobs: ``before`` they are submitted, and while they train (``act``).

    ``options`` are those of sbatch, with ``time`` in minutes and the seconds of the ``warning``.
    ``mend`` is what a person does where a job doesn't go on by itself, before ``--resume``.
    """

    name: str
    act: Callable[[Project, dict[str, Job]], None]
    options: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[Project], None] = lambda project: None
    mend: Callable[[Project, dict[str, Job]], None] = lambda project, jobs: None
    count: int = 1
    length: int = 60
    started: bool = True


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait for a condition; return False where it has not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def ids(jobs: Mapping[str, Job]) -> list[str]:
    """Return the ids of the jobs of both tools."""
    return [id for job in jobs.values() for id in job.ids]


def wait(project: Project, jobs: Mapping[str, Job]) -> None:
    """Do nothing to them: the event is a setting of the cluster, or comes by itself."""


def preempt(project: Project, jobs: Mapping[str, Job]) -> None:
    """Submit a job of a partition that takes the nodes from theirs."""
    words = ("-p", "urgent", "-N", "3", "--exclusive", "--mem=0", "--wrap", "sleep 5")
    project.cluster.call("sbatch", *words)
    time.sleep(4)


def lose_node(project: Project, jobs: Mapping[str, Job]) -> None:
    """Cut the power of their node, and give it back."""
    project.cluster.power_cut(3)
    words = ("sinfo", "-h", "-n", "n3", "-o", "%t")
    until(lambda: "down" in str(project.cluster.call(*words)))
    project.cluster.start_node(3)


def fill_disk(project: Project, jobs: Mapping[str, Job]) -> None:
    """Fill the disk of both for some seconds."""
    hog = project.path / "hog"
    with hog.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    time.sleep(6)
    hog.unlink()


def small_disk(project: Project) -> None:
    """Put the project on a disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "runx", project.path], check=True)
    project.path.joinpath("train.py").write_text(TRAIN)


def drain(project: Project) -> None:
    """Let no node take a job."""
    project.cluster.call("scontrol", "update", "nodename=n[1-3]", "state=drain", "reason=x")


def hold(project: Project, jobs: Mapping[str, Job]) -> None:
    """Hold them as an administrator, then give the nodes back."""
    for id in ids(jobs):
        project.cluster.call("scontrol", "hold", id)
    project.cluster.call("scontrol", "update", "nodename=n[1-3]", "state=resume")
    time.sleep(5)


def release(project: Project, jobs: Mapping[str, Job]) -> None:
    """Release what is held."""
    for id in ids(jobs):
        project.cluster.call("scontrol", "release", id, check=False)


def restart_controller(project: Project, jobs: Mapping[str, Job]) -> None:
    """Kill the controller, start it again after some seconds; meanwhile both are asked."""
    pid = int((project.cluster.folder / "run/slurmctld.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    for job in jobs.values():
        job.told.append(f"while it is down: {project.state(job)}")
    time.sleep(10)
    project.cluster.call("slurmctld")


def cancel(project: Project, jobs: Mapping[str, Job]) -> None:
    """Cancel them as an administrator does."""
    for id in ids(jobs):
        project.cluster.call("scancel", id)


def purge(project: Project, jobs: Mapping[str, Job]) -> None:
    """Wait until they have ended and nobody remembers them."""
    until(lambda: all(job.is_complete() for job in jobs.values()), 90)
    time.sleep(20)


def break_node(project: Project) -> None:
    """Let the prolog fail on a node, as where its GPU is broken."""
    (project.cluster.folder / "bad").touch()


def mend_node(project: Project, jobs: Mapping[str, Job]) -> None:
    """Mend the node, and release what is held."""
    (project.cluster.folder / "bad").unlink()
    project.cluster.call("scontrol", "update", "nodename=n2", "state=resume", check=False)
    release(project, jobs)


def allow(most: str) -> Callable[..., None]:
    """Return what sets the number of jobs that a user may have submitted."""

    def set_limit(project: Project, jobs: Mapping[str, Job] | None = None) -> None:
        words = ("modify", "user", "root", "set", f"MaxSubmitJobs={most}")
        project.cluster.call("sacctmgr", "-i", *words)
        time.sleep(2)

    return set_limit


def same_id(project: Project) -> None:
    """Have jobs on the first cluster with the ids that theirs get on the second."""
    for _ in range(2):
        project.cluster.call("sbatch", "--wrap", "sleep 900")
    probe = ("sbatch", "-M", "u", "--parsable", "--wrap", "true")
    until(lambda: "u" in str(project.cluster.call(*probe, check=False)))


def hog_memory(project: Project) -> None:
    """Let both use more memory than they asked for, the first time."""
    HOG.touch()


def stop_hogging(project: Project, jobs: Mapping[str, Job]) -> None:
    """Let them be content with their memory."""
    HOG.unlink(missing_ok=True)


@dataclass
class Job:
    """A job of one of the two: its folders, one for each run, and what was said of it."""

    tool: str
    folder: Path
    ids: list[str]
    count: int
    length: int
    told: list[str] = field(default_factory=list)
    recovered: str = ""
    hastened: set[str] = field(default_factory=set)

    def steps(self) -> list[list[int]]:
        """Return the steps that each run has trained, in order."""
        files = sorted(self.folder.glob("*/steps"))
        return [[int(line) for line in file.read_text().split()] for file in files]

    def is_complete(self) -> bool:
        """Return whether every run was trained to its end."""
        runs = self.steps()
        return len(runs) == self.count and all(run and run[-1] == self.length - 1 for run in runs)

    def in_vain(self) -> int:
        """Return the number of steps that were trained more than once."""
        return sum(len(run) - len(set(run)) for run in self.steps())


class Project:
    """A project on a cluster, in which both tools submit."""

    def __init__(self, cluster: Any, folder: Path, event: Event):
        self.cluster, self.path, self.event = cluster, folder, event
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("train.py").write_text(TRAIN)
        own = environment(OURS, folder)
        self.environment = {**own, **cluster.environment, "PATH": cluster.environment["PATH"]}
        self.environment |= {"PROJECT": str(folder), "COUNT": str(event.count)}
        self.environment |= {"PYTHONPATH": str(ROOT)}

    def call(self, *words: str | Path) -> str:
        """Call a command in the project, and return what it printed."""
        line = list(map(str, words))
        done = subprocess.run(line, cwd=self.path, env=self.environment, capture_output=True)
        return (done.stdout.strip() or done.stderr.strip()).decode()

    def runx(self, *words: str) -> str:
        """Call runx."""
        return self.call(*OURS.entry("runx", *words))

    def submit(self) -> dict[str, Job]:
        """Submit the training by both tools, and return their jobs by the tool."""
        count, length = self.event.count, self.event.length
        peer = self.path / "peer"
        peer.mkdir()
        options = [f"{name}={value}" for name, value in self.event.options.items()]
        said = self.call(PEER_PYTHON, SUBMITIT, "submit", peer, str(length), *options)
        is_submitted = all(id.replace("_", "").isdecimal() for id in said.split())
        by_submitit = Job("submitit", peer, said.split() if is_submitted else [], count, length)
        by_submitit.told += [] if is_submitted else [said.splitlines()[-1][:160]]
        self._write_sweep()
        said = self.runx("sweep.yml")
        folder = self.path / "logs" / "sweep"
        files = sorted(folder.glob("*/attempts/1.job.json"))
        ids = [str(json.loads(file.read_text()).get("id", "")) for file in files]
        by_runx = Job("runx", folder, [id for id in ids if id], count, length)
        if not by_runx.ids:
            raise SystemExit(f"benchmarks.events: {self.event.name}: {said}")
        return {"submitit": by_submitit, "runx": by_runx}

    def _write_sweep(self) -> None:
        given = {"mem": "500M", "time": "10", **self.event.options}
        warning = given.pop("warning", "120")
        given["time"] += "m"
        sweep = {
            "CMD": f"python train.py LOGDIR {self.event.length}",
            "HPARAMS": {"number": list(range(self.event.count))},
            "ARGS": {"style": "env"},
            "FARM": "c",
            "REQUEUE": {"max": 5, "signal": f"USR1@{warning}"},
            "ARRAY": self.event.count > 1,
            "c": {"TYPE": "slurm", "RESOURCES": given},
        }
        self.path.joinpath("sweep.yml").write_text(json.dumps(sweep))
        self.path.joinpath(".runx").write_text(f"LOGROOT: {self.path}/logs\n")

    def state(self, job: Job) -> str:
        """Return what a tool says of its job now; of several, each state once."""
        if job.tool == "submitit":
            told = [self.call(PEER_PYTHON, SUBMITIT, "state", job.folder, id) for id in job.ids]
            return ", ".join(dict.fromkeys(line.splitlines()[-1] for line in told if line))
        runs = json.loads(self.runx("status", "sweep", "--json"))
        words = (f"{run['state']} ({run['reason']})".replace(" ()", "") for run in runs)
        return ", ".join(dict.fromkeys(words))

    def go_on(self, job: Job) -> None:
        """Start requeued jobs in some seconds rather than the two minutes that Slurm waits.

        Not at once: slurmd refuses the second start of a job in the second of the first one's end.
        """
        for id in job.ids:
            state = self.cluster.call(
                "squeue", "-h", "-t", "PENDING", "-j", id, "-o", "%r", check=False
            )
            if "BeginTime" not in state:
                job.hastened.discard(id)
            elif id not in job.hastened:
                job.hastened.add(id)
                self.cluster.call(
                    "scontrol", "update", f"jobid={id}", "StartTime=now+5", check=False
                )


EVENTS = (
    Event("time limit", wait, {"time": "1", "warning": "20"}, length=200),
    Event("preemption", preempt, {"partition": "spare"}),
    Event("node failure", lose_node, {"nodelist": "n3"}),
    Event("out of memory", wait, before=hog_memory, mend=stop_hogging),
    Event("a bad node", wait, {"nodelist": "n2"}, break_node, mend_node, started=False),
    Event("a full quota", fill_disk, before=small_disk),
    Event("scontrol hold", hold, before=drain, mend=release, started=False),
    Event("MaxSubmitJobs", wait, before=allow("4"), mend=allow("-1"), count=6, started=False),
    Event("controller restart", restart_controller),
    Event("two clusters", wait, {"clusters": "u"}, same_id),
    Event("purged accounting", purge),
    Event("cancelled by the administrator", cancel),
)


def play(event: Event, cluster: Any, folder: Path) -> dict[str, Job]:
    """Play an event, and return what became of the jobs of both tools."""
    project = Project(cluster, folder, event)
    event.before(project)
    jobs = project.submit()
    if event.started:
        until(lambda: all(run[-1:] > [7] for job in jobs.values() for run in job.steps() or [[]]))
    event.act(project, jobs)
    _follow(project, jobs, PATIENCE if event.started else 15)
    for job in jobs.values():
        job.recovered = "by itself" if job.is_complete() else "no"
        job.told.append(project.state(job))
    if not all(job.is_complete() for job in jobs.values()):
        event.mend(project, jobs)
        project.runx("sweep.yml", "--resume")
        _follow(project, jobs, PATIENCE)
        for job in jobs.values():
            if job.recovered == "no" and job.is_complete():
                job.recovered = "by `--resume`" if job.tool == "runx" else "by hand"
            job.told.append(project.state(job))
    return jobs


def _follow(project: Project, jobs: Mapping[str, Job], seconds: float) -> None:
    """Wait for the end of both jobs, or until neither waits nor runs, noting what is said."""
    idle = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and idle < 3:
        for job in jobs.values():
            project.go_on(job)
            state = project.state(job)
            if state and state not in job.told[-1:]:
                job.told.append(state)
        listed = project.cluster.call("squeue", "-h", "-o", "%i", check=False)
        # What went to another cluster is followed by what it has trained.
        goes_on = "clusters" in project.event.options and not all(
            job.is_complete() for job in jobs.values()
        )
        idle = 0 if listed.strip() and "clusters" not in project.event.options else idle + 1
        idle = 0 if goes_on else idle
        time.sleep(2)


def main() -> int:
    """Play the events that are named, or all, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("events", nargs="*", help=", ".join(event.name for event in EVENTS))
    arguments = parser.parse_args()
    print("| event | tool | what it says, in turn | trained to its end | trained twice |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="runx-events-") as folder:
        for event in EVENTS:
            if arguments.events and event.name not in arguments.events:
                continue
            for job in _on_a_cluster(event, Path(folder) / event.name.replace(" ", "-")):
                told = "; ".join(dict.fromkeys(filter(None, job.told)))
                lost = f"{job.in_vain() * STEP:.1f} s"
                row = f"| {event.name} | {job.tool} | {told} | {job.recovered} | {lost} |"
                print(row, flush=True)
    return 0


def _on_a_cluster(event: Event, folder: Path) -> list[Job]:
    accounts = importlib.import_module("throwaway_accounts")
    if event.name == "purged accounting":
        cluster = accounts.Slurm(edits={"MinJobAge=300": "MinJobAge=2"})
    else:
        cluster = accounts.AccountedSlurm()
        cluster.edits["KillWait=5"] = "KillWait=5\nAccountingStorageEnforce=associations,limits"
    other = accounts.OtherCluster(cluster) if "clusters" in event.options else None
    prolog = cluster.folder / "prolog"
    prolog.write_text(f'#!/bin/sh\n[ "$SLURMD_NODENAME" != n2 ] || [ ! -e {cluster.folder}/bad ]\n')
    prolog.chmod(0o755)
    cluster.edits["SwitchType=switch/none"] = f"SwitchType=switch/none\nProlog={prolog}"
    cluster.start()
    try:
        if other:
            other.start()
        return list(play(event, cluster, folder).values())
    finally:
        HOG.unlink(missing_ok=True)
        if other:
            other.stop()
        cluster.stop()
        if os.path.ismount(folder):
            subprocess.run(["umount", "-l", folder], check=True)


if __name__ == "__main__":
    sys.exit(main())
