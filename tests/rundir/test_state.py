import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.launching.plan import RETRIED
from runx.rundir.events import Attempt, Event, JobAddress, JobStatus
from runx.rundir.state import STATES, State, signal_of, state

NOT_KNOWN = "it may be with slurm; if it is not, runx cancel it"


def ended(code):
    return Event("ended", details={"code": code})


STARTED = Event("started")
JOB = JobAddress("slurm", id="7")
BY_LOGX = Event("ended", details={"code": None, "reason": "not seen", "by": "logx"})
TOLD = "run.sh was not called: told by its metrics"
UNWRITTEN = "run.sh wrote nothing: can its node see LOGROOT?"
STILL = "cancelled, but still at slurm"
PERHAPS = "cancelled, but perhaps still at slurm: "
ODD = "cancelled, but slurm says FOO"
HERS = "not seen by you: its job is alice's"
SILENT = "silent for 12 min; "
ENDLESS = "; run.sh was not called to tell its end"


def attempt(*events, number=1, **known):
    return Attempt(number, events, **known)


def local(*events, locked=False, **known):
    known = {"host": "here", "process": False, **known}
    return state([attempt(*events, locked=locked, **known)])


def farm(*events, job_state=None, reason="", **known):
    known = {"host": "node", "farm": "slurm", "job": JOB, "silence": 20.0, **known}
    return state([attempt(*events, **known)], status(job_state, reason))


def status(job_state, reason=""):
    return JobStatus(job_state, reason) if job_state else None


def on_other_machine(**known):
    """A run of this machine's kind, on another."""
    return local(STARTED, host="b", process=None, **known)


def test_a_run_without_attempts_is_planned():
    assert state([]) == State("planned")


