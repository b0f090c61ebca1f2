"""Killed processes, full disks and clocks set back: no run is lost, doubled or half made."""

import itertools
import os
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest
from sites import Site, environment_of, installed_commands
from sweeps import CONTAINER, Sweep, events, names, wait_until

from runx.launching.decide import existing_runs
from runx.launching.plan import SETTLED
from runx.rundir.paths import ExperimentDir
from runx.sweeps.identity import Identity

FAULTY = Path(__file__).parent / "support" / "faulty"
CHUNKS, EACH = 10, 6
COUNT = 3


@pytest.fixture
def sweep(tmp_path, installed):
    sweep = Sweep(tmp_path / "project", installed, COUNT)
    yield sweep
    sweep.clean()


def faulty(sweep: Sweep, step: int) -> dict[str, str]:
    """Return an environment in which runx is killed at this step, or counts its steps: 0."""
    path = os.pathsep.join([str(FAULTY), sweep.environment["PYTHONPATH"]])
    root = str(sweep.path / "runs")
    return {"PYTHONPATH": path, "FAULT_AT": str(step), "FAULT_ROOT": root}


def check_all_done_once(sweep: Sweep, count: int = COUNT) -> None:
    assert sweep.numbers() == list(range(count)), "a run is there twice, or is lost"
    assert sweep.states() == ["done"] * count
    assert sweep.told("begin") == list(range(count)), "a run was executed twice, or never"
    assert sweep.told("end") == list(range(count))
    for run in sweep.runs():
        assert run.record.exists() and run.script.exists() and run.code.is_dir()
    assert not any(path.is_dir() for path in (sweep.root / "sweep/.runx/making").iterdir())


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_launcher_killed_at_any_step_leaves_what_resume_brings_to_its_end(
    chunk, installed, tmp_path
):
    seed = os.environ["RUNX_SEED"]
    draw = random.Random(f"{seed} {chunk}")
    (tmp_path / "count").mkdir()
    counted = Sweep(tmp_path / "count/project", installed, COUNT)
    output = counted.runx("-i", "-j", "2", **faulty(counted, 0))
    steps = int(re.search(r"steps: (\d+)", output)[1])
    assert steps > 40
    for nth in range(EACH):
        folder = tmp_path / str(nth)
        folder.mkdir()
        sweep = Sweep(folder / "project", installed, COUNT, body="sleep 0.1")
        # Each chunk draws from a tenth of the steps, so that all parts of a launch are covered.
        step = 1 + int((chunk + draw.random()) / CHUNKS * steps)
        try:
            first = sweep.start("-i", "-j", "2", environment=faulty(sweep, step))
            sweep.ended(first)
            if nth % 3 == 0:
                second = faulty(sweep, draw.randrange(1, steps))
                sweep.ended(sweep.start("-i", "--resume", environment=second))
            sweep.runx("-i", "--resume", "-j", "2")
            check_all_done_once(sweep)
        except AssertionError as error:
            raise AssertionError(
                f"killed at step {step} of {steps}, RUNX_SEED={seed}: {error}"
            ) from error
        finally:
            sweep.clean()


def test_a_launcher_killed_while_it_waits_leaves_runs_that_end_well_and_are_adopted(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2")
    wait_until(lambda: len(sweep.told("begin")) == 2)
    launcher.kill()
    launcher.wait()
    assert sorted(sweep.states()) == ["planned", "running", "running"]
    resumed = sweep.start("-i", "--resume", "-j", "2")
    wait_until(lambda: sweep.said(resumed).count("goes on") == 2)
    for run in sweep.runs():
        (run.path / "go").touch()
    assert "1 planned, 2 running: starting 1" in sweep.ended(resumed)
    assert resumed.returncode == 0
    check_all_done_once(sweep)


def test_run_sh_killed_alone_neither_hides_its_script_nor_starts_a_second(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "3")
    wait_until(lambda: all("running" in names(run) for run in sweep.runs()) and sweep.runs())
    wait_until(lambda: len(sweep.told("begin")) == COUNT)
    os.kill(events(sweep.run(1))[0]["pid"], signal.SIGKILL)
    output = sweep.runx("-i", "--resume", status=0)
    assert "3 running: starting 0" in output
    for run in sweep.runs():
        (run.path / "go").touch()
    output = sweep.ended(launcher)
    assert launcher.returncode == 1
    assert "1 x killed (ended without a word), all with n=1" in output
    assert sweep.states() == ["done", "killed", "done"]
    sweep.runx("-i", "--resume")
    assert sweep.told("begin") == [0, 1, 1, 2]


def test_a_script_killed_alone_is_killed_and_started_again_by_resume(sweep):
    sweep.trains('[ "$2$RUNX_ATTEMPT" != 11 ] || kill -9 $$')
    output = sweep.runx("-i", status=1)
    assert "1 x killed (by KILL), all with n=1" in output
    assert sweep.states() == ["done", "killed", "done"]
    sweep.runx("-i", "--resume")
    assert sweep.told("end") == [0, 1, 2]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte, and a function that makes it larger or read-only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "runx", disk], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)

    yield disk, remount
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_disk_that_is_full_while_staging_costs_one_line_and_no_run(sweep, small_disk):
    disk, remount = small_disk
    sweep.write("large.bin", "x" * 300_000)
    sweep.write(".runx", f"LOGROOT: {disk}/runs\nCODE_STAGING: copy\n")
    sweep.root = disk / "runs"
    output = sweep.runx("-i", status=2)
    assert "No space left on device" in output.splitlines()[-1]
    assert "Traceback" not in output
    assert len(sweep.numbers()) < COUNT
    remount("size=20m")
    sweep.runx("-i", "--resume")
    check_all_done_once(sweep)


