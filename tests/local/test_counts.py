"""Units of resources, counted over launches and users by locks that the kernel drops with a run."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from runx.farms.resources import Limit, Needs, needs
from runx.local import counts as module
from runx.local.counts import ALL, Count, Counts, Shortage, amounts, of_machine
from runx.locks import acquire_open, release
from runx.sweeps.values import Hparam

TWO = Count("licences", "limit-licences", 2)
MEM = Count("mem", "mem", 65536, is_size=True)
ROOT = os.geteuid() == 0


@pytest.fixture
def launch(tmp_path):
    """Return a function that returns the counts of a launch of its own; all share a folder."""
    made = []

    def make(*counts, priority=0, say=made.append, folder=tmp_path / "leases"):
        return Counts(counts, {"RUNX_LEASES": str(folder)}, say, priority)

    make.lines = made
    return make


def close(files):
    for file in files:
        release(file)


def run_with(files):
    """Start a process that inherits open files, as a run does, and close them here."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=files)
    for file in files:
        os.close(file)
    return child


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_outlives_its_launcher_holds_what_it_has_until_it_is_killed(launch, number):
    child = run_with(launch(TWO).take([("licences", 2)]))
    other = launch(TWO)
    assert other.take([("licences", 1)]).text == "licences: 2 of 2 held"
    child.send_signal(number)
    child.wait()
    close(other.take([("licences", 2)]))


def test_a_launcher_that_is_killed_before_it_started_a_run_holds_nothing(launch, tmp_path):
    code = (
        "from runx.local.counts import *; import os, signal\n"
        f"counts = Counts([Count('licences', 'limit-licences', 2)],"
        f" {{'RUNX_LEASES': {str(tmp_path / 'leases')!r}}}, print)\n"
        "short = counts.take([('licences', 2)])\n"
        "counts.wait_for([Shortage('', counts._counts[0])])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    close(launch(TWO).take([("licences", 2)]))


def test_what_an_ended_run_has_left_behind_holds_nothing(launch):
    taken = launch(TWO).take([("licences", 2)])
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=taken)
    close(taken)
    close(launch(TWO).take([("licences", 2)]))
    child.communicate(b"\n")


def test_two_launches_never_have_more_than_there_is(launch):
    most, lock, held = 5, threading.Lock(), [0, 0]
    count = Count("cpus", "cpus", most, (range(3, 5), range(9, 12)))

    def work(seed):
        counts = launch(count)
        for step in range(40):
            amount = 1 + (seed + step) % 3
            taken = counts.take([("cpus", amount)])
            if isinstance(taken, Shortage):
                continue
            with lock:
                held[0] += amount
                held[1] = max(held)
                assert held[0] <= most
            with lock:
                held[0] -= amount
                close(taken)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert held[1] >= 3


def test_a_run_gets_all_that_it_needs_or_nothing(launch):
    first, second = launch(TWO, MEM), launch(TWO, MEM)
    taken = first.take([("licences", 1), ("mem", 61440)])
    short = second.take([("licences", 1), ("mem", 8192)])
    assert short == Shortage("memory: 60G of 64G held, and a run needs 8G", MEM)
    assert second.take([("mem", ALL)]).text == "memory: 60G of 64G held, and a run needs 64G"
    more = first.take([("licences", 1)])
    close((*taken, *more))
    close(second.take([("mem", ALL), ("licences", 2)]))


def test_a_limit_of_one_user_counts_what_others_have(launch):
    taken = launch(TWO._replace(most=9)).take([("licences", 3)])
    assert launch(TWO).take([("licences", 1)]).text == "licences: 3 of 2 held"
    close(taken)


def test_launches_with_other_cores_do_not_share_them(launch):
    low, high = (
        Count("cpus", "cpus", 4, tuple(range(core, core + 1) for core in cores))
        for cores in ([0, 1, 2, 3], [4, 5, 6, 7])
    )
    whole = Count("cpus", "cpus", 8, (range(8),))
    taken = [launch(low).take([("cpus", 4)]), launch(high).take([("cpus", 3)])]
    assert launch(low).take([("cpus", 1)]).text == "cpus: 4 of 4 held"
    waits = launch(low)
    waits.wait_for([Shortage("", low)])
    taken.append(launch(high).take([("cpus", 1)]))
    assert launch(whole).take([("cpus", 1)]).text == "cpus: 8 of 8 held"
    for each in taken:
        close(each)
    waits.wait_for([])


def test_what_is_waited_for_goes_to_a_higher_priority_first_and_then_in_turn(launch):
    last, later, first, high = (launch(TWO, MEM, priority=number) for number in (-10, 0, 0, 10))
    taken = high.take([("licences", 2)])
    for waits in (first, later, last):
        waits.wait_for([waits.take([("licences", 1)])])
        time.sleep(0.005)  # Those of one millisecond are equal.
    high.wait_for([high.take([("licences", 2)])])
    close(taken)
    text = "licences: a launch is first that waits longer, or has PRIORITY"
    for waits in (first, later, last):
        assert waits.take([("licences", 1)]).text == text
    close(last.take([("mem", 1)]))
    taken = high.take([("licences", 1)])
    high.wait_for([])
    assert later.take([("licences", 1)]).text == last.take([("licences", 1)]).text == text
    taken += first.take([("licences", 1)])
    first.wait_for([])
    close(taken)
    assert last.take([("licences", 1)]).text == text
    close(later.take([("licences", 1)]))
    later.wait_for([])
    close(last.take([("licences", 1)]))