@pytest.mark.parametrize(
    ("got", "expected", "reason"),
    [
        # What wrote its end.
        (local(STARTED, ended(0)), "done", ""),
        (local(STARTED, ended(0), locked=True), "done", ""),
        (local(STARTED, ended(1)), "failed", "exit status 1"),
        (local(STARTED, ended(137)), "killed", "by KILL"),
        (local(STARTED, Event("warned"), ended(143)), "killed", "by TERM after a warning"),
        (local(STARTED, ended(143), order="cancel"), "cancelled", ""),
        (local(STARTED, ended(143), order="timeout"), "timeout", ""),
        (local(STARTED, ended(0), order="timeout"), "done", ""),
        (local(STARTED, ended(75)), "failed", "it asks to be run again (exit status 75)"),
        (local(STARTED, ended(None)), "failed", "it left no exit status"),
        (farm(STARTED, ended(75)), "preempted", ""),
        (farm(STARTED, Event("preempted"), ended(143)), "preempted", ""),
        (farm(STARTED, ended(143), job_state="timeout", reason="4 h"), "timeout", "4 h"),
        (farm(STARTED, ended(137), job_state="oom"), "oom", ""),
        (farm(STARTED, ended(1), job_state="failed"), "failed", "exit status 1"),
        # What is here and wrote no end.
        (local(STARTED, locked=True), "running", ""),
        (local(STARTED, locked=True, order="cancel"), "running", ""),
        (local(STARTED, locked=None, process=True), "running", ""),
        (local(STARTED), "killed", "ended without a word"),
        (local(STARTED, locality="before"), "lost", "here was started anew"),
        (local(STARTED, order="cancel"), "cancelled", ""),
        (local(STARTED, order="timeout"), "timeout", ""),
        (local(process=True), "queued", "about to start"),
        (local(process=False), "planned", ""),
        (local(process=False, locked=True), "running", ""),
        (local(host="b", process=None), "queued", "on b, not seen from here"),
        (local(STARTED, host="b", process=None), "running", "on b, not seen from here"),
        (on_other_machine(silence=20.0), "running", "on b"),
        (on_other_machine(silence=720.0), "running", "on b, silent for 12 min"),
        (
            on_other_machine(silence=7200.0),
            "running",
            "on b, silent for 120 min; if it is gone there, runx cancel it, then --resume",
        ),
        (local(host="b", process=None, silence=20.0), "queued", "on b"),
        (local(host="b", process=None, order="cancel"), "cancelled", ""),
        (on_other_machine(silence=20.0, order="cancel"), "running", "on b"),
        (on_other_machine(silence=720.0, order="cancel"), "cancelled", "on b, silent for 12 min"),
        (on_other_machine(silence=720.0, order="cancel", locked=True), "running", ""),
        # What is with a farm and wrote no end.
        (farm(STARTED), "running", ""),
        (farm(STARTED, silence=720), "lost", "silent for 12 min; slurm was not asked"),
        (farm(STARTED, silence=720, job_state="running"), "running", "silent for 12 min"),
        (farm(STARTED, silence=720, job_state="gone"), "lost", "silent for 12 min"),
        (farm(STARTED, silence=720, job_state="oom"), "oom", "says slurm"),
        (farm(STARTED, silence=720, job_state="done"), "done", "says slurm"),
        (farm(STARTED, silence=720, job_state="queued"), "preempted", "queued again"),
        (farm(STARTED, silence=720, order="cancel"), "cancelled", ""),
        (farm(STARTED, Event("preempted"), silence=720), "preempted", ""),
        (farm(), "queued", ""),
        (farm(job_state="queued", reason="Priority"), "queued", "Priority"),
        (farm(job_state="running"), "running", ""),
        (farm(job_state="gone", submission_age=5.0), "queued", ""),
        (farm(job_state="gone", submission_age=5000.0), "lost", "slurm knows no job 7"),
        (farm(job_state="failed", reason="NodeFail"), "failed", f"NodeFail; {UNWRITTEN}"),
        (farm(job_state="oom"), "oom", "says slurm"),
        (local(order="cancel", process=True), "cancelled", ""),
        (local(order="cancel", process=False, locked=False), "cancelled", ""),
        (farm(order="cancel"), "queued", PERHAPS + "slurm was not asked"),
        (farm(order="cancel", called_off=True), "cancelled", ""),
        (farm(order="cancel", job_state="gone"), "cancelled", ""),
        (farm(order="cancel", job_state="failed", reason="by KILL"), "cancelled", ""),
        (farm(order="cancel", job_state="done"), "done", "says slurm"),
        (farm(order="cancel", job_state="unseen", reason=HERS), "queued", PERHAPS + HERS),
        (farm(order="cancel", job_state="queued"), "queued", STILL),
        (farm(order="cancel", job_state="running"), "running", STILL),
        (farm(order="cancel", job_state="queued", called_off=True), "queued", STILL),
        (farm(order="cancel", job_state="unknown", reason="FOO"), "unknown", ODD),
        (farm(STARTED, order="cancel"), "running", STILL),
        (farm(STARTED, order="cancel", silence=720, job_state="queued"), "queued", STILL),
        (farm(STARTED, ended(143), order="cancel", job_state="queued"), "queued", STILL),
        (farm(STARTED, ended(143), order="cancel", job_state="running"), "cancelled", ""),
        # What its scheduler doesn't show, or has in a state that no table has.
        (farm(job_state="unseen", reason=HERS, submission_age=5000.0), "queued", HERS),
        (farm(STARTED, job_state="unseen", reason=HERS), "running", ""),
        (farm(STARTED, silence=720, job_state="unseen", reason=HERS), "running", SILENT + HERS),
        (
            farm(STARTED, Event("preempted"), silence=720, job_state="unseen", reason=HERS),
            "preempted",
            HERS,
        ),
        (farm(STARTED, ended(1), job_state="unseen", reason=HERS), "failed", "exit status 1"),
        # Where there is no run.sh, by logx: a status that it can't see is no end of either kind.
        (farm(STARTED, BY_LOGX), "unknown", "not seen"),
        (farm(STARTED, BY_LOGX, order="cancel"), "cancelled", ""),
        (farm(job=None, process=False, job_state="unseen", reason=HERS), "queued", HERS),
        (farm(output_age=60.0, job_state="unseen", reason=HERS), "running", TOLD),
        (farm(job_state="unknown", reason="FOO"), "unknown", "slurm says FOO"),
        (farm(STARTED, job_state="unknown", reason="FOO"), "running", ""),
        (
            farm(STARTED, silence=720, job_state="unknown", reason="FOO"),
            "unknown",
            "slurm says FOO",
        ),
        (
            farm(STARTED, silence=720, job_state="queued", reason="x"),
            "preempted",
            "queued again: x",
        ),
        (farm(output_age=60.0), "running", TOLD),
        (farm(output_age=60.0, process=False, job=None), "running", TOLD),
        (farm(output_age=60.0, job_state="failed"), "failed", "says slurm"),
        (farm(output_age=60.0, job_state="queued"), "queued", ""),
        (farm(output_age=60.0, order="cancel", called_off=True), "cancelled", ""),
        (farm(output_age=60.0, job_state="gone"), "unknown", "it last wrote 1 min ago" + ENDLESS),
        (farm(output_age=7200.0), "unknown", "it last wrote 120 min ago" + ENDLESS),
        (farm(output_age=7200.0, job_state="running"), "running", ""),
        (farm(job=None, process=True), "queued", "being submitted"),
        # Its submit command gave no id.
        (farm(job=JobAddress("my", id="")), "queued", ""),
        (
            farm(job=None, process=False),
            "queued",
            "it may be with slurm; if it is not, runx cancel it",
        ),
        (farm(job=None, process=False, job_state="gone"), "planned", ""),
    ],
)
def test_each_fact_has_its_state(got, expected, reason):
    assert (got.name, got.reason) == (expected, reason)


def test_code_and_signal_are_told():
    assert local(STARTED, ended(137))[2:] == (137, "KILL", 1)
    assert local(STARTED, ended(3))[2:] == (3, None, 1)
    assert signal_of(143) == "TERM"
    assert signal_of(128) is None


def test_a_claim_that_came_to_nothing_leaves_the_state_as_it_was():
    first = attempt(STARTED, ended(1), process=False)
    assert state([first, attempt(number=2, process=False, locked=False)]).name == "failed"


