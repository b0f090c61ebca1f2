"""CPUs, memory and what LIMITS names are shared by all runs on this machine, over launches."""

import json
import os
import signal

import pytest
from sweeps import Sweep, wait_until

MOST = len(os.sched_getaffinity(0))
EVENTS = "*/attempts/1.events.jsonl"
HOLDS = 'until [ -e "$JOURNAL.go" ]; do sleep 0.02; done'


@pytest.fixture
def sweep(tmp_path, installed):
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    places = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    sweep = Sweep(tmp_path / "project", {**installed, **places}, body=HOLDS)
    sweep.limits = lambda text: (home / ".config" / "runx.yml").write_text(f"LIMITS: {text}\n")
    yield sweep
    go(sweep)  # what goes on after its launcher was killed ends, too
    sweep.clean()


def go(sweep):
    sweep.journal.with_name("journal.go").touch()


def begun(sweep, word="begin"):
    lines = sweep.journal.read_text().splitlines() if sweep.journal.exists() else []
    return [line.split()[1] for line in lines if line.startswith(word)]


def most_at_once(sweep):
    now = most = 0
    for line in sweep.journal.read_text().splitlines():
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


def launcher_waits(sweep, what):
    return wait_until(lambda: f"its launcher waits for {what}" in sweep.command("status", "sweep"))


@pytest.mark.parametrize(
    "resources, what",
    [
        (f"cpus: {MOST}", f"cpus: {MOST} of {MOST} held"),
        ("mem: 1M", "memory: 1M of 1M held"),
        ("licences: 1", "licences: 1 of 1 held"),
    ],
)
def test_runs_go_on_together_only_as_far_as_there_is_enough(sweep, resources, what):
    sweep.limits("{licences: 1, mem: 1M}")
    sweep.write(".runx", f"RESOURCES: {{{resources}}}\n")
    process = sweep.start("-i", "-j", "8")
    wait_until(lambda: begun(sweep))
    launcher_waits(sweep, what)
    assert len(begun(sweep)) == 1
    go(sweep)
    assert "3 runs done" in sweep.ended(process)
    assert most_at_once(sweep) == 1


def test_runs_without_resources_are_not_counted(sweep):
    sweep.limits("{licences: 0, cpus: 0, mem: 0}")
    process = sweep.start("-i", "-j", "3")
    wait_until(lambda: len(begun(sweep)) == 3)
    go(sweep)
    assert "waiting" not in sweep.ended(process)
    assert not sweep.leases.exists()


def test_two_launches_share_and_the_second_says_what_it_waits_for(sweep):
    sweep.limits("{licences: 2}")
    sweep.write(".runx", "RESOURCES: {licences: 1}\n")
    first = sweep.start("-i", "-j", "2", "--exp_name", "first")
    wait_until(lambda: len(begun(sweep)) == 2)
    second = sweep.start("-i", "-j", "3", "--exp_name", "second")
    wait_until(lambda: "waiting for licences: 2 of 2 held" in sweep.said(second))
    status = sweep.command("status", "second")
    assert "queued (its launcher waits for licences: 2 of 2 held)" in status
    go(sweep)
    for process in (first, second):
        assert "3 runs done" in sweep.ended(process)
    assert most_at_once(sweep) == 2


def test_a_launch_of_many_runs_lets_others_in(sweep):
    sweep.limits("{licences: 1}")
    sweep.write(".runx", "RESOURCES: {licences: 1}\n")
    sweep.trains("sleep 0.7")
    first = sweep.start(
        "-i", "-j", "3", "--exp_name", "first", "n=1,2,3,4,5,6,7,8,9,10,11,12,13,14"
    )
    wait_until(lambda: begun(sweep))
    second = sweep.start("-i", "-j", "3", "--exp_name", "second")
    assert "3 runs done" in sweep.ended(second)
    assert first.poll() is None
    assert "14 runs done" in sweep.ended(first)
    assert most_at_once(sweep) == 1