def test_a_disk_that_a_run_fills_fails_runs_that_resume_starts_again(sweep, small_disk):
    disk, remount = small_disk
    sweep.write(".runx", f"LOGROOT: {disk}/runs\n")
    sweep.root = disk / "runs"
    sweep.trains("head -c 3000000 /dev/zero > log || { rm log; exit 5; }")
    output = sweep.runx("-i", status=1)
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "retry: runx sweep.yml -i --resume --restage"
    assert sweep.told("end") == []
    remount("size=50m")
    sweep.runx("-i", "--resume")
    assert sweep.states() == ["done"] * COUNT
    assert sweep.told("end") == list(range(COUNT))


def test_a_logroot_that_is_read_only_is_reported_before_anything_is_done(sweep, small_disk):
    disk, remount = small_disk
    sweep.write(".runx", f"LOGROOT: {disk}/runs\n")
    sweep.root = disk / "runs"
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    remount("ro")
    for words in (["-i"], ["-i", "--resume"]):
        output = sweep.runx(*words, status=2)
        assert len(output.splitlines()) == 1
        assert "LOGROOT" in output
    sweep.command("status", "sweep", status=1)
    assert len(sweep.told("begin")) == COUNT


def test_a_clock_that_jumps_back_changes_nothing(sweep):
    path = os.pathsep.join([str(FAULTY), sweep.environment["PYTHONPATH"]])
    back = {"PYTHONPATH": path, "CLOCK_BACK": "3600"}
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2", environment=back)
    wait_until(lambda: len(sweep.told("begin")) == 2)
    launcher.kill()
    for run in sweep.runs():
        (run.path / "go").touch()
    sweep.runx("-i", "--resume", **back)
    check_all_done_once(sweep)
    assert "3 done: starting 0" in sweep.runx("-i", "--resume", **back)


def test_events_torn_at_any_byte_start_a_run_again_unless_its_end_is_complete(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.runx("-i")
    (run,) = sweep.runs()
    events_file = run.events(1).read_bytes()
    settled = []
    for end in range(len(events_file) + 1):
        run.events(1).write_bytes(events_file[:end])
        [existing] = existing_runs(ExperimentDir(run.path.parent), Identity(), lambda line: None)
        settled.append(existing.state.name in SETTLED)
    assert settled == [False] * len(events_file) + [True]


def test_directories_that_are_moved_while_nothing_runs_go_on_where_they_are(sweep):
    sweep.trains('[ -e "$FIXED" ] || exit 1')
    sweep.runx("-i", status=1)
    run = sweep.run(1)
    run.path.rename(run.path.with_name("renamed by hand"))
    (sweep.path / "runs").rename(sweep.path.parent / "elsewhere")
    sweep.root = sweep.path.parent / "elsewhere"
    fixed = {"FIXED": str(sweep.path), "RUNX_LOGROOT": str(sweep.root)}
    sweep.runx("-i", "--resume", **fixed)
    assert sweep.states() == ["done"] * COUNT
    assert sweep.run(1).path.name == "renamed by hand"
    assert sweep.told("begin") == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("part", range(4))
def test_two_launchers_that_resume_at_once_never_start_a_run_twice(part, sweep):
    for count in range(3, 18, 3):
        sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(count))}}}\n")
        both = [sweep.start("-i", "--resume", "-j", "2") for _ in range(2)]
        outputs = [sweep.ended(launcher) for launcher in both]
        assert [launcher.returncode for launcher in both] == [0, 0], outputs
        assert sweep.told("begin") == list(range(count)), outputs
        wait_until(lambda: sweep.told("end") == sweep.told("begin"))
        assert sweep.numbers() == list(range(count))


