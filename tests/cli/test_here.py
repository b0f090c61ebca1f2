"""The queue of this machine: runs held and released here, slots changed, launchers that share."""

import json
import random
import signal
import time

import pytest
from sweeps import Sweep, names, state_of, wait_until

HOLDS = 'until [ -e "$JOURNAL.go" ] || [ -e "$JOURNAL.go$2" ]; do sleep 0.02; done'


@pytest.fixture
def sweep(tmp_path, installed):
    sweep = Sweep(tmp_path / "project", installed, 4, HOLDS)
    yield sweep
    go(sweep)
    sweep.clean()


def go(sweep, number=""):
    sweep.journal.with_name(f"journal.go{number}").touch()


def begun(sweep, count):
    return wait_until(lambda: len(sweep.told("begin")) == count and sweep.told("begin"))


def test_what_is_held_here_is_passed_by_and_starts_when_it_is_released(sweep):
    process = sweep.start("-i")
    begun(sweep, 1)
    held = [sweep.run(number).path.name for number in (1, 3)]
    assert "2 of 2 runs held" in sweep.command("hold", "sweep", *held)
    assert sweep.command("status", "sweep").count("held; runx release lets it start") == 2
    go(sweep)
    wait_until(lambda: sweep.told("end") == [0, 2])
    wait_until(lambda: "waiting for runx release: 2 held" in sweep.said(process))
    assert process.poll() is None
    assert "1 of 1 runs released" in sweep.command("release", "sweep", held[1])
    wait_until(lambda: sweep.told("end") == [0, 2, 3])
    assert "cancelled" in sweep.command("cancel", "sweep", held[0])
    sweep.ended(process)
    assert sweep.states() == ["done", "cancelled", "done", "done"]


def test_only_what_waits_is_held_and_the_rest_is_no_reason_to_complain(sweep):
    process = sweep.start("-i")
    begun(sweep, 1)
    assert "3 of 4 runs held" in sweep.command("hold", "sweep")
    one = sweep.command("hold", "sweep", sweep.run(0).path.name, status=1)
    assert "not held: it is running; only what waits" in one
    process.send_signal(signal.SIGINT)
    sweep.ended(process)
    # What is held stays so for the next launcher.
    go(sweep)
    second = sweep.start("-i", "--resume", "-j", "2")
    wait_until(lambda: "waiting for runx release: 3 held" in sweep.said(second))
    sweep.command("release", "sweep")
    assert "4 runs done" in sweep.ended(second)


def test_slots_are_changed_while_runs_go_on(sweep):
    process = sweep.start("-i")
    begun(sweep, 1)
    assert "3 at a time from now on" in sweep.command("slots", "3", "sweep")
    begun(sweep, 3)
    assert "1 launcher: 3 at a time" in sweep.command("status", "sweep")
    sweep.command("slots", "0", "sweep")
    wait_until(lambda: "0 at a time from now on; what runs goes on" in sweep.said(process))
    go(sweep, 0), go(sweep, 1), go(sweep, 2)
    wait_until(lambda: len(sweep.told("end")) == 3)
    time.sleep(1)
    assert len(sweep.told("begin")) == 3
    sweep.command("slots", "1", "sweep")
    go(sweep)
    assert "4 runs done" in sweep.ended(process)


def test_slots_of_what_nobody_executes_are_refused_with_the_way(sweep):
    go(sweep)
    sweep.runx("-i")
    said = sweep.command("slots", "2", "sweep", status=2)
    assert "no launcher executes its runs; --resume -j 2 starts one" in said
    assert "is not in the range" in sweep.command("slots", "--", "-1", "sweep", status=2)
    assert "nothing" in sweep.command("slots", "1", "nothing", status=2)


def test_threads_are_the_cores_by_the_runs_and_that_is_said_once(sweep):
    go(sweep)
    assert sweep.runx("-i", "-j", "2").count("OMP_NUM_THREADS=") == 1
    assert "OMP_NUM_THREADS" not in sweep.runx("-i", "-j", "2", "--again", OMP_NUM_THREADS="3")
    assert "OMP_NUM_THREADS" not in sweep.runx("-i", "--again")


def test_more_runs_of_the_same_file_join_a_sweep_that_is_going(sweep):
    first = sweep.start("-i")
    begun(sweep, 1)
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: [0, 1, 2, 3, 4, 5]}\n")
    second = sweep.start("-i", "--resume", "-j", "2")
    begun(sweep, 3)
    said = "3 queued, 1 running, 2 new: starting 5; 3 of them wait in another launcher, too"
    assert said in sweep.said(second)
    go(sweep)
    sweep.ended(first), sweep.ended(second)
    assert sweep.told("begin") == sweep.told("end") == list(range(6))


@pytest.mark.parametrize("seed", [1, 2])
def test_three_launchers_under_kills_execute_each_run_once(tmp_path, installed, seed):
    chance = random.Random(seed)
    sweep = Sweep(tmp_path / "project", installed, 16, "sleep 0.$(($2 % 4 + 1))")
    launchers = [sweep.start("-i", "-j", "2")]
    begun_some = wait_until(lambda: sweep.told("begin"))
    assert begun_some
    launchers += [sweep.start("-i", "--resume", "-j", "2") for _ in range(2)]
    for _ in range(6):
        time.sleep(chance.uniform(0.1, 1.0))
        place = chance.randrange(3)
        launchers[place].kill()
        launchers[place].wait()
        launchers[place] = sweep.start("-i", "--resume", "-j", "2")
    for launcher in launchers:
        sweep.ended(launcher)
    wait_until(lambda: len(sweep.told("end")) == 16)
    assert sweep.told("begin") == sweep.told("end") == list(range(16))
    assert {state_of(run) for run in sweep.runs()} == {"done"}
    for run in sweep.runs():  # a launcher may be killed between a claim and the start
        attempts = [
            int(file.name.partition(".")[0]) for file in run.attempts.glob("*.events.jsonl")
        ]
        assert [name for each in attempts for name in names(run, each)].count("started") == 1
    sweep.clean()


def test_gpus_says_which_run_holds_each(sweep):
    sweep.write(".runx", "GPUS: [0, 1]\n")
    sweep.environment["PATH"] = ":".join(
        part for part in sweep.environment["PATH"].split(":") if "cuda" not in part
    )
    process = sweep.start("-i", "-j", "1", "--limit", "1")
    [number] = begun(sweep, 1)
    shown = wait_until(lambda: json.loads(sweep.command("gpus", "--json")))
    [held] = [each for each in shown if each["state"] == "held"]
    run = sweep.run(number).path
    assert (held["name"], held["run"], held["experiment"]) == ("0", str(run), "sweep")
    assert run.name in sweep.command("gpus")
    go(sweep)
    sweep.ended(process)
    assert "no GPU is found here" in sweep.command("gpus")


def test_what_has_ended_is_not_held_and_said_to_have_ended(sweep):
    go(sweep)
    sweep.ended(sweep.start("-i"))
    assert "0 of 4 runs held; 4 have ended" in sweep.command("hold", "sweep")
    one = sweep.run(0).path.name
    assert "0 of 1 runs released; 1 has ended" in sweep.command("release", "sweep", one)
