"""Searches: each point bound once and each run done once, whoever is killed, whatever is full.

``make faults`` kills about 1,000 launchers, bindings, run.sh and scripts at random.
"""

import json
import os
import random
import subprocess
import time

import pytest
from disks import FILL, small_disk
from disks import KINDS as KINDS_OF_DISKS
from searching import Searching

SEED = os.environ["RUNX_SEED"]
TRIALS, KILLS, SHORT, LONG = 6, 12, 2, 85
KINDS = ("launcher", "binding", "binding", "run", "script")


@pytest.fixture
def search(tmp_path, installed):
    search = Searching(tmp_path / "project", installed, TRIALS)
    yield search
    search.clean()


def finish(search: Searching) -> None:
    """Bring a search to its end by --resume, as often as its faults and orphans need it."""
    for _ in range(12):
        process = search.start("-i", "-j", "3", "--resume")
        output = search.ended(process)
        if f"{2 * TRIALS} done: starting 0" in output and process.returncode == 0:
            return
    pytest.fail(f"it comes to no end: {output}")


def play(search: Searching, number: int) -> None:
    """Kill what goes on, time and again; look whether a point that is bound changes."""
    draw = random.Random(f"{SEED} {number} search")
    seen: dict[int, dict] = {}
    killed = []
    deadline = time.monotonic() + 60
    while len(killed) < KILLS and time.monotonic() < deadline:
        if all(each.poll() is not None for each in search.processes):
            search.start("-i", "-j", "3", "--resume")
        time.sleep(draw.uniform(0, 0.3))
        kind = draw.choice(KINDS)
        if search.kill_one(kind, draw):
            killed.append(kind)
        points = search.points
        assert {number: points[number] for number in seen} == seen
        seen = points
    finish(search)
    points = search.points
    assert {number: points[number] for number in seen} == seen
    search.check_bound_once()


@pytest.mark.parametrize("number", range(SHORT))
def test_launchers_bindings_and_runs_killed_at_random(search, number):
    play(search, number)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(SHORT, SHORT + LONG))
def test_a_thousand_kills_bind_and_end_each_trial_once(search, number):
    play(search, number)


def test_a_search_without_a_fault(search):
    output = search.ended(search.start("-i", "-j", "3"))
    assert "12 runs done" in output
    search.check_bound_once()
    assert "12 done: starting 0" in search.runx("-i", "--resume")


def test_everything_killed_at_once_goes_on(search):
    search.start("-i", "-j", "4")
    time.sleep(1.2)
    for kind in ("launcher", "run", "binding", "script"):
        while search.kill_one(kind, random.Random(0)):
            time.sleep(0.01)
    before = search.points
    finish(search)
    assert {number: search.points[number] for number in before} == before
    search.check_bound_once()


@pytest.mark.parametrize("what", sorted(FILL))
@pytest.mark.parametrize("kind", KINDS_OF_DISKS)
def test_a_disk_that_fills_while_a_point_is_bound(search, tmp_path, kind, what):
    with small_disk(tmp_path / "disk", kind, kilobytes=4096, inodes=900) as disk:
        farm = 'FARM: queue\nqueue: {SUBMIT_CMD: "true {{ script }}"}\n'
        search.write(".runx", f"LOGROOT: {disk}/runs\n{farm}")
        search.root = disk / "runs"
        search.runx()
        records = [(json.loads(run.record.read_text()), run) for run in search.runs()]
        by_number = {record["search"]["point"]: run for record, run in records}
        for number, run in by_number.items():
            if number > 1:
                files = FILL[what](disk)
                # Some room is made while it binds, too.
                freed = random.Random(f"{SEED} {kind} {what} {number}").choice(["", "some"])
                if freed:
                    files[-1].unlink()
                assert started(search, run) in (0, 2, 70, 74, 143)
                for file in files:
                    file.unlink(missing_ok=True)
            before = search.points
            assert started(search, run) == 0
            assert {number: search.points[number] for number in before} == before
            own = json.loads(run.hparams.read_text())
            values = search.points[number]["values"]
            assert {name: own[name] for name in values} == values
            told = {(float(x), opt) for x, opt, _ in search.begun()[run.path.name]}
            assert told == {(own["x"], own["opt"])}
        assert sorted(search.points) == sorted(by_number)


def started(search, run):
    """Start run.sh as a job does; return its exit status."""
    done = subprocess.run(
        ["bash", run.script], env=search.environment, stdin=subprocess.DEVNULL, timeout=90
    )
    return done.returncode