@pytest.fixture
def shared(sweep):
    """A sweep of six, a first launcher that runs one of them, and two that have joined it."""
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: {range: [0, 6]}}\n")
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launchers = [sweep.start("-i", "--resume")]
    wait_until(lambda: sweep.told("begin") == [0])
    for count in (2, 3):
        launchers.append(sweep.start("-i", "--resume"))
        wait_until(lambda count=count: len(sweep.told("begin")) == count)
    return launchers


def go(sweep: Sweep) -> None:
    for run in sweep.runs():
        (run.path / "go").touch()


def test_launchers_that_resume_share_the_runs_that_wait(sweep, shared):
    assert sweep.states() == ["running"] * 3 + ["queued"] * 3
    go(sweep)
    outputs = [sweep.ended(launcher) for launcher in shared]
    assert [launcher.returncode for launcher in shared] == [0, 0, 0], outputs
    assert all("taken by others" in output for output in outputs)
    done = [int(re.search(r"(\d) runs? done", output)[1]) for output in outputs]
    assert sum(done) == 6 and min(done) >= 1
    assert sweep.states() == ["done"] * 6
    assert sweep.told("begin") == list(range(6))
    assert not list(sweep.root.glob("sweep/*/attempts/*.wait"))


def test_what_waits_is_alive_until_its_last_launcher_is_dead(sweep, shared):
    for number, launcher in enumerate(shared):
        assert sweep.states() == ["running"] * 3 + ["queued"] * 3
        assert "--again" in sweep.runx("-i", status=2)
        launcher.send_signal(signal.SIGSTOP if number == 1 else signal.SIGKILL)
    shared[1].kill()
    for launcher in shared:
        launcher.wait()
    assert sweep.states() == ["running"] * 3 + ["planned"] * 3
    go(sweep)
    wait_until(lambda: sweep.states()[:3] == ["done"] * 3)
    assert "3 planned" in sweep.runx("-i", "--resume")
    assert sweep.told("begin") == list(range(6))


def test_what_waits_in_several_launchers_is_cancelled_in_all_of_them(sweep, shared):
    names = [f"sweep/{sweep.run(number).path.name}" for number in (3, 5)]
    assert "2 of 2 runs cancelled" in sweep.command("cancel", *names)
    assert sweep.states() == [*["running"] * 3, "cancelled", "queued", "cancelled"]
    again = sweep.start("-i", "--resume", "-j", "2")
    wait_until(lambda: sweep.told("begin") == [0, 1, 2, 3, 4])
    go(sweep)
    outputs = [sweep.ended(launcher) for launcher in [*shared, again]]
    assert sweep.states() == ["done"] * 6
    assert sweep.told("begin") == list(range(6)), outputs
    assert again.returncode == 0


def test_a_launcher_that_fails_fast_leaves_to_others_what_it_has_not_claimed(sweep):
    sweep.trains('[ "$2" != 0 ] || { until [ -e ../go ]; do sleep 0.05; done; exit 1; }')
    first = sweep.start("-i", "--resume", "--fail-fast")
    wait_until(lambda: sweep.told("begin") == [0])
    output = sweep.runx("-i", "--resume")
    assert "2 runs done" in output
    go(sweep)
    sweep.ended(first)
    assert first.returncode == 1
    assert sweep.told("end") == [1, 2]


@pytest.mark.parametrize("chunk", range(3))
def test_of_launchers_that_share_any_may_be_killed_and_each_run_ends_once(chunk, sweep):
    draw = random.Random(f"{os.environ['RUNX_SEED']} share {chunk}")
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: {range: [0, 12]}}\n")
    sweep.trains("sleep 0.05")
    steps = 400
    started = [
        sweep.start("-i", "--resume", environment=faulty(sweep, draw.randrange(40, steps)))
        for _ in range(2)
    ]
    started.append(sweep.start("-i", "--resume"))
    outputs = [sweep.ended(launcher) for launcher in started]
    wait_until(lambda: "running" not in sweep.states())
    outputs.append(sweep.runx("-i", "--resume"))
    seed = f"RUNX_SEED={os.environ['RUNX_SEED']}"
    assert sweep.told("begin") == list(range(12)), (seed, outputs)
    assert sweep.states() == ["done"] * 12, (seed, outputs)
    assert sweep.numbers() == list(range(12)), (seed, outputs)


def test_launchers_on_two_hosts_that_share_a_disk_never_start_a_run_twice(sweep):
    """Two hosts are two pid namespaces: neither sees whether a process of the other is alive."""
    if subprocess.run([*CONTAINER, "hostname", "probe"], capture_output=True).returncode:
        pytest.skip("only root may name hosts")
    count = 8
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(count))}}}\n")
    words = ("-i", "--resume", "-j", "2")
    both = [sweep.start(*words, host=name) for name in ("here", "there")]
    outputs = [sweep.ended(launcher) for launcher in both]
    assert [launcher.returncode for launcher in both] == [0, 0], outputs
    wait_until(lambda: sweep.told("end") == list(range(count)))
    assert sweep.told("begin") == list(range(count)), outputs
    assert sweep.numbers() == list(range(count))


