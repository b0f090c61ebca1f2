"""How a script ended, as logx tells it where its farm was given the bare command."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from runx.logx import LogX
from runx.rundir.attempts import read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.state import state

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """A run whose attempt is claimed and submitted by a SUBMIT_CMD of one's own."""
    return launched(tmp_path / "sweep" / "wise-owl", 1)


def launched(path, attempts, type="command"):
    (path / "attempts").mkdir(parents=True)
    (path / "run.json").write_text('{"version": 1, "name": "wise-owl"}')
    for number in range(1, attempts + 1):
        claim = {"version": 1, "farm": "big", "host": "elsewhere", "launch": None}
        (path / "attempts" / f"{number}.claim").write_text(json.dumps(claim))
        job = {"version": 1, "farm": "big", "type": type, "id": "12"}
        (path / "attempts" / f"{number}.job.json").write_text(json.dumps(job))
    return RunDir(path)


def play(run, code, before="", **environment):
    """Execute a script that logs to the run, as a farm's job does."""
    lines = ["import os, signal, sys, time", before, "from runx.logx import logx"]
    lines += [f"logx.initialize({str(run.path)!r})", "logx.metric('val', {'acc': 1}, 0)"]
    script = "\n".join(lines) + "\n" + textwrap.dedent(code)
    (run.path.parent / "train.py").write_text(script)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RUNX_")}
    return subprocess.run(
        [sys.executable, "train.py"],
        cwd=run.path.parent,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    ).returncode


def told(run):
    current = state(read_attempts(run, time.time, print))
    return current.name, current.reason


IN_A_THREAD = """
    from threading import Thread
    each = Thread(target={}, args=("x",))
    each.start()
    each.join()
"""
UNSEEN = ("unknown", "it left by SystemExit, whose status only sys.exit() tells")
RUNNING = ("running", "run.sh was not called: told by its metrics")


@pytest.mark.parametrize(
    "code, expected",
    [
        ("pass", ("done", "")),
        ("sys.exit()", ("done", "")),
        ("sys.exit(3)", ("failed", "exit status 3")),
        ("sys.exit(True)", ("failed", "exit status 1")),
        ("sys.exit(-1)", ("failed", "exit status 255")),
        ("sys.exit(75)", ("preempted", "")),
        ("sys.exit('no data\\nthere')", ("failed", "no data")),
        ("exit(2)", ("failed", "exit status 2")),
        (
            "import argparse; argparse.ArgumentParser().parse_args(['--x'])",
            ("failed", "exit status 2"),
        ),
        ("raise SystemExit(3)", UNSEEN),
        ("raise SystemExit", UNSEEN),
        ("raise ValueError('boom\\nmore')", ("failed", "ValueError: boom")),
        (
            "import json; json.loads('x')",
            ("failed", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ),
        ("assert False", ("failed", "AssertionError")),
        ("raise KeyboardInterrupt", ("killed", "by INT")),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", ("killed", "by INT")),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", ("killed", "by TERM")),
        ("sys.excepthook = print; 1 / 0", ("failed", "ZeroDivisionError: division by zero")),
        ("logx.close(); sys.exit(4)", ("failed", "exit status 4")),
        # What is no end of the script:
        ("try: sys.exit(5)\nexcept SystemExit: pass", ("done", "")),
        ("try: 1 / 0\nexcept ZeroDivisionError as error: sys.last_value = error", ("done", "")),
        (IN_A_THREAD.format("sys.exit"), ("done", "")),
        (IN_A_THREAD.format("int"), ("done", "")),
        ("child = os.fork()\nif not child: sys.exit(5)\nos.waitpid(child, 0)", ("done", "")),
        ("child = os.fork()\nif not child: 1 / 0\nos.waitpid(child, 0)", ("done", "")),
        # What can't be seen:
        ("os._exit(3)", RUNNING),
        ("os.kill(os.getpid(), signal.SIGKILL); time.sleep(9)", RUNNING),
    ],
)
def test_each_end_has_its_state(run, code, expected):
    play(run, code)
    assert told(run) == expected


@pytest.mark.parametrize(
    "code, status",
    [("pass", 0), ("sys.exit(3)", 3), ("raise SystemExit(4)", 4), ("1 / 0", 1), ("exit(5)", 5)],
)
def test_the_script_ends_as_it_would(run, code, status):
    assert play(run, code) == status


@pytest.mark.parametrize("number, status", [("SIGTERM", -15), ("SIGINT", -2), ("SIGHUP", -1)])
def test_a_signal_ends_the_script_as_it_would(run, number, status):
    assert play(run, f"os.kill(os.getpid(), signal.{number}); time.sleep(9)") == status


def test_a_handler_of_the_script_s_own_stays(run):
    before = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"
    assert play(run, "os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", before) == 7
    assert told(run) == UNSEEN or told(run) == ("failed", "exit status 7")


def test_a_forked_worker_that_is_terminated_is_not_the_script(run):
    code = """
        import multiprocessing
        for _ in range(50):
            worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
            worker.start()
            worker.terminate()
            worker.join()
            assert worker.exitcode == -15, worker.exitcode
    """
    assert play(run, code) == 0
    assert told(run) == ("done", "")


