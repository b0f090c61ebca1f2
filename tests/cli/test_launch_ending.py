import pytest

from runx.api.launched import Launched
from runx.cli.launch_ending import report
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.orders import CANCEL
from runx.rundir.paths import RunDir
from runx.rundir.state import State


def end(tmp_path, number, status, order=""):
    run = RunDir(tmp_path / f"run{number}")
    if not run.attempts.is_dir():
        run.attempts.mkdir(parents=True)
        run.claim(1).write_text('{"version": 1, "host": "h", "pid": 1, "farm": null}')
        run.events(1).write_text(
            f'{{"event":"started","time":1}}\n{{"event":"ended","time":2,"code":{status}}}\n'
        )
        run.output.write_text(f"ValueError: {number}\n")
    return EndedAttempt(Task(run, 1), status, 1.0, order)


def reported(tmp_path, ends, total=None, left=(), stopped=False):
    total = len(ends) if total is None else total
    hparams = {RunDir(tmp_path / f"run{number}"): {"n": number} for number in range(total)}
    taken = {RunDir(tmp_path / f"other{number}"): State(name) for number, name in enumerate(left)}
    lines = []
    launched = Launched("sweep", tuple(hparams), None, hparams, ends, taken, stopped)
    status = report(launched, "runx x --resume", lines.append)
    return status, lines


def test_failures_are_grouped_by_reason_and_the_last_line_is_the_next_command(tmp_path):
    ends = [end(tmp_path, 0, 1), end(tmp_path, 1, 1), end(tmp_path, 2, 0)]
    status, lines = reported(tmp_path, ends, total=4)
    assert status == 1
    assert lines == [
        "2 of 4 runs failed, 1 not started",
        "2 x ValueError: 0",
        f"    {tmp_path}/run0/output.log",
        "retry: runx x --resume --restage",
    ]


def test_a_stopped_launch_says_what_remains(tmp_path):
    ends = [end(tmp_path, 0, 0), end(tmp_path, 1, 130, CANCEL)]
    status, lines = reported(tmp_path, ends, total=4, stopped=True)
    assert status == 130
    assert lines == [
        "stopped: 1 of 4 runs done, 1 cancelled, 2 not started",
        "go on: runx x --resume",
    ]


def test_a_cancelled_run_is_no_failure_and_yet_not_all_is_well(tmp_path):
    status, lines = reported(tmp_path, [end(tmp_path, 0, 0), end(tmp_path, 1, 143, CANCEL)])
    assert status == 1
    assert lines[0] == "1 of 2 runs done, 1 cancelled"


@pytest.mark.parametrize(
    ("left", "rest"),
    [([], ""), (["done", "running", "done"], ", 3 taken by others: 2 done, 1 running")],
)
def test_all_is_well_if_what_was_ours_is_done(tmp_path, left, rest):
    ends = [end(tmp_path, 0, 0)]
    status, lines = reported(tmp_path, ends, total=1 + len(left), left=left)
    assert status == 0
    assert lines == [f"1 run done{rest}; sumx sweep ranks them"]


@pytest.mark.parametrize("state", ["failed", "killed", "cancelled", "planned"])
def test_not_if_what_others_took_is_known_to_have_ended_badly(tmp_path, state):
    left = ["done", state]
    status, lines = reported(tmp_path, [end(tmp_path, 0, 0)], total=3, left=left)
    assert status == 1
    assert lines == [
        f"1 of 3 runs done, 2 taken by others: 1 done, 1 {state}",
        "go on: runx x --resume",
    ]


@pytest.mark.parametrize(("count", "runs"), [(1, "1 run"), (2, "2 runs")])
def test_what_went_to_a_farm_is_counted(count, runs):
    lines = []
    assert report(Launched("sweep", (), count), "", lines.append) == 0
    assert lines == [f"{runs} submitted; runx status sweep shows how they stand"]
