"""Runs with a run.sh, executed by a real bash."""

import json
import os
import subprocess
import time

from runx.rundir.claims import claim_text
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point


def write_run(tmp_path, cmd, *hparams, claim=True, name="wise-owl", **settings):
    run = Run(name, RunDir(tmp_path / name), Point(tuple(hparams)))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    around = ScriptSettings(
        "sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/home/me/project", **settings
    )
    run.dir.script.write_text(script(run, around))
    if claim:
        run.dir.claim(1).write_text(claim_text(None, None))
    return run.dir


def execute(run, **environment):
    return subprocess.run(
        ["bash", run.script],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def begun(run, **options):
    """Start a run and wait until its script has written that to its output."""
    process = subprocess.Popen(
        ["bash", run.script], stdin=subprocess.DEVNULL, start_new_session=True, **options
    )
    wait_until(lambda: run.output.exists() and "ready" in run.output.read_text())
    return process


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def events(run, attempt=1):
    return [json.loads(line) for line in run.events(attempt).read_text().splitlines()]


def names(run, attempt=1):
    return [event["event"] for event in events(run, attempt)]
