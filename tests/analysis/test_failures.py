from pathlib import Path

import pytest

from runx.analysis import failures
from runx.analysis.causes import cause_of
from runx.analysis.failures import (
    Causes,
    Failure,
    digest,
    digest_lines,
    reason,
    retry_commands,
    shared,
)
from runx.rundir.paths import RunDir
from runx.rundir.record import CommandLine
from runx.rundir.run import RunRecord
from runx.rundir.state import State

TRACE = "Traceback (most recent call last):"
LACK = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {} MiB"
OOM = f'{TRACE}\n  File "t.py", line 3\n{LACK}\n'


def run(name, state="failed", reason="", **hparams):
    status = State(state, reason)
    return RunRecord(
        name, RunDir(Path("/logs/sweep") / name), hparams, status, {}, experiment="sweep"
    )


def failed(name, tail, **hparams):
    return Failure(run(name, reason="exit status 1", **hparams), tail)


def said(failure):
    return str(reason(failure))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("", ""),
        ("all well\n", ""),
        (OOM.format(20), LACK.format(20)),
        (OOM.format(20) + "srun: error: node7\n", LACK.format(20)),
        (f"{TRACE}\n  x\nmine.Oops: no\n", "mine.Oops: no"),
        (f"{TRACE}\n  x\nKeyError: 1\n\nDuring it\n\n{TRACE}\n  y\nValueError\n", "ValueError"),
        (f"[rank0]: {TRACE}\n[rank0]:   x\n[rank0]: ValueError: no\n", "ValueError: no"),
        ("  File \"t.py\", line 1\nSyntaxError: invalid syntax\n", "SyntaxError: invalid syntax"),
        ("Error: Unable to access jarfile\n", "Error: Unable to access jarfile"),
    ],
)  # fmt: skip
def test_the_last_exception_is_found(tail, expected):
    assert str(cause_of(tail) or "") == expected


def test_the_reason_without_an_exception_is_the_last_line():
    assert said(failed("a", "loading\nno such file\n\n")) == "exit status 1: no such file"
    assert said(failed("a", "")) == "exit status 1"
    left = "no such file\n\nrun.sh: its script ended with 1; still there: 7 sleep 9\n"
    assert said(failed("a", left)) == "exit status 1: no such file"
    setup = "SETUP failed: cd /nope: exit status 1"
    assert said(Failure(run("a", reason=setup), f"no such file\n{setup}\n")) == setup


def test_a_run_that_was_killed_is_not_blamed_on_an_old_exception():
    killed = Failure(run("a", "killed", "by KILL"), OOM.format(1))
    assert said(killed) == "killed (by KILL)"


def test_messages_that_differ_in_numbers_are_one_reason():
    failures = [failed("a", OOM.format(20), bs=512), failed("b", OOM.format(44.5), bs=512)]
    [group] = digest(failures, [run("c", "done", bs=64)])
    assert [result.name for result in group.results] == ["a", "b"]
    assert group.shared == {"bs": 512}


def test_the_most_frequent_reason_comes_first():
    failures = [
        failed("a", "ValueError: x\n", lr=1),
        failed("b", "KeyError: x\n", lr=2),
        failed("c", "KeyError: x\n", lr=2),
    ]
    assert [group.reason for group in digest(failures, [])] == ["KeyError: x", "ValueError: x"]
    assert [group.shared for group in digest(failures, [])] == [{"lr": 2}, {"lr": 1}]


def test_messages_that_differ_in_the_runs_folder_are_one_reason():
    failures = [failed(name, f"FileNotFoundError: /logs/sweep/{name}/x\n") for name in "ab"]
    assert [group.reason for group in digest(failures, [])] == ["FileNotFoundError: LOGDIR/x"]


def test_a_value_that_others_have_too_explains_nothing():
    assert shared([run("a", lr=1)], [run("b", "done", lr=1)]) == {}
    assert shared([run("a", lr=1)], []) == {}
    assert shared([run("a", lr=1), run("b", lr=2)], [run("c", "done", lr=3)]) == {}


def test_the_digest_has_number_reason_shared_hyperparameters_and_output():
    failures = [failed("a", "KeyError: x\n", lr=2)]
    groups = digest(failures, [run("b", "done", lr=1)])
    assert digest_lines(groups) == [
        "1 x KeyError: x, all with lr=2",
        "    /logs/sweep/a/output.log",
    ]
    runs = [failures[0].run, run("k", "killed")]
    assert [*retry_commands(runs, {}, "/p")] == [
        "runx sweep.yml --resume --retry failed,killed --restage"
    ]
    assert digest_lines([]) == []


def test_what_failed_is_started_again_by_what_was_typed_and_where():
    typed = CommandLine(("my sweep.yml", "lr=1", "-j", "2", "--retry=lost"), "/my project")
    [elsewhere] = retry_commands([run("a")], {"sweep": typed}, "/elsewhere")
    assert elsewhere == (
        "(cd '/my project' && runx 'my sweep.yml' lr=1 -j 2 --resume --retry failed --restage)"
    )
    [here] = retry_commands([run("a")], {"sweep": typed}, "/my project")
    assert here == "runx 'my sweep.yml' lr=1 -j 2 --resume --retry failed --restage"


def test_an_output_is_read_again_only_when_it_or_the_state_has_changed(tmp_path, monkeypatch):
    reads, read = [], failures.output_of
    monkeypatch.setattr(failures, "output_of", lambda *words: reads.append(1) or read(*words))
    record = run("a")._replace(dir=RunDir(tmp_path))
    record.dir.output.write_text("KeyError: 'lr'\n")
    causes = Causes()
    assert [str(causes.of(record)) for _ in range(3)] == ["KeyError: 'lr'"] * 3
    assert len(reads) == 1
    with record.dir.output.open("a") as output:
        output.write("ValueError: late\n")
    assert str(causes.of(record)) == "ValueError: late"
    assert str(causes.of(record._replace(status=State("lost", "silent")))) == "lost (silent)"
    assert len(reads) == 3
