"""So many failures in a row for one cause keep what waits from starting."""

import time

import pytest
from job_scripts import job, made
from sweeps import events

from runx.rundir.attempts import read_attempts
from runx.rundir.events import JobStatus
from runx.rundir.handback import Retries
from runx.rundir.held import held_because, let_go
from runx.rundir.paths import ExperimentDir
from runx.rundir.state import state


@pytest.fixture
def experiment(tmp_path):
    folder = ExperimentDir(tmp_path)
    folder.failures.mkdir(parents=True)
    return folder


def ran(experiment, name, cmd, most=2, **settings):
    run = made(experiment.path, cmd, max_failures=most, name=name, **settings)
    return run, job(run)


def test_the_next_run_ends_before_it_starts_and_says_why(experiment):
    for name in ("a", "b"):
        ran(experiment, name, f"echo step {name}7; echo KeyError: {len(name)}; exit 1")
    run, status = ran(experiment, "c", "touch ../ran")
    assert status == 143
    assert not (run.path / "ran").exists()
    reason = "held: 2 runs in a row failed: exit status 1: KeyError: 1"
    assert held_because(experiment) == reason
    attempts = read_attempts(run, time.time, print)
    assert str(state(attempts, JobStatus("failed"))) == f"planned ({reason})"
    # What an older version reads: an end with a reason.
    assert events(run)[-1]["reason"] == reason
    assert let_go(experiment) == reason
    assert held_because(experiment) == let_go(experiment) == ""
    assert ran(experiment, "d", "true")[1] == 0


@pytest.mark.parametrize(
    "between",
    ["true", "echo OSError: another; exit 1", "echo KeyError: 0; exit 2", "kill -KILL $BASHPID"],
)
def test_what_is_done_or_fails_otherwise_begins_anew(experiment, between):
    ran(experiment, "a", "echo KeyError: 0; exit 1")
    ran(experiment, "b", between)
    ran(experiment, "c", "echo KeyError: 0; exit 1")
    assert held_because(experiment) == ""
    ran(experiment, "d", "echo KeyError: 0; exit 1")
    assert held_because(experiment)


def test_causes_that_differ_in_numbers_are_one_and_a_traceback_is_not_its_last_line(experiment):
    for name in ("a", "b"):
        text = f"echo 'ValueError: loss {len(name) * 10}.{ord(name)}'; echo bye from {name}; exit 1"
        ran(experiment, name, text)
    assert "ValueError: loss 10.98" in held_because(experiment)


def test_one_run_that_fails_often_counts_once(experiment):
    run, _ = ran(experiment, "a", "exit 1")
    assert [job(run), job(run)] == [1, 1]
    assert held_because(experiment) == ""


def test_what_is_tried_again_has_not_failed_yet(experiment):
    for name in ("a", "b"):
        ran(experiment, name, "exit 1", retries=Retries(1))
    assert held_because(experiment) == ""


def test_hostile_output_and_names_leave_it_readable(experiment):
    for name in ("a", 'b"\\ $(x)'):
        ran(experiment, name, r"""printf 'Error: \x1b[31m"quoted" \\ \xff'; exit 1""")
    assert held_because(experiment).startswith("held: 2 runs in a row failed: exit status 1: ")
    assert ran(experiment, "c", "true")[1] == 143


def test_a_person_starts_it_all_the_same(experiment):
    for name in ("a", "b"):
        ran(experiment, name, "exit 1")
    run = made(experiment.path, "true", max_failures=2, name="c")
    run.claim(1).unlink()
    assert job(run, "") == 0


def test_a_damaged_file_holds_and_is_named(experiment):
    experiment.held.write_text("{")
    assert "damaged" in held_because(experiment)
    assert ran(experiment, "c", "true")[1] == 143
    let_go(experiment)
    assert ran(experiment, "d", "true")[1] == 0