def test_a_run_whose_launcher_was_killed_counts_until_it_is_killed(sweep):
    sweep.limits("{licences: 1}")
    sweep.write(".runx", "RESOURCES: {licences: 1}\n")
    first = sweep.start("-i", "--exp_name", "first")
    wait_until(lambda: begun(sweep))
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = sweep.start("-i", "--exp_name", "second")
    wait_until(lambda: "waiting for licences: 1 of 1 held" in sweep.said(second))
    assert len(begun(sweep)) == 1
    go(sweep)
    assert "3 runs done" in sweep.ended(second)
    assert most_at_once(sweep) == 1


def test_runs_that_are_cancelled_while_they_wait_are_waited_for_no_longer(sweep):
    sweep.limits("{licences: 1}")
    sweep.write(".runx", "RESOURCES: {licences: 1}\n")
    sweep.start("-i", "--exp_name", "first", "--limit", "1")
    wait_until(lambda: begun(sweep))
    second = sweep.start("-i", "--exp_name", "second")
    wait_until(lambda: "waiting for licences" in sweep.said(second))
    sweep.command("cancel", "second")
    sweep.ended(second)
    assert sweep.command("status", "second").count("cancelled") >= 3
    assert len(begun(sweep)) == 1


@pytest.mark.parametrize("asked", ["cpus: 100000", "mem: 900T", "licences: 3"])
def test_more_than_there_is_is_refused_and_n_says_so(sweep, asked):
    sweep.limits("{licences: 2}")
    sweep.write(".runx", f"RESOURCES: {{{asked}}}\n")
    assert f"note: a launch would stop here: RESOURCES: {asked}" in sweep.runx("-n", "-i")
    assert f"runx: RESOURCES: {asked}" in sweep.runx("-i", status=2)
    assert not sweep.root.exists()
    sweep.write(".runx", "")
    key, number = asked.upper().split(": ")
    name = f"SUBMIT_JOB.{key if key != 'LICENCES' else 'licences'}"
    words = f"CMD: bash train.sh\nHPARAMS: {{n: [0, 1], {name}: {number}}}\n"
    sweep.write("sweep.yml", words)
    assert "note: a launch would stop here: RESOURCES: " in sweep.runx("-n", "-i")
    assert "runx: RESOURCES: " in sweep.runx("-i", status=2)


def test_a_run_that_launches_runs_has_them_within_what_it_has_itself(sweep):
    sweep.limits("{licences: 1}")
    sweep.write(".runx", f"RESOURCES: {{licences: 1, cpus: {MOST}}}\n")
    inner = "CMD: echo inner\nHPARAMS: {m: [1, 2]}\nCODE_STAGING: none\n"
    sweep.write("inner.yml", inner + f"RESOURCES: {{licences: 1, cpus: {MOST}}}\n")
    sweep.trains('cd "$RUNX_PROJECT" && runx inner.yml -i -j 2 --exp_name "inner$2"')
    assert "3 runs done" in sweep.runx("-i")


def test_a_launch_of_higher_priority_gets_what_is_free_next(sweep):
    sweep.limits("{licences: 1}")
    sweep.write(".runx", "RESOURCES: {licences: 1}\n")
    sweep.start("-i", "--exp_name", "first", "--limit", "1")
    wait_until(lambda: begun(sweep))
    low = sweep.start("-i", "--exp_name", "low", "PRIORITY=-3")
    wait_until(lambda: "waiting for licences" in sweep.said(low))
    high = sweep.start("-i", "--exp_name", "high", "PRIORITY=3")
    wait_until(lambda: "waiting for licences" in sweep.said(high))
    go(sweep)
    assert "3 runs done" in sweep.ended(high)
    assert "3 runs done" in sweep.ended(low)
    first = [
        min(json.loads(path.open().readline())["time"] for path in (sweep.root / name).glob(EVENTS))
        for name in ("high", "low")
    ]
    assert first == sorted(first)
