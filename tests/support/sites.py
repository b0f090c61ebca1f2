"""A project on a machine with a scheduler: runx called there, and what every farm must do."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

STANDINS = Path(__file__).resolve().parent / "standins"
TRAIN = """\
import argparse, json, os, pathlib, sys, time
from runx.logx import logx

flags = argparse.ArgumentParser()
flags.add_argument("--lr", type=float, default=1)
flags.add_argument("--nap", type=float, default=0)
flags.add_argument("--status", type=int, default=0)
flags.add_argument("--epochs", type=int, default=0)
flags.add_argument("--hog", type=int, default=0)
args, others = flags.parse_known_args()
logdir = os.environ["RUNX_LOGDIR"]
print("others", json.dumps(others), flush=True)
logx.initialize(logdir=logdir, tensorboard=False)
checkpoint = pathlib.Path(logdir, "epoch.txt")
hog = b"x" * args.hog * 1_000_000
first = int(checkpoint.read_text()) if checkpoint.exists() else 0
print("from epoch", first, flush=True)
for epoch in range(first, args.epochs):
    time.sleep(0.5)
    checkpoint.write_text(str(epoch + 1))
    print("epoch", epoch, flush=True)
time.sleep(args.nap)
logx.metric("val", {"accuracy": args.lr}, 0)
sys.exit(args.status)
"""
HOSTILE = (
    "it's",
    'a "b"',
    "two\nlines",
    "$(id); `id` $HOME",
    "--dash",
    "ünï ☃",
    "a\\b\\\\",
    "*?[a]{b,c}",
    "%d %% !",
    "x" * 4096,
)


class Site:
    """A project whose runs go to a farm; ``environment`` is what its commands need.

    ``user`` is the number of who calls them, where that is somebody else.
    """

    def __init__(self, path: Path, environment, runx: str, seconds=120, user=None):
        self.path, self.environment, self.seconds, self.user = path, environment, seconds, user
        self.umask = -1
        path.mkdir(parents=True, exist_ok=True)
        self.write("train.py", TRAIN)
        # Not every scheduler hands the launcher's environment on.
        package = Path(__file__).resolve().parents[2]
        self.write(".runx", f"LOGROOT: {path}/logs\nPYTHONPATH: LOGDIR/code:{package}\n{runx}")

    def write(self, name, text):
        (self.path / name).write_text(text)

    def sweep(self, name, text):
        self.write(f"{name}.yml", f"CMD: python train.py\n{text}")
        return f"{name}.yml"

    def runx(self, *words, status=0, program="runx"):
        done = subprocess.run(
            [program, *words],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            umask=self.umask,
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        wanted = (status,) if isinstance(status, int) else status
        assert done.returncode in wanted, (done.returncode, done.stdout, done.stderr)
        return done

    def runs(self, name):
        return sorted(path for path in (self.path / "logs" / name).iterdir() if path.name[0] != ".")

    def states(self, name):
        runs = json.loads(self.runx("status", name, "--json", status=(0, 1)).stdout)
        return {run["name"]: run["state"] for run in runs}

    def wait(self, name, condition, seconds=None):
        """Wait until the states of an experiment's runs are as they should be."""
        deadline = time.monotonic() + (seconds or self.seconds)
        while not condition(states := self.states(name)):
            assert time.monotonic() < deadline, (states, self.logs(name))
            time.sleep(0.5)
        return states

    def logs(self, name):
        return {run.name: self.output(run)[-2000:] for run in self.runs(name)}

    def output(self, run):
        file = run / "output.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def printed(self, run, text, times=1):
        """Wait until a run's output holds a text ``times`` times."""
        deadline = time.monotonic() + self.seconds
        while self.output(run).count(text) < times:
            assert time.monotonic() < deadline, self.output(run)
            time.sleep(0.1)

    def done(self, name, count, seconds=None):
        """Wait until all ``count`` runs are done."""
        states = self.wait(name, all_end, seconds)
        assert list(states.values()) == ["done"] * count, (states, self.logs(name))


def job_of(run, attempt=1):
    """Return the id that the scheduler gave an attempt of a run."""
    return json.loads((run / f"attempts/{attempt}.job.json").read_text())["id"]


def all_end(states):
    return not {"planned", "queued", "running", "preempted"} & set(states.values())


def a_sweep_of_training_runs_is_ranked_by_sumx(site: Site, more=""):
    site.runx(site.sweep("rank", f"HPARAMS: {{lr: [1, 2, 3, 4, 5, 6, 7, 8]}}\n{more}"))
    site.done("rank", 8)
    return site.runx("rank", "-s", "accuracy", program="sumx")


def hostile_values_come_out_as_they_went_in(site: Site, more=""):
    values = json.dumps([list(HOSTILE)])
    site.runx(site.sweep("hostile", f"HPARAMS: {{v: {json.dumps(list(HOSTILE))}}}\n{more}"))
    site.done("hostile", len(HOSTILE))
    printed = []
    for run in site.runs("hostile"):
        line = next(x for x in site.output(run).splitlines() if x.startswith("others "))
        word = " ".join(json.loads(line[7:])).removeprefix("--v").lstrip("= ")
        printed.append(word)
    assert sorted(printed) == sorted(HOSTILE), values


@contextlib.contextmanager
def running(kind, reason):
    """Start a scheduler of a kind for the tests of a module; skip them where it can't be had."""
    if reason:
        pytest.skip(reason)
    made = kind()
    try:
        yield made.start()
    finally:
        made.stop()


def environment_of(installed, more):
    """Join the environment in which runx is this checkout's with that of a cluster."""
    path = f"{installed['PATH'].split(os.pathsep)[0]}{os.pathsep}{more['PATH']}"
    return {**installed, **more, "PATH": path, "PYTHONPATH": installed["PYTHONPATH"]}


def installed_commands(folder, names, farm=""):
    """Put stand-ins on a PATH of their own: a program of a command's own, or of its farm's."""
    folder.mkdir()
    family = STANDINS / f"{farm}.py"
    for name in names:
        own = STANDINS / f"{name}.py"
        words = [own] if own.exists() else [family, name]
        command = folder / name
        line = shlex.join([sys.executable, *map(str, words)])
        command.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        command.chmod(0o755)
    return folder
