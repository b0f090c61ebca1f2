import io
import sys

import pytest

from runx.api.output import Lines, Streamed, outcome
from runx.cli.progress import watcher
from runx.local.gpus import Lease
from runx.local.options import LocalOptions
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.orders import CANCEL, TIMEOUT
from runx.rundir.paths import RunDir


@pytest.fixture
def task(tmp_path):
    run = RunDir(tmp_path / "owl")
    run.path.mkdir()
    return Task(run, 1)


def test_off_a_terminal_there_is_a_line_for_each_start_and_each_end(task, capsys):
    watch = watcher(2, 4, {task.run: "train --lr 1"}, LocalOptions())
    assert type(watch) is Lines
    watch.started(task, Lease(("g0",)))
    watch.ended(EndedAttempt(task, 3, 65.0), again=True)
    watch.started(task._replace(attempt=2, tried=1), Lease())
    watch.ended(EndedAttempt(task, 0, 65.0), again=False)
    captured = capsys.readouterr()
    assert captured.out == "train --lr 1\n"
    assert captured.err.splitlines() == [
        "owl: started on g0",
        "owl: exit status 3 after 1 min (once more)",
        "owl: started, attempt 2",
        "owl: done after 1 min (1/2)",
    ]


def test_that_no_device_is_free_is_said_once(task, capsys):
    watch = Lines(1, {})
    watch.blocked("a GPU: all are leased to other runs, or other processes fill them")
    watch.blocked("a GPU: all are leased to other runs, or other processes fill them")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_run_that_is_not_ours_is_named(task, capsys):
    watch = Lines(1, {})
    watch.left(task)
    assert "owl: left alone" in capsys.readouterr().err


@pytest.mark.parametrize("names", [False, True])
def test_output_is_shown_from_where_it_stood_whatever_bytes_it_has(
    task, names, monkeypatch, capsysbinary
):
    task.run.output.write_bytes(b"of an earlier attempt\n")
    watch = Streamed(1, {task.run: "train"}, names)
    watch.started(task, Lease())
    with task.run.output.open("ab") as output:
        output.write(b"\xff\none\ntw")
    watch.tick([], 0)
    with task.run.output.open("ab") as output:
        output.write(b"o")
    watch.ended(EndedAttempt(task, 0, 1.0), again=False)
    shown = capsysbinary.readouterr().out
    expected = b"owl: \xff\nowl: one\nowl: two\n" if names else b"\xff\none\ntwo"
    assert shown == b"train\n" + expected


def test_a_run_that_never_started_ends_without_output(task, capsys):
    watch = Streamed(1, {task.run: "train"}, names=False)
    watch.ended(EndedAttempt(task, 130, 0.0, "cancel"), again=False)
    assert "owl: cancelled" in capsys.readouterr().err
    assert not task.run.output.exists()


def test_output_reaches_a_notebook_whose_stdout_takes_text_alone(task, monkeypatch):
    task.run.output.write_bytes(b"")
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    watch = Streamed(1, {task.run: "train"}, names=False)
    watch.started(task, Lease())
    task.run.output.write_bytes(b"\xff one\n")
    watch.ended(EndedAttempt(task, 0, 1.0), again=False)
    assert shown.getvalue() == "train\n\ufffd one\n"


def test_how_an_attempt_ended_is_told_in_a_few_words(task):
    ends = [(0, ""), (3, ""), (137, ""), (190, ""), (143, TIMEOUT), (130, CANCEL), (1, "else")]
    assert [outcome(EndedAttempt(task, status, 1.0, order)) for status, order in ends] == [
        *("done", "exit status 3", "killed by KILL", "killed by 62"),
        *("timed out", "cancelled", "else"),
    ]
