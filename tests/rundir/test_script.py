"""run.sh, executed by a real bash with real signals."""

import json
import os
import signal
import subprocess

import pytest
from scripts import begun, events, execute, names, wait_until, write_run

from runx.local.process import process_group
from runx.locks import is_held
from runx.rundir.claims import claim_text
from runx.rundir.output import output_of
from runx.rundir.paths import RunDir
from runx.sweeps.values import Hparam


@pytest.mark.parametrize("status", [0, 1, 3, 75, 255])
def test_the_exit_status_of_the_script_is_kept_and_recorded(tmp_path, status):
    run = write_run(tmp_path, f"exit {status}")
    assert execute(run).returncode == status
    assert names(run) == ["started", "running", "ended"]
    assert events(run)[-1]["code"] == status


def test_a_command_that_is_no_shell_syntax_ends_with_an_error_in_the_output(tmp_path):
    run = write_run(tmp_path, "no-such-command-here")
    assert execute(run).returncode == 127
    assert "no-such-command-here" in run.output.read_text()


def test_code_that_is_missing_fails_the_run_and_starts_nothing(tmp_path):
    run = write_run(tmp_path, "touch ../started")
    run.code.rmdir()
    assert execute(run).returncode != 0
    assert not (run.path / "started").exists()


def test_stdout_and_stderr_of_every_attempt_are_appended_to_output_log(tmp_path):
    run = write_run(tmp_path, "echo out; echo err >&2")
    execute(run)
    execute(run)
    assert run.output.read_text() == "out\nerr\n" * 2


def test_what_an_attempt_has_printed_is_without_what_earlier_ones_have(tmp_path):
    run = write_run(tmp_path, "echo attempt $RUNX_ATTEMPT")
    execute(run)
    execute(run)
    assert [output_of(run, attempt) for attempt in (1, 2)] == [
        "attempt 1\nattempt 2\n",
        "attempt 2\n",
    ]
    (run.path / "errors.log").write_text("of standard error\n")
    assert output_of(run, 2) == "attempt 2\nof standard error\n"


def test_running_it_again_by_hand_claims_the_next_attempt(tmp_path):
    run = write_run(tmp_path, "echo attempt $RUNX_ATTEMPT")
    execute(run)
    execute(run)
    assert run.output.read_text() == "attempt 1\nattempt 2\n"
    assert json.loads(run.claim(2).read_text())["by"] == "run.sh"
    assert names(run, 2) == ["started", "running", "ended"]


def test_it_needs_no_claim_made_by_a_launcher(tmp_path):
    run = write_run(tmp_path, "echo hello", claim=False)
    assert execute(run).returncode == 0
    assert names(run) == ["started", "running", "ended"]


def test_it_refuses_to_run_beside_itself(tmp_path):
    run = write_run(tmp_path, "echo ready; sleep 30")
    first = begun(run)
    second = execute(run)
    first.terminate()
    first.wait()
    assert second.returncode == 75
    assert "running already" in second.stderr
    assert not run.claim(2).exists()


def test_the_lock_outlives_run_sh_while_its_script_lives(tmp_path):
    run = write_run(tmp_path, "echo ready; exec sleep 30")
    process = begun(run)
    wait_until(lambda: "running" in names(run))
    process.kill()
    process.wait()
    assert execute(run).returncode == 75
    os.killpg(process_group(run, 1), signal.SIGKILL)
    wait_until(lambda: not is_held(run.lock))


def test_the_script_finds_itself_through_its_environment(tmp_path):
    run = write_run(tmp_path, "env; pwd", name="a b'c")
    execute(run, PYTHONPATH="/mine")
    output = run.output.read_text().splitlines()
    assert f"RUNX_LOGDIR={run.path}" in output
    assert "RUNX_RUN=a b'c" in output
    assert "RUNX_EXPERIMENT=sweep" in output
    assert "RUNX_PROJECT=/home/me/project" in output
    assert "PYTHONUNBUFFERED=1" in output
    assert f"PYTHONPATH={run.path}/code:/mine" in output
    assert output[-1] == str(run.code)
    assert not any(line.startswith("RUNX_LOCK=") for line in output)


def test_a_directory_that_was_moved_runs_where_it_is_now(tmp_path):
    run = write_run(tmp_path, "echo LOGDIR", Hparam("out", "LOGDIR/x", "LOGDIR/x"))
    moved = RunDir(tmp_path / "else where")
    run.path.rename(moved.path)
    execute(moved)
    assert moved.output.read_text() == f"{moved.path} --out {moved.path}/x\n"


