"""A run.sh as a farm's job starts it."""

import os
import subprocess

from runx.rundir.claims import claim_text
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point

BACK = 99


def made(
    folder, cmd, retries=None, requeue=None, handback=("", BACK, ""), max_failures=None, name="owl"
):
    """Write a run whose first attempt a launcher has claimed for a farm."""
    run = Run(name, RunDir(folder / name), Point(()))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    settings = ScriptSettings(
        "sweep",
        cmd,
        "LOGDIR/code",
        os.environ["PATH"],
        "/home/me/project",
        requeue=requeue,
        handback=handback,
        retries=retries,
        max_failures=max_failures,
    )
    run.dir.script.write_text(script(run, settings))
    run.dir.claim(1).write_text(claim_text("cluster", None, "a-launch"))
    return run.dir


def job(run, attempt=1, wait=True, **environment):
    """Start run.sh as a job's script does."""
    process = subprocess.Popen(
        ["bash", run.script, str(attempt)],
        env={**os.environ, "SLURM_JOB_ID": "12", "RUNX_BEAT": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return process.wait(60) if wait else process
