"""Machines on which runs fail at once, while others are done elsewhere."""

import pytest

from runx.analysis.hosts import RECENT, failing_hosts
from runx.rundir.events import Attempt, Event

NOW = 1_000_000.0


def tried(host, code, began=-500.0, seconds=5.0, number=1, order=None, **events):
    started = Event("started", NOW + began, {"host": "h", "node": host})
    more = [Event(name, NOW + began) for name in events]
    ended = Event("ended", NOW + began + seconds, {"code": code})
    return Attempt(number, (started, *more, *([] if code is None else [ended])), order=order)


DONE = [[tried("n1", 0)], [tried("n2", 0)]]


def test_two_runs_that_fail_at_once_on_one_machine_make_it_one_to_avoid():
    runs = [[tried("n3", 1)], [tried("n3", 2)], *DONE]
    assert failing_hosts(runs, NOW) == {"n3": 2}


@pytest.mark.parametrize(
    "runs",
    [
        [[tried("n3", 1)]],
        [[tried("n3", 1), tried("n3", 1)]],
        [[tried("n3", 1)], [tried("n3", 1, seconds=90)]],
        [[tried("n3", 1)], [tried("n3", 1, order="cancel")]],
        [[tried("n3", 1)], [tried("n3", 143, signalled=1)]],
        [[tried("n3", 1)], [tried("n3", 75)]],
        [[tried("n3", 1)], [tried("n3", None)]],
        [[tried("n3", 1)], [tried("", 1)]],
        [[tried("n3", 1)], [tried("n3", 1, began=-RECENT - 9)]],
        [[tried("n3", 1)], [tried("n3", 1), tried("n2", 1)]],
        [[tried("n3", 1)], [tried("n3", 1)], [tried("n3", 0, began=-400)]],
        [[tried("n3", 1)], [tried("n3", 1)], [tried("n3", None, began=-400)]],
        [[tried("n3", 1)], [tried("n3", 1)], [tried("n3", 9, began=-400, seconds=100)]],
    ],
)
def test_what_says_nothing_about_a_machine(runs):
    assert failing_hosts([*runs, *DONE], NOW) == {}


def test_where_nothing_is_done_elsewhere_it_is_the_runs():
    assert failing_hosts([[tried("n3", 1)], [tried("n3", 1)], [tried("n1", 1)]], NOW) == {}


def test_where_most_machines_fail_it_is_something_else():
    runs = [[tried(f"n{number}", 1)] for number in (3, 3, 4, 4)]
    assert failing_hosts([*runs, *DONE], NOW) == {"n3": 2, "n4": 2}
    assert failing_hosts([*runs, DONE[0]], NOW) == {}


def test_no_run_and_no_event():
    assert failing_hosts([], NOW) == failing_hosts([(), (Attempt(1),)], NOW) == {}