def test_workers_of_a_loader_are_not_the_script(run):
    pytest.importorskip("torch")
    code = """
        import torch
        loader = torch.utils.data.DataLoader(list(range(8)), num_workers=2)
        assert len(list(loader)) == 8
        raise RuntimeError("later")
    """
    play(run, code)
    assert told(run) == ("failed", "RuntimeError: later")


def test_a_rank_other_than_0_is_not_the_script(run):
    play(run, "1 / 0", RANK="1", WORLD_SIZE="2")
    assert not run.script_events(1).exists()


@pytest.mark.parametrize(
    "end, expected",
    [
        ("pass", ("done", "")),
        ("sys.exit(3)", ("failed", "exit status 3")),
        ("os._exit(9)", RUNNING),
    ],
)
@pytest.mark.parametrize("inner", ["pass", "sys.exit(4)", "1 / 0", "os.kill(os.getpid(), 15)"])
def test_a_script_that_the_script_starts_in_the_same_run_is_not_it(run, inner, end, expected):
    code = f"""
        import subprocess
        inner = "import os, sys; from runx.logx import logx; logx.initialize(sys.argv[1]); {inner}"
        subprocess.run([sys.executable, "-c", inner, logx.logdir])
        {end}
    """
    play(run, code)
    assert told(run) == expected


def test_a_script_that_follows_in_the_same_job_is_the_script(run):
    play(run, "pass")
    play(run, "sys.exit(3)")
    assert told(run) == ("failed", "exit status 3")


def test_a_job_that_is_queued_again_counts_by_its_last_start(run):
    play(run, "os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)")
    assert told(run) == ("killed", "by TERM")
    play(run, "os._exit(0)")
    assert told(run) == RUNNING
    play(run, "pass")
    assert told(run) == ("done", "")


def test_an_end_is_that_of_the_latest_attempt(tmp_path):
    run = launched(tmp_path / "sweep" / "wise-owl", 2)
    play(run, "assert logx.run.attempt == 2; sys.exit(3)")
    assert told(run) == ("failed", "exit status 3")
    assert not run.script_events(1).exists()


def test_what_run_sh_wrote_counts_alone(run):
    play(run, "1 / 0")
    run.events(1).write_text('{"event":"started"}\n{"event":"ended","code":0}\n')
    assert told(run)[0] == "done"
    run.events(1).unlink()
    (run.path / "attempts" / "1.logx.jsonl").unlink()
    run.events(1).write_text("")
    play(run, "1 / 0")
    assert not run.script_events(1).exists()


def test_under_run_sh_nothing_is_told(run):
    play(run, "1 / 0", RUNX_LOGDIR=str(run.path), RUNX_ATTEMPT="1")
    assert not run.script_events(1).exists()


def test_a_scheduler_s_job_has_run_sh_and_this_is_a_try_by_hand(tmp_path):
    run = launched(tmp_path / "sweep" / "wise-owl", 1, type="slurm")
    play(run, "1 / 0")
    assert told(run)[0] != "failed"


def test_a_damaged_line_is_passed_over(run):
    play(run, "sys.exit(3)")
    path = run.script_events(1)
    path.write_text(path.read_text() + '{"event": "start')
    assert told(run) == ("failed", "exit status 3")


def test_a_folder_that_nobody_launched_gets_no_such_file(tmp_path):
    play(RunDir(tmp_path / "mine"), "1 / 0")
    assert not (tmp_path / "mine" / "attempts").exists()


def test_where_it_can_not_be_written_the_script_goes_on(run):
    run.script_events(1).mkdir()
    assert play(run, "pass") == 0


# Logging elsewhere


@pytest.fixture
def logx(monkeypatch, run):
    monkeypatch.setenv("RUNX_LOGDIR", str(run.path))
    monkeypatch.setenv("RUNX_ATTEMPT", "1")
    monkeypatch.delenv("RUNX_LOGX", raising=False)
    logger = LogX()
    yield logger
    logger.close()


def test_a_script_that_logs_elsewhere_is_told_and_noted(logx, run, capfd, monkeypatch):
    (run.path / "code").mkdir()
    monkeypatch.chdir(run.path / "code")
    logx.initialize("./mylogs")
    error = capfd.readouterr().err
    assert f"the script logs to {run.path}/code/mylogs, not to its run's directory" in error
    assert "leave out logdir=, or give it LOGDIR" in error
    logx.initialize("/".join([str(run.path.parent), "other"]))
    noted = json.loads(run.logx.read_text())["logdirs"]
    assert noted == ["code/mylogs", str(run.path.parent / "other")]


def test_the_run_s_own_directory_by_another_name_is_no_other(logx, run, capfd, monkeypatch):
    link = run.path.parent / "link"
    link.symlink_to(run.path)
    logx.initialize(link)
    logx.initialize(f"{run.path}/")
    logx.initialize(run.path / "code" / "..")
    assert capfd.readouterr().err == ""
    assert not run.logx.exists()
