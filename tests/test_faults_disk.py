"""Disks that fill, are read-only, or are taken away: no run is doubled, lost, or beyond control."""

import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from disks import FILL, KINDS, small_disk
from sweeps import Sweep, names, state_of, wait_until

from runx.rundir.attempts import read_attempts
from runx.rundir.state import state

COUNT = 3
LOOP = "trap 'exit 130' INT; until [ -e {go} ]; do echo waiting {blank}; sleep 0.05; done"


@pytest.fixture
def sweep(tmp_path, installed):
    sweep = Sweep(tmp_path / "project", installed, COUNT)
    yield sweep
    sweep.clean()


@pytest.fixture(params=KINDS)
def disk(tmp_path, request, sweep):
    """A small disk on which the sweep has its LOGROOT."""
    with small_disk(tmp_path / "disk", request.param, kilobytes=4096) as path:
        sweep.write(".runx", f"LOGROOT: {path}/runs\n")
        sweep.root = path / "runs"
        yield path
        sweep.clean()


def no_traceback(output):
    assert "Traceback" not in output and "fault of runx" not in output, output
    return output


def starts(sweep, *words, count=1):
    """Start a launch whose runs wait for a file, and wait until some run."""
    sweep.trains(LOOP.format(go=sweep.path / "go", blank="." * 3000))
    launcher = sweep.start("-i", *words)
    wait_until(lambda: len(sweep.told("begin")) == count)
    wait_until(lambda: sum("running" in names(run) for run in sweep.runs()) == count)
    return launcher


def test_a_script_that_prints_goes_on_on_a_full_disk_and_its_loss_is_said(sweep, disk):
    launcher = starts(sweep, "-j", "3", count=3)
    FILL["blocks"](disk)
    time.sleep(0.5)
    (sweep.path / "go").touch()
    output = no_traceback(sweep.ended(launcher))
    assert launcher.returncode == 0
    assert output.count("the disk was full: some of its output is lost") == 3
    assert sweep.states() == ["done"] * COUNT


def empty(files):
    for file in files:
        file.unlink()


@pytest.mark.parametrize("what", FILL)
def test_a_run_that_would_begin_on_a_full_disk_is_planned_and_said_to_be(sweep, disk, what):
    launcher = starts(sweep)
    files = FILL[what](disk)
    (sweep.path / "go").touch()
    output = no_traceback(sweep.ended(launcher))
    assert launcher.returncode == 1
    assert "not started: the disk of" in output
    assert "1 of 3 runs done, 2 not started" in output
    assert output.splitlines()[-1] == "go on: runx sweep.yml -i --resume"
    assert sorted(sweep.states()) == ["done", "planned", "planned"]
    assert len(sweep.told("begin")) == 1
    empty(files)
    sweep.runx("-i", "--resume")
    assert sweep.told("begin") == sweep.told("end") == [0, 1, 2]
    assert sweep.states() == ["done"] * COUNT


@pytest.mark.parametrize("what", FILL)
def test_on_a_full_disk_a_launch_and_a_resume_end_in_a_line_that_says_so(sweep, disk, what):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    files = FILL[what](disk)
    for words in (["-i"], ["-i", "--resume"], ["-i", "--resume", "-j", "2"]):
        output = no_traceback(sweep.runx(*words, status=2))
        assert len(output.splitlines()) <= 3
        assert "the disk of" in output.splitlines()[-1] or "No space left" in output
    assert "3 failed" in sweep.command("status", "sweep", status=1)
    empty(files)
    sweep.trains(":")
    sweep.runx("-i", "--resume", "--restage")
    assert sweep.states() == ["done"] * COUNT


@pytest.mark.parametrize("what", FILL)
def test_on_a_full_disk_rm_works_first_of_all(sweep, disk, what):
    sweep.runx("-i")
    FILL[what](disk)
    name = sweep.run(1).path.name
    assert "1 of 1 runs removed" in no_traceback(sweep.command("rm", f"sweep/{name}", "--yes"))
    FILL[what](disk)
    assert "2 of 2 runs removed" in no_traceback(sweep.command("rm", "sweep", "--yes"))
    assert sweep.runs() == []


