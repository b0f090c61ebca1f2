"""run.sh on disks that are full, of blocks or of inodes, or read-only."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from disks import FILL, KINDS, small_disk
from scripts import begun, events, execute, names, wait_until, write_run

from runx.rundir.attempts import read_attempts
from runx.rundir.shell import Shell
from runx.rundir.state import state


@pytest.fixture(params=KINDS)
def disk(tmp_path, request):
    with small_disk(tmp_path / "disk", request.param) as path:
        yield path


def state_of(run):
    return state(read_attempts(run, time.time, lambda line: None))


@pytest.mark.parametrize("what", FILL)
def test_nothing_is_executed_whose_start_cannot_be_written(disk, what, tmp_path):
    run = write_run(disk, f"touch {tmp_path}/executed")
    FILL[what](disk)
    done = execute(run)
    assert done.returncode == 74
    assert "nothing was executed: is its disk full?" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "executed").exists()
    assert state_of(run).name in ("planned", "queued")


@pytest.mark.parametrize("what", FILL)
@pytest.mark.parametrize("code", [0, 3])
def test_an_end_has_its_room_from_the_start(disk, what, code, tmp_path):
    run = write_run(
        disk, f"echo ready; until [ -e {tmp_path}/go ]; do sleep 0.02; done; exit {code}"
    )
    process = begun(run)
    wait_until(lambda: "running" in names(run))
    files = FILL[what](disk)
    (tmp_path / "go").touch()
    assert process.wait(30) == code
    assert state_of(run)[:3] == (("done", "", 0) if code == 0 else ("failed", "exit status 3", 3))
    for file in files:
        file.unlink()
    assert execute(run).returncode == code
    assert "running" in names(run, 2)


def test_an_end_that_cannot_be_appended_stands_in_the_room_of_the_start(disk, tmp_path):
    go = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done; exit 5"
    run = write_run(disk, f"trap : USR2; echo ready; {go}")
    process = begun(run)
    wait_until(lambda: "running" in names(run))
    note = '{"event":"note","text":"%s"}\n'  # as many signals do
    room = 8192 - run.events(1).stat().st_size - len(note % "")
    with run.events(1).open("a") as file:
        file.write(note % ("x" * room))
    assert run.events(1).stat().st_size == 8192
    FILL["blocks"](disk)
    (tmp_path / "go").touch()
    assert process.wait(30) == 5
    assert run.events(1).stat().st_size == 8192
    assert state_of(run)[:3] == ("failed", "exit status 5", 5)
    assert names(run)[:2] == ["started", "ended"]


def test_a_script_that_prints_goes_on_and_its_log_says_what_it_lost(disk, tmp_path):
    wait = f"until [ -e {tmp_path}/%s ]; do sleep 0.02; done"
    lines = "for i in {1..3000}; do echo line $i and some more text || exit 9; done"
    run = write_run(disk, f"echo ready; {wait % 'a'}; {lines}; {wait % 'b'}; echo last; exit 4")
    process = begun(run)
    files = FILL["blocks"](disk)
    (tmp_path / "a").touch()
    time.sleep(0.5)
    assert process.poll() is None
    for file in files:
        file.unlink()
    (tmp_path / "b").touch()
    assert process.wait(30) == 4
    text = run.output.read_text()
    assert text.startswith("ready\n") and "last\n" in text
    assert text.splitlines()[-1] == "run.sh: output was lost: the disk was full"
    assert events(run)[-1] == {**events(run)[-1], "code": 4, "output": "lost"}


def test_a_signal_ends_a_run_on_a_full_disk(disk):
    run = write_run(disk, "echo ready; while :; do echo $RANDOM; sleep 0.01; done")
    process = begun(run)
    FILL["blocks"](disk)
    process.terminate()
    assert process.wait(30) == 143
    assert state_of(run)[:2] == ("killed", "by TERM")


def test_a_disk_that_turns_read_only_stops_neither_the_script_nor_its_end(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        wait = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done"
        run = write_run(disk, f"echo ready; {wait}; echo out; touch {tmp_path}/over; exit 3")
        process = begun(run)
        subprocess.run(["mount", "-o", "remount,ro", "-f", disk], check=False)
        (tmp_path / "go").touch()
        assert process.wait(60) == 3
        assert (tmp_path / "over").exists()


def test_what_is_printed_is_kept_byte_by_byte_and_in_order(tmp_path):
    code = (
        "import os, sys\n"
        "for i in range(3000):\n"
        "    os.write(1 + i % 2, bytes([i % 256]) * (i % 200) + b'\\0\\r\\n')\n"
    )
    (tmp_path / "print.py").write_text(code)
    run = write_run(tmp_path, f"python3 {tmp_path}/print.py")
    assert execute(run).returncode == 0
    lines = [bytes([i % 256]) * (i % 200) + b"\0\r\n" for i in range(3000)]
    assert run.output.read_bytes() == b"".join(lines)


def test_a_script_whose_relay_loses_its_cat_goes_on_printing(tmp_path):
    run = write_run(tmp_path, "for i in {1..60}; do echo ready $i || exit 9; sleep 0.02; done")
    process = begun(run)
    [cat] = [
        child
        for relay in children(process.pid)
        for child in children(relay)
        if Path(f"/proc/{child}/cmdline").read_text().startswith("cat")
    ]
    os.kill(cat, signal.SIGKILL)
    assert process.wait(30) == 0
    assert "ready 60" in run.output.read_text()


def children(parent):
    return map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())


def test_stderr_of_its_own_goes_on_on_a_full_disk_too(disk, tmp_path):
    wait = f"until [ -e {tmp_path}/%s ]; do sleep 0.02; done"
    lines = "for i in {1..2000}; do echo line $i and some more text >&2 || exit 9; done"
    body = f"echo ready; {wait % 'a'}; {lines}; {wait % 'b'}; echo last >&2; exit 4"
    run = write_run(disk, body, shell=Shell(separate=True))
    process = begun(run)
    files = FILL["blocks"](disk)
    (tmp_path / "a").touch()
    time.sleep(0.5)
    for file in files:
        file.unlink()
    (tmp_path / "b").touch()
    assert process.wait(30) == 4
    assert run.output.read_text() == "ready\n"
    errors = (run.path / "errors.log").read_text()
    assert "last\n" in errors and errors.endswith("run.sh: output was lost: the disk was full\n")


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_the_last_words_of_a_script_that_is_told_to_stop_are_kept(tmp_path, name, separate):
    words = "for i in {1..500}; do echo word $i; echo err $i >&2; done; exit 5"
    body = f"trap '{words}' {name}; echo ready; while :; do sleep 0.05; done"
    run = write_run(tmp_path, body, shell=Shell(separate=separate))
    process = begun(run)
    os.killpg(process.pid, signal.Signals[f"SIG{name}"])  # all of run.sh's group, the relays, too
    assert process.wait(30) == 5
    output = run.output.read_text()
    assert output.count("word ") == 500
    assert ((run.path / "errors.log").read_text() if separate else output).count("err ") == 500
