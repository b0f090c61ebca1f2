"""Signals in the instant in which a script ends: bash can lose its status, and wait for ever."""

import os
import random
import signal
import subprocess
import time

import pytest
from sweeps import events

from runx.rundir.claims import claim_text
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point

TRIES = 60


def write_run(folder):
    run = RunDir(folder / "run")
    run.attempts.mkdir(parents=True)
    run.code.mkdir()
    settings = ScriptSettings(
        "x", "/bin/sleep 0.05", "LOGDIR/code", os.environ["PATH"], str(folder)
    )
    run.script.write_text(script(Run("run", run, Point(())), settings))
    (run.attempts / "1.claim").write_text(
        claim_text("cluster", None, "2026-11-20T22.18.16Z-846a97")
    )
    return run


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_as_the_script_ends_neither_hangs_the_run_nor_loses_its_end(tmp_path, number):
    codes = set()
    for attempt in range(TRIES):
        run = write_run(tmp_path / str(attempt))
        job = subprocess.Popen(["bash", str(run.script), "1", str(attempt)], start_new_session=True)
        file = run.attempts / "1.events.jsonl"
        while not (file.exists() and '"running"' in file.read_text()):
            time.sleep(0.001)
        time.sleep(0.03 + 0.02 * random.random())
        for _ in range(6):
            job.send_signal(number)
            time.sleep(0.004 * random.random())
        try:
            job.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            raise
        codes.add({event["event"]: event for event in events(run)}["ended"]["code"])
    assert codes <= {0, 128 + number}