def test_who_has_got_something_is_last_in_line_for_more(launch):
    first, second = launch(TWO), launch(TWO)
    taken = first.take([("licences", 1)]) + first.take([("licences", 1)])
    for waits in (first, second):
        waits.wait_for([waits.take([("licences", 1)])])
        time.sleep(0.005)
    release(taken[0])
    again = first.take([("licences", 1)])
    first.leave(["mem"])
    assert isinstance(second.take([("licences", 1)]), Shortage)
    first.leave(["licences"])
    first.wait_for([first.take([("licences", 1)])])
    release(taken[1])
    assert isinstance(first.take([("licences", 1)]), Shortage)
    close((*second.take([("licences", 1)]), *again))


def test_gpus_are_waited_for_by_priority_alone(launch):
    line = of_machine({}, ["g0"])[0]
    taken = []
    for priority, is_behind in ((0, False), (3, False), (-1, True)):
        waits = launch(line)
        waits.wait_for([Shortage("", line)])
        time.sleep(0.005)
        taken.append(launch(line, priority=priority).take([("gpus", 1)]))
        assert isinstance(taken.pop(), Shortage) == is_behind
        waits.wait_for([])


def test_a_place_is_kept_until_nothing_is_short(launch):
    waits, other = launch(TWO, MEM), launch(TWO, MEM)
    waits.wait_for([Shortage("", TWO)])
    waits.wait_for([Shortage("", MEM)])
    time.sleep(0.005)
    assert isinstance(other.take([("licences", 1)]), Shortage)
    assert isinstance(other.take([("mem", 1)]), Shortage)
    waits.wait_for([])
    close(other.take([("licences", 1), ("mem", 1)]))


def test_a_process_that_holds_the_file_of_a_count_is_waited_for_no_longer_than_a_moment(
    launch, monkeypatch, tmp_path
):
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    close(launch(TWO).take([("licences", 1)]))
    lock = acquire_open(os.open(tmp_path / "leases" / "count-limit-licences.lock", os.O_RDONLY))
    short = launch(TWO).take([("licences", 1)])
    assert short.text == f"licences: another process holds {tmp_path}/leases"
    os.close(lock)
    close(launch(TWO).take([("licences", 1)]))


def test_where_nothing_can_be_counted_that_is_said_once_and_runs_go_on(launch, monkeypatch):
    def broken(*_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(module, "locked_ranges", broken)
    counts = launch(TWO, MEM)
    assert counts.take([("licences", 1), ("mem", 1)]) == ()
    assert launch.lines == ["note: licences can't be counted on this machine: Invalid argument"]


@pytest.mark.parametrize("there", ["file", "link", "pipe"])
def test_what_somebody_has_put_in_place_of_a_count_is_not_used(launch, tmp_path, there):
    folder = tmp_path / "leases"
    folder.mkdir()
    folder.chmod(0o1777)
    victim = tmp_path / "victim"
    victim.write_text("x")
    place = folder / "count-limit-licences.lock"
    if there == "link":
        place.symlink_to(victim)
    elif there == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    taken = launch(TWO).take([("licences", 2)])
    assert isinstance(launch(TWO).take([("licences", 1)]), Shortage)
    assert "not used" in launch.lines[0]
    close(taken)
    assert victim.read_text() == "x"


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_users_share_the_counts_of_a_machine(launch, public, as_ordinary_user):
    old = os.umask(0o077)
    try:
        taken = launch(TWO, folder=public / "leases").take([("licences", 1)])
    finally:
        os.umask(old)

    def other():
        counts = launch(TWO, folder=public / "leases")
        assert counts.take([("licences", 2)]).text.startswith("licences: 1 of 2 held")
        close(counts.take([("licences", 1)]))

    as_ordinary_user(other)
    close(taken)
    close(launch(TWO, folder=public / "leases").take([("licences", 2)]))


def test_cores_memory_and_limits_of_this_machine_are_counted():
    limits = {"cpus": Limit(3), "licences": Limit(2), "scratch": Limit(1024, True)}
    counts = {count.file: count for count in of_machine(limits, ["g0"])}
    assert counts["cpus"].most == len(os.sched_getaffinity(0))
    assert counts["limit-cpus"].most == 3
    assert counts["limit-scratch"].is_size
    assert next(count.name for count in counts.values()) == "gpus"
    assert "gpus" not in {count.name for count in of_machine(limits, ())}


def test_a_run_takes_what_its_resources_say_and_nothing_without():
    limits = {"licences": Limit(2), "scratch": Limit(1 << 20, True)}
    resources = [Hparam(name, text, text) for name, text in (("licences", "1"), ("x", "1"))]
    need = needs([*resources, Hparam("scratch", "10G", "10G"), Hparam("cpu", 2, "2")], limits)
    assert amounts(need) == (("cpus", 2), ("licences", 1), ("scratch", 10240))
    assert [each.name for each in need.rest] == ["x"]
    assert amounts(Needs()) == amounts(needs([Hparam("licences", 0, "0")], limits)) == ()