def test_term_reaches_a_script_that_cleans_up_and_its_own_status_counts(tmp_path):
    run = write_run(
        tmp_path, "echo ready; trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done"
    )
    process = begun(run)
    process.terminate()
    assert process.wait() == 7
    assert "bye" in run.output.read_text()
    assert [event.get("signal") for event in events(run)] == [None, None, "TERM", None]


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_ends_a_plain_script_by_that_signal(tmp_path, name):
    run = write_run(
        tmp_path, "python3 -c 'import time; print(\"ready\", flush=True); time.sleep(60)'"
    )
    process = begun(run)
    process.send_signal(signal.Signals[f"SIG{name}"])
    assert process.wait() in (1, 128 + signal.Signals[f"SIG{name}"])
    assert events(run)[-1]["code"] == process.returncode


def test_a_signal_to_the_whole_group_of_run_sh_ends_it_just_so(tmp_path):
    run = write_run(tmp_path, "exec sleep 60 & echo ready; wait")
    process = begun(run)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    assert names(run)[-1] == "ended"


def test_nothing_of_a_list_of_commands_follows_the_one_that_was_told_to_stop(tmp_path):
    run = write_run(tmp_path, "echo ready; sleep 60; echo never")
    process = begun(run)
    process.terminate()
    assert process.wait() == 143
    assert "never" not in run.output.read_text()


def test_a_kill_of_the_script_alone_is_recorded(tmp_path):
    run = write_run(tmp_path, "echo ready; kill -9 $BASHPID")
    assert execute(run).returncode == 137
    assert events(run)[-1]["code"] == 137


def test_it_waits_for_what_the_script_left_in_its_group(tmp_path):
    run = write_run(tmp_path, "(sleep 0.5; echo late) & echo early")
    execute(run)
    assert run.output.read_text() == "early\nlate\n"


def test_the_warning_leaves_a_note_and_does_not_reach_the_script(tmp_path):
    run = write_run(
        tmp_path, "echo ready; while [ ! -e ../stop_requested ]; do sleep 0.05; done; exit 4"
    )
    process = begun(run)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 4
    assert "warned" in names(run)


def test_a_stop_that_was_requested_of_one_attempt_is_not_held_against_the_next(tmp_path):
    run = write_run(tmp_path, "test ! -e ../stop_requested")
    run.stop_requested.touch()
    assert execute(run).returncode == 0


def test_a_farms_run_beats_and_yields_to_a_newer_claim(tmp_path):
    run = write_run(tmp_path, "echo ready; exec sleep 60")
    run.claim(1).write_text(claim_text("bigfarm", None))
    process = subprocess.Popen(
        ["bash", run.script],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "RUNX_BEAT": "0.1"},
    )
    wait_until(run.beat(1).exists)
    run.claim(2).write_text(claim_text("bigfarm", None))
    assert process.wait(30) == 143
    assert "superseded" in names(run)


def test_no_beat_is_left_behind(tmp_path):
    run = write_run(tmp_path, "echo ready; sleep 0.2")
    run.claim(1).write_text(claim_text("bigfarm", None))
    process = begun(run)
    process.wait()
    session = ["pgrep", "-s", str(process.pid)]
    wait_until(lambda: subprocess.run(session, capture_output=True).returncode == 1)


def test_a_killed_run_that_nobody_reaps_beats_no_more(tmp_path):
    run = write_run(tmp_path, "echo ready; exec sleep 60")
    run.claim(1).write_text(claim_text("bigfarm", None))
    process = begun(run, env={**os.environ, "RUNX_BEAT": "0.1"})
    wait_until(run.beat(1).exists)
    os.killpg(events(run)[-1]["group"], signal.SIGKILL)
    process.kill()
    # Not waited for: it stays as a zombie, as where a container's first process reaps nobody.
    session = ["ps", "-o", "stat=", "-s", str(process.pid)]
    states = lambda: subprocess.run(session, capture_output=True, text=True).stdout  # noqa: E731
    wait_until(lambda: all(state[0] == "Z" for state in states().split()))
    process.wait()


def test_a_torn_events_file_costs_only_the_torn_line(tmp_path):
    run = write_run(tmp_path, "exit 0")
    execute(run)
    run.events(1).write_text(run.events(1).read_text()[:-5])
    assert execute(run).returncode == 0
    assert names(run, 2)[-1] == "ended"
