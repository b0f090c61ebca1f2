"""SMOKE: the first run is tried before the others start, and leaves nothing behind."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from sweeps import Sweep, wait_until

from runx.local.process import processes_of
from runx.rundir.paths import RunDir

TRIED = "[[ $RUNX_LOGDIR == */.smoke/* ]]"
FOREVER = "until [ -e ../go ]; do sleep 0.05; done"


@pytest.fixture
def sweep(tmp_path, installed):
    project = Sweep(tmp_path / "project", installed, count=2)
    yield project
    project.clean()


def left(sweep):
    """Return what is left of what was tried."""
    return list((sweep.root / ".smoke").glob("*")) if sweep.root.exists() else []


def test_a_run_that_goes_on_well_is_ended_and_then_all_start(sweep):
    sweep.trains(f"{TRIED} && {FOREVER} || true")
    said = sweep.runx("-i", "--smoke", "1s")
    assert "trying the first run here for 1 s: bash train.sh --n 0" in said
    assert "it ran well for 1 s" in said
    assert sweep.states() == ["done", "done"]
    assert sweep.told("begin") == [0, 0, 1]
    assert not (sweep.root / ".smoke").exists()


def test_one_that_is_done_sooner_is_not_waited_for(sweep):
    said = sweep.runx("-i", "--smoke", "1h")
    assert "it was done after" in said
    assert sweep.states() == ["done", "done"]


def test_where_it_fails_nothing_starts_and_the_cause_is_said(sweep):
    sweep.trains("echo line before; echo KeyError: lr in $RUNX_LOGDIR; exit 3")
    said = sweep.runx("-i", "--smoke", "60s", status=1)
    assert "    line before\n" in said
    last = said.splitlines()[-1]
    assert "KeyError: lr in LOGDIR; nothing was started: mend it, or launch with SMOKE=0" in last
    assert not sweep.root.exists()


def test_a_folder_that_was_there_stays_as_it_was(sweep):
    sweep.runx("-i")
    before = sorted(sweep.root.rglob("*"))
    sweep.trains("exit 1")
    sweep.runx("-i", "--smoke", "60s", status=1)
    after = sorted(sweep.root.rglob("*"))
    assert after == before


def test_it_tries_what_would_start_and_only_if_something_does(sweep):
    sweep.trains(f"[ $2 = 0 ] || {TRIED} || exit 1")
    sweep.runx("-i", status=1)
    said = sweep.runx("-i", "--resume", "--smoke", "60s", status=1)
    assert "trying the first run here for 1 min: bash train.sh --n 1" in said
    sweep.trains(":")
    sweep.runx("-i", "--resume", "--restage")
    assert "trying" not in sweep.runx("-i", "--resume", "--smoke", "60s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_person_who_stops_it_leaves_nothing(sweep, number):
    sweep.trains(FOREVER)
    launcher = sweep.start("-i", "--smoke", "60s")
    wait_until(lambda: sweep.told("begin"))
    launcher.send_signal(number)
    said = sweep.ended(launcher)
    assert launcher.returncode == 130, said
    assert not sweep.root.exists()


def test_a_launcher_that_is_killed_trips_nobody_and_its_run_ends(sweep):
    sweep.trains(f"{TRIED} && {FOREVER} || true")
    launcher = sweep.start("-i", "--smoke", "60s")
    wait_until(lambda: sweep.told("begin"))
    [run] = (sweep.root / ".smoke").glob("*/sweep/[!.]*")
    assert "exec timeout -k 10 120 bash tried.sh" in (run / "run.sh").read_text()
    launcher.kill()
    launcher.wait()
    assert "is empty" in sweep.command("status", status=2)
    sweep.runx("-i", "--smoke", "0.1s")
    assert sweep.states() == ["done", "done"]
    assert run.exists()  # it goes on
    (run / "go").touch()
    wait_until(lambda: not list(processes_of(RunDir(run), 1)))
    os.utime(run.parent.parent, (time.time() - 1000, time.time() - 1000))
    sweep.runx("-i", "--smoke", "1s", "--again")
    assert left(sweep) == []


def test_logx_writes_to_the_folder_that_goes(sweep):
    sweep.write(
        "train.py",
        "import os\nfrom runx.logx import logx\nlogx.initialize()\n"
        "logx.metric('val', {'loss': 1}, 0)\nopen(os.environ['JOURNAL'], 'a').write("
        "f'at {logx.logdir} {os.environ[\"RUNX_LOGDIR\"]}\\n')\n",
    )
    sweep.write("sweep.yml", "CMD: python train.py\nHPARAMS: {n: 0}\nSMOKE: 60s\nARGS: env\n")
    sweep.runx("-i")
    lines = [line.split() for line in sweep.journal.read_text().splitlines()]
    assert len(lines) == 2
    assert all(logdir == folder for _, logdir, folder in lines)
    assert "/.smoke/" in lines[0][1]
    assert not Path(lines[0][1]).exists()


def test_a_gpu_is_leased_to_it_as_to_others(sweep):
    settings = "GPUS: [7]\nRESOURCES: {gpus: 1}\nSMOKE: 60s\n"
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: 0}}\n{settings}")
    sweep.trains('echo "gpu $CUDA_VISIBLE_DEVICES" >> "$JOURNAL"')
    sweep.runx("-i")
    assert sweep.journal.read_text().count("gpu 7\n") == 2


def test_code_that_changes_meanwhile_was_not_tried(sweep):
    sweep.trains(f"{TRIED} && touch $RUNX_PROJECT/new.sh")
    said = sweep.runx("-i", "--smoke", "60s", status=1)
    assert "the code has changed while it was tried, so nothing was started" in said


def test_it_is_tried_here_before_it_goes_to_a_farm(sweep):
    sweep.write(".runx", "FARM: mine\nmine: {SUBMIT_CMD: bash submit.sh}\n")
    sweep.write("submit.sh", f'echo submitted >> "{sweep.journal}"\n')
    sweep.trains("exit 1")
    sweep.runx("--smoke", "60s", status=1)
    assert "submitted" not in sweep.journal.read_text()
    sweep.trains(":")
    sweep.runx("--smoke", "60s")
    assert sweep.journal.read_text().count("submitted") == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("SMOKE: {farm: nosuch}", "sweep.yml:3: SMOKE.farm: no section describes farm nosuch"),
        ("SMOKE: {farm: mine}", "SMOKE.farm: mine: a farm of TYPE command can't be asked"),
        ("SMOKE: soon", "sweep.yml:3: SMOKE must be a length of time"),
    ],
)
def test_what_can_not_be_tried_is_said(sweep, settings, message):
    sweep.write(".runx", "mine: {SUBMIT_CMD: bash submit.sh}\n")
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: 0}}\n{settings}\n")
    assert message in sweep.runx("-i", status=2)
    assert not sweep.root.exists()


def test_n_says_so_and_tries_nothing(sweep):
    assert "note: a launch tries the first run before" in sweep.runx("-n", "-i", "--smoke", "9s")
    assert not sweep.journal.exists()


def test_what_a_launch_records_is_not_what_was_tried(sweep):
    sweep.runx("-i", "--smoke", "60s")
    records = [json.loads((run.path / "run.json").read_text()) for run in sweep.runs()]
    assert len({record["launch"] for record in records}) == 1
    assert len(list((sweep.root / "sweep/.runx/launches").iterdir())) == 1


def test_several_launchers_at_once_try_theirs_each(sweep):
    sweep.trains("sleep 0.3")
    launchers = [
        sweep.start("-i", "--smoke", "60s", "--again", "--exp-name", f"e{number}")
        for number in range(3)
    ]
    for launcher in launchers:
        said = sweep.ended(launcher)
        assert launcher.returncode == 0, said
    assert left(sweep) == []


def test_a_logroot_that_can_not_be_written_is_said(sweep):
    sweep.write("file", "")
    said = sweep.runx("-i", "--smoke", "60s", "LOGROOT=file/runs", status=2)
    assert "SMOKE: LOGROOT" in said
    assert "can't be written: Not a directory" in said