def test_launchers_on_two_hosts_share_what_waits(sweep):
    if subprocess.run([*CONTAINER, "hostname", "probe"], capture_output=True).returncode:
        pytest.skip("only root may name hosts")
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: {range: [0, 4]}}\n")
    first = sweep.start("-i", "--resume", host="here")
    wait_until(lambda: sweep.told("begin") == [0])
    second = sweep.start("-i", "--resume", host="there")
    wait_until(lambda: sweep.told("begin") == [0, 1])
    assert sweep.states() == ["running"] * 2 + ["queued"] * 2
    assert "--again" in sweep.runx("-i", status=2)
    go(sweep)
    outputs = [sweep.ended(launcher) for launcher in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert sweep.told("begin") == list(range(4)), outputs
    assert sweep.states() == ["done"] * 4


def test_eight_devices_are_never_given_out_twice_to_three_launchers(sweep):
    devices = [f"g{number}" for number in range(8)]
    sweep.write(".runx", f"GPUS: {devices}\n")
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: {range: [1, 36]}}\n")
    sweep.write(
        "train.sh",
        "begin=$EPOCHREALTIME; sleep 0.0$((RANDOM % 9 + 1))\n"
        'echo "$CUDA_VISIBLE_DEVICES $begin $EPOCHREALTIME" >> "$JOURNAL"\n',
    )
    three = [sweep.start("-i", "-j", "auto", "--exp_name", name) for name in "abc"]
    outputs = [sweep.ended(launcher) for launcher in three]
    assert [launcher.returncode for launcher in three] == [0, 0, 0], outputs
    spans = {}
    for line in sweep.journal.read_text().splitlines():
        device, begin, end = line.split()
        spans.setdefault(device, []).append((float(begin), float(end)))
    assert sum(map(len, spans.values())) == 105
    assert set(spans) <= set(devices) and len(spans) > 1
    for device, taken in spans.items():
        taken.sort()
        for (_, end), (begin, _) in itertools.pairwise(taken):
            assert end <= begin, f"{device} was given out twice"


UNRELIABLE = """\
#!/bin/bash
exec 9>>{calls}.lock; flock 9
number=$(cat {calls} 2>/dev/null || echo 0); echo $((number + 1)) >{calls}
flock -u 9
faults=({faults})
case ${{faults[number]}} in
  lost) {real} "$@" >/dev/null 9>&-; echo "Socket timed out on send/recv operation" >&2; exit 1 ;;
  mute) {real} "$@" >/dev/null 9>&-; exit 0 ;;
  killed) {real} "$@" >/dev/null 9>&-; kill -9 $$ ;;
  refused) echo "no such queue" >&2; exit 1 ;;
  down) echo "can't contact the server" >&2; exit 1 ;;
esac
exec {real} "$@" 9>&-
"""


def unreliable(program: Path, faults: list[str]) -> None:
    """Have calls of a command fail in turn: after they did their work, or without."""
    real = program.rename(program.with_name(f"real-{program.name}"))
    calls = program.with_name(f"calls-{program.name}")
    program.write_text(UNRELIABLE.format(calls=calls, faults=" ".join(faults), real=real))
    program.chmod(0o755)


@pytest.mark.parametrize("chunk", range(3))
def test_a_scheduler_that_fails_in_any_way_gets_every_run_once(chunk, installed, tmp_path):
    seed = os.environ["RUNX_SEED"]
    draw = random.Random(f"{seed} submit {chunk}")
    folder = installed_commands(tmp_path / "bin", ("qsub", "qstat", "qdel"), "pbs")
    unreliable(folder / "qsub", draw.choices(["none", "lost", "mute", "killed", "refused"], k=99))
    unreliable(folder / "qstat", draw.choices([*["none"] * 4, "down"], k=999))
    path = f"{folder}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    site = Site(tmp_path / "project", environment, "FARM: pbs\n")
    array = draw.choice(["true", "false"])
    file = site.sweep("sweep", f"HPARAMS: {{lr: [1, 2, 3], nap: 1}}\nARRAY: {array}\n")
    site.runx(file, status=(0, 3))
    for _ in range(30):
        states = site.states("sweep")
        if set(states.values()) == {"done"}:
            break
        site.runx(file, "--resume", status=(0, 3))
    begun = [site.output(run).count("from epoch 0") for run in site.runs("sweep")]
    assert (list(states.values()), begun) == (["done"] * 3, [1, 1, 1]), f"RUNX_SEED={seed}"