def test_a_further_attempt_decides_unless_the_run_was_done():
    done, bad = attempt(STARTED, ended(0)), attempt(STARTED, ended(1), number=2)
    assert state([done, bad]).name == "done"
    assert state([attempt(STARTED, ended(1)), attempt(STARTED, ended(0), number=2)]) == (
        State("done", code=0, attempt=2)
    )


def test_a_live_earlier_attempt_is_not_hidden_by_a_later_one():
    first = attempt(STARTED, process=False, host="here", locked=True)
    second = attempt(STARTED, ended(1), number=2)
    assert state([first, second]).attempt == 1


EVENTS = st.sampled_from(
    [STARTED, Event("running"), Event("signalled"), Event("warned"), Event("preempted")]
)
COURSES = st.lists(EVENTS, max_size=5).map(tuple)
ORDERS = st.sampled_from([None, "cancel", "timeout"])
WORDS = st.sampled_from([None, "gone", *STATES])


@given(COURSES, ORDERS, WORDS, st.booleans(), st.sampled_from([None, "slurm"]), COURSES)
def test_what_is_finished_stays_finished(course, order, job_state, locked, where, later):
    known = attempt(
        *course, ended(0), *later, order=order, farm=where, process=False, locked=locked
    )
    assert state([known], status(job_state)).name == "done"


@given(COURSES, st.integers(0, 6), ORDERS, st.integers(0, 255))
def test_what_is_dead_here_is_never_alive_wherever_its_events_are_cut(course, cut, order, code):
    events = (STARTED, *course, ended(code))[:cut]
    now = local(*events, order=order, host="here", process=False, locked=False)
    assert not now.alive


@given(COURSES, ORDERS, st.sampled_from(["unseen", "unknown"]), st.floats(0, 9999))
def test_a_job_of_which_nobody_can_say_is_never_started_again(course, order, job_state, silence):
    now = farm(STARTED, *course, order=order, job_state=job_state, silence=silence)
    assert now.name not in RETRIED
    waiting = farm(order=order, job_state=job_state, reason="x", submission_age=silence)
    assert waiting.name not in RETRIED


@given(COURSES, ORDERS, st.sampled_from(["gone", "failed", "oom", "done"]), st.floats(200, 9999))
def test_a_silent_job_that_its_farm_has_given_up_is_never_alive(course, order, job_state, silence):
    assert not farm(STARTED, *course, order=order, job_state=job_state, silence=silence).alive


@given(COURSES, ORDERS, WORDS)
def test_whoever_holds_the_lock_and_wrote_no_end_is_running(course, order, job_state):
    known = attempt(STARTED, *course, order=order, process=None, host="b", locked=True)
    assert state([known], status(job_state)).name == "running"


def test_every_combination_has_a_state_that_is_known():
    for events, job_state, order, process, locked, where, silence in itertools.product(
        [(), (STARTED,), (STARTED, ended(1)), (STARTED, Event("preempted"))],
        [None, "gone", "running", "queued", "failed"],
        [None, "cancel", "timeout"],
        [None, True, False],
        [None, True, False],
        [None, "slurm"],
        [None, 10.0, 1e5],
    ):
        more = {"order": order, "process": process, "silence": silence, "locked": locked}
        known = attempt(*events, farm=where, host="h", **more)
        assert state([known], status(job_state)).name in STATES


def test_a_run_whose_script_has_ended_runs_while_something_of_it_is_there():
    left = Event("left", details={"code": 137, "processes": "12 python train.py"})
    attempt = Attempt(1, (Event("started"), left), process=True, locked=True)
    assert str(state([attempt])) == (
        "running (its script ended with 137; still there: 12 python train.py)"
    )
    assert str(state([attempt._replace(locked=False)])) == "killed (by KILL)"
    on_farm = attempt._replace(farm="cluster", locked=None, silence=10.0)
    assert state([on_farm]).name == "running"
    assert str(state([on_farm._replace(silence=1e4)])) == "killed (by KILL)"


def test_a_run_that_never_came_to_its_command_says_why():
    setup = Event("setup", details={"code": 1, "command": "conda activate x"})
    ended = Event("ended", details={"code": 1})
    assert str(state([Attempt(1, (Event("started"), setup, ended))])) == (
        "failed (SETUP failed: conda activate x: exit status 1)"
    )
    early = Event("ended", details={"code": 4, "reason": "run.sh ended before it started CMD: x"})
    assert str(state([Attempt(1, (early,))])) == "failed (run.sh ended before it started CMD: x)"


def test_the_end_of_a_job_submitted_twice_is_not_that_of_the_other_that_started_the_run():
    started = Event("started", details={"job": "0[2].node1"})
    address = JobAddress("pbs", "pbs", "1[2].node1", "sweep")
    attempt = Attempt(1, (started,), farm="pbs", job=address, silence=200.0)
    assert state([attempt], JobStatus("done")).name == "lost"
    own = attempt._replace(job=address._replace(id="0[2].node1"))
    assert state([own], JobStatus("done")).name == "done"
