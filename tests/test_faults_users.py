"""Runs of another user: each costs a line, and none is ended or removed by halves."""

import os
import shutil
import subprocess

import pytest
from sweeps import Sweep, names, wait_until

NOBODY = 65534
# This Python may be readable by root alone: reading is allowed, writing and signals are not.
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
AS_NOBODY += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]


@pytest.fixture
def sweep(tmp_path, installed):
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("only root may be another user")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest", "popen")):
            folder.chmod(0o755)
    sweep = Sweep(tmp_path / "project", installed, 2)
    yield sweep
    sweep.clean()


def as_nobody(sweep, *words):
    done = subprocess.run(
        [*AS_NOBODY, "runx", *words],
        cwd=sweep.path,
        env=sweep.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    output = done.stdout + done.stderr
    assert "Traceback" not in output and "fault of runx" not in output, output
    return output


def started(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2")
    wait_until(lambda: [names(run)[-1:] for run in sweep.runs()] == [["running"]] * 2)
    return launcher


def test_cancel_leaves_the_runs_of_another_user_with_a_line_each(sweep):
    launcher = started(sweep)
    output = as_nobody(sweep, "cancel", "sweep")
    assert output.count("not cancelled: ") == output.count("Permission denied") == 2
    assert "0 of 2 runs cancelled" in output
    assert sweep.states() == ["running"] * 2
    launcher.terminate()
    launcher.wait()


def test_cancel_in_a_shared_folder_is_heeded_by_the_launcher_of_the_other_user(sweep):
    sweep.environment["RUNX_BEAT"] = "0.5"
    launcher = started(sweep)
    subprocess.run(["chmod", "-R", "a+rwX", sweep.root], check=True)
    output = as_nobody(sweep, "cancel", "sweep")
    assert output.count("is another user's; its launcher is told by the order in") == 2
    sweep.ended(launcher)
    assert sweep.states() == ["cancelled"] * 2


def test_rm_leaves_the_runs_of_another_user_with_a_line(sweep):
    sweep.runx("-i")
    output = as_nobody(sweep, "rm", "sweep", "--yes")
    assert "sweep: what is left of it stays: " in output and "Permission denied" in output
    assert "0 of 2 runs removed" in output
    assert len(sweep.runs()) == 2


def test_rm_removes_what_is_ours_beside_what_is_not(sweep):
    sweep.runx("-i")
    subprocess.run(["chmod", "-R", "a+rwX", sweep.root], check=True)
    (sweep.root / "sweep").chmod(0o1777)
    subprocess.run(["chown", "-R", f"{NOBODY}", sweep.run(1).path], check=True)
    output = as_nobody(sweep, "rm", "sweep", "--yes")
    assert f"{sweep.run(0).path.name}: stays: " in output
    assert "1 of 2 runs removed" in output
    assert sweep.numbers() == [0]