@pytest.mark.parametrize("what", FILL)
def test_on_a_full_disk_cancel_ends_what_runs(sweep, disk, what):
    launcher = starts(sweep)
    FILL[what](disk)
    output = no_traceback(sweep.command("cancel", "sweep", status=1))
    assert output.count("not cancelled: the disk of") == 1  # one line for both that wait
    assert "1 of 3 runs cancelled" in output and "the disk of" in output
    no_traceback(sweep.ended(launcher))
    assert len(sweep.told("begin")) == 1 and sweep.told("end") == []
    assert sorted(sweep.states()) == ["killed", "planned", "planned"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("what", FILL)
def test_on_a_full_disk_a_signal_to_the_launcher_ends_what_runs(sweep, disk, what, number):
    launcher = starts(sweep)
    FILL[what](disk)
    launcher.send_signal(number)
    no_traceback(sweep.ended(launcher, 30))
    assert launcher.returncode == 130
    assert len(sweep.told("begin")) == 1 and sweep.told("end") == []
    assert sorted(sweep.states()) == ["killed", "planned", "planned"]


def test_on_a_full_disk_a_run_over_its_time_is_ended(sweep, disk):
    launcher = starts(sweep, "--timeout", "3s", "--fail-fast")
    files = FILL["blocks"](disk)
    output = no_traceback(sweep.ended(launcher, 60))
    assert launcher.returncode == 1
    assert "that it ends by a timeout can't be written: the disk of" in output
    assert sweep.told("end") == []
    empty(files)


@pytest.mark.parametrize("thawed", [True, False])
def test_an_end_that_cannot_be_written_is_tried_again_and_never_called_done(
    sweep, tmp_path, thawed
):
    with small_disk(tmp_path / "disk", "ext4", kilobytes=4096) as disk:
        sweep.write(".runx", f"LOGROOT: {disk}/runs\n")
        sweep.root = disk / "runs"
        launcher = starts(sweep, "--fail-fast")
        [run] = [run for run in sweep.runs() if "started" in names(run)]
        subprocess.run(["chattr", "+i", run.events(1)], check=True)
        try:
            (sweep.path / "go").touch()
            wait_until(lambda: sweep.told("end"))
            if thawed:
                time.sleep(0.5)
                subprocess.run(["chattr", "-i", run.events(1)], check=True)
            output = no_traceback(sweep.ended(launcher, 60))
        finally:
            subprocess.run(["chattr", "-i", run.events(1)], check=True)
        if thawed:
            assert sweep.states() == ["done"] * COUNT
        else:
            assert launcher.returncode == 1
            assert f"{run.path.name}: ended with 0, which can't be written: " in output
            assert "2 of 3 runs done, 1 ended well, which can't be written" in output
            assert sorted(sweep.states()) == ["done", "done", "killed"]


def test_a_logroot_deleted_while_runs_run_is_one_line_each(sweep):
    launcher = starts(sweep)
    shutil.rmtree(sweep.root)
    (sweep.path / "go").touch()
    output = no_traceback(sweep.ended(launcher, 60))
    assert launcher.returncode == 1
    assert "ended with 0, which can't be written: " in output
    assert "No such file or directory" in output
    assert len(sweep.told("begin")) == 1


@pytest.mark.parametrize("output", ["full", "closed"])
def test_runs_start_and_end_although_nobody_hears_of_it(sweep, output):
    words = ["runx", "sweep.yml", "-i", "-j", "2"]
    environment = {**sweep.environment, "PYTHONUNBUFFERED": ""}
    if output == "full":
        with open("/dev/full", "w") as full:
            done = subprocess.run(words, cwd=sweep.path, env=environment, stdout=full, stderr=full)
        assert done.returncode == 74
    else:
        line = f"set -o pipefail; {' '.join(words)} 2>&1 | head -1"
        done = subprocess.run(["bash", "-c", line], cwd=sweep.path, env=sweep.environment)
        assert done.returncode == 0
    assert sweep.states() == ["done"] * COUNT
    assert sweep.told("end") == [0, 1, 2]


@pytest.mark.parametrize("text", ["", "\0" * 200, "  \n"])
def test_a_claim_that_a_power_failure_has_emptied_holds_up_no_launch(sweep, text):
    sweep.runx("-i")
    turns = sweep.root / "sweep/.runx/turns"
    (turns / "999.claim").write_text(text)
    begin = time.monotonic()
    sweep.runx("-i", "--resume")
    assert time.monotonic() - begin < 60


def test_a_run_whose_record_a_power_failure_has_emptied_is_no_second_time_made(sweep):
    launcher = starts(sweep, "-j", "3", count=3)
    for run in sweep.runs():
        run.record.write_bytes(b"\0" * 100)
    assert "3 running: starting 0" in sweep.runx("-i", "--resume")
    (sweep.path / "go").touch()
    sweep.ended(launcher)
    assert "3 done: starting 0" in sweep.runx("-i", "--resume")
    assert sweep.told("begin") == [0, 1, 2]


def test_a_run_that_failed_and_has_lost_its_record_gets_a_new_one_with_its_next_attempt(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    run = sweep.run(1)
    record = json.loads(run.record.read_text())
    for file in (run.record, run.script, run.hparams):
        file.write_text("")
    shutil.rmtree(run.code)
    sweep.trains(":")
    sweep.runx("-i", "--resume", "--restage")
    assert sweep.states() == ["done"] * COUNT
    assert json.loads(run.record.read_text())["hparams"] == record["hparams"]


def test_a_run_sh_that_ends_before_its_start_gives_a_state_with_a_reason(sweep):
    (sweep.path / "env.sh").write_text("echo no such module >&2\nexit 4\n")
    output = sweep.runx("-i", "-j", "3", status=1, BASH_ENV=str(sweep.path / "env.sh"))
    assert "3 of 3 runs failed" in output
    for run in sweep.runs():
        now = state(read_attempts(run, time.time, print))
        assert now.name == "failed"
        assert now.reason == "run.sh ended before it started CMD: no such module"
    sweep.runx("-i", "--resume")
    assert sweep.told("begin") == [0, 1, 2]


def test_a_run_sh_without_content_has_not_done_its_run(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    sweep.trains(":")
    for run in sweep.runs():
        run.script.write_text("")
    output = sweep.runx("-i", "--resume", "RESTAGE=never", status=1)
    assert "3 of 3 runs failed" in output
    assert sweep.states() == ["failed"] * COUNT


def test_what_cannot_be_removed_yet_is_named_and_goes_later(sweep):
    """A directory that is busy stands for a .nfs file, which comes back while it is open."""
    sweep.runx("-i")
    run = sweep.run(1)
    (run.code / "busy").mkdir()
    busy = ["mount", "-t", "tmpfs", "runx", run.code / "busy"]
    if subprocess.run(busy, capture_output=True).returncode:
        pytest.skip("only root may mount")
    making = sweep.root / "sweep/.runx/making"
    try:
        output = no_traceback(sweep.command("rm", "sweep", "--yes"))
        assert f"{run.path.name}: is removed, but not all of {making}" in output
        assert "busy" in output and "3 of 3 runs removed" in output
        sweep.runx("-i")
        assert len(list(making.iterdir())) == 1
    finally:
        for folder in making.iterdir():
            subprocess.run(["umount", "-l", folder / "code/busy"], check=True)
    sweep.runx("-i", "--again")
    assert list(making.iterdir()) == []


@pytest.mark.parametrize("chunk", range(4))
def test_a_disk_that_fills_at_any_time_loses_and_doubles_nothing(chunk, sweep, tmp_path):
    seed = os.environ["RUNX_SEED"]
    draw = random.Random(f"{seed} disk {chunk}")
    kind, what = KINDS[chunk % 2], list(FILL)[chunk // 2]
    with small_disk(tmp_path / "disk", kind, kilobytes=4096) as disk:
        sweep.write(".runx", f"LOGROOT: {disk}/runs\n")
        sweep.root = disk / "runs"
        sweep.trains("for i in {1..10}; do echo $i; sleep 0.02; done")
        try:
            for nth in range(5):
                launcher = sweep.start("-i", "-j", "2", *(["--resume"] if nth else []))
                time.sleep(draw.random() * 1.5)
                files = FILL[what](disk)
                if draw.random() < 0.3:
                    launcher.kill()
                no_traceback(sweep.ended(launcher, 60))
                wait_until(lambda: "running" not in [state_of(run) for run in sweep.runs()])
                done = [n for n in sweep.numbers() if state_of(sweep.run(n)) == "done"]
                assert done == sorted(set(sweep.told("end"))), sweep.said(launcher)
                empty(files)
            sweep.runx("-i", "--resume", "-j", "2")
            assert sweep.states() == ["done"] * COUNT
            assert sweep.told("begin") == sweep.told("end") == [0, 1, 2]
        except AssertionError as error:
            raise AssertionError(f"{kind}, {what}, RUNX_SEED={seed}: {error}") from error
        finally:
            sweep.clean()
