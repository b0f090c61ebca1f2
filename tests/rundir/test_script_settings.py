"""What stands around a command in run.sh, executed by a real bash with real signals."""

import json
import os
import signal
import subprocess
import time

import pytest

from runx.errors import SettingsError
from runx.rundir.claims import claim_text
from runx.rundir.handback import Requeue
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import NodeLayout, ScriptSettings, body, script
from runx.rundir.shell import Shell
from runx.sweeps.values import Point

USR1 = "trap 'echo signalled; exit 9' USR1; echo ready; while :; do sleep 0.05; done"
TERM = "trap 'echo ended; exit 9' TERM; echo ready; while :; do sleep 0.05; done"


def write_run(tmp_path, cmd, shell=None, requeue=None, handback=("", 0), farm="far"):
    run = Run("wise-owl", RunDir(tmp_path / "wise-owl"), Point(()))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    around = ScriptSettings(
        experiment="sweep",
        cmd=cmd,
        pythonpath="LOGDIR/code",
        path=os.environ["PATH"],
        project="/p",
        shell=shell or Shell(),
        requeue=requeue,
        handback=handback,
    )
    run.dir.script.write_text(script(run, around))
    run.dir.claim(1).write_text(claim_text(farm, None))
    return run.dir


def execute(run):
    return subprocess.run(
        ["bash", run.script], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    ).returncode


def warned(run, name=signal.SIGUSR1):
    """Start a run, warn it once it is ready, and return its exit status."""
    process = subprocess.Popen(
        ["bash", run.script], stdin=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (run.output.exists() and "ready" in run.output.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(name)
    return process.wait(30)


def names(run, attempt=1):
    return [json.loads(line)["event"] for line in run.events(attempt).read_text().splitlines()]


def test_set_up_environment_and_wrapper_precede_the_command(tmp_path):
    shell = Shell(
        setup="greeting=hello\nexport greeting",
        wrap="env WRAPPED=yes",
        environment=(("CACHE", "LOGDIR/a 'b'"),),
    )
    run = write_run(tmp_path, "sh -c 'echo $greeting $WRAPPED $CACHE'", shell)
    assert execute(run) == 0
    assert run.output.read_text() == f"hello yes {run.path}/a 'b'\n"


def test_a_wrapper_is_given_a_command_of_several_parts_as_one(tmp_path):
    run = write_run(tmp_path, "echo $WRAPPED; exit 3", Shell(wrap="env WRAPPED=yes"))
    assert execute(run) == 3
    assert run.output.read_text() == "yes\n"


@pytest.mark.parametrize("status", [0, 3])
def test_tear_down_follows_however_it_ended_and_changes_nothing(tmp_path, status):
    run = write_run(tmp_path, f"exit {status}", Shell(teardown="echo bye\nexit 9"))
    assert execute(run) == status
    assert run.output.read_text() == "bye\n"


def test_stderr_has_a_file_of_its_own_where_that_is_asked(tmp_path):
    run = write_run(tmp_path, "echo out; echo err >&2", Shell(separate=True))
    execute(run)
    assert run.output.read_text() == "out\n"
    assert (run.path / "errors.log").read_text() == "err\n"


def test_a_warned_run_gets_term_and_goes_back_to_its_scheduler(tmp_path):
    run = write_run(tmp_path, TERM, requeue=Requeue(), handback=("echo handed back", 0))
    assert warned(run) == 9
    assert "ended\nhanded back\n" in run.output.read_text()
    assert names(run)[-3:] == ["warned", "ended", "preempted"]


def test_the_warning_is_passed_on_where_that_is_asked(tmp_path):
    run = write_run(tmp_path, USR1, requeue=Requeue(forward="signal"), handback=("", 99))
    assert warned(run) == 99
    assert "signalled\n" in run.output.read_text()


def test_a_note_is_all_that_a_script_gets_that_asks_for_no_more(tmp_path):
    cmd = "echo ready; while [ ! -e ../stop_requested ]; do sleep 0.05; done; exit 75"
    run = write_run(tmp_path, cmd, requeue=Requeue(forward="note"), handback=("", 99))
    assert warned(run) == 99


def test_usr2_warns_too_while_nobody_has_taken_the_run_over(tmp_path):
    run = write_run(tmp_path, TERM, requeue=Requeue(), handback=("", 99))
    assert warned(run, signal.SIGUSR2) == 99
    assert "superseded" not in names(run)


def test_status_75_asks_to_be_run_again_as_often_as_is_allowed(tmp_path):
    run = write_run(tmp_path, "exit 75", requeue=Requeue(max=2), handback=("", 99))
    assert [execute(run) for _ in range(3)] == [99, 99, 75]
    assert "as often as REQUEUE allows" in run.output.read_text()


@pytest.mark.parametrize("status", [0, 3])
def test_a_run_that_ends_unwarned_stays_ended(tmp_path, status):
    run = write_run(tmp_path, f"exit {status}", requeue=Requeue(), handback=("", 99))
    assert execute(run) == status
    assert "preempted" not in names(run)


def test_a_scheduler_that_refuses_to_take_it_back_is_on_record(tmp_path):
    run = write_run(tmp_path, "exit 75", requeue=Requeue(), handback=("false", 0))
    assert execute(run) == 75
    assert names(run)[-2:] == ["preempted", "refused"]


def test_a_cancelled_run_is_not_handed_back(tmp_path):
    order = """mkdir -p ../orders; printf '{\\n "order": "cancel",\\n "attempt": 1,\\n "t": 1}' """
    run = write_run(tmp_path, f"{order} >../orders/1.json; exit 75", requeue=Requeue())
    assert execute(run) == 75
    assert "preempted" not in names(run)


def test_a_run_that_was_cancelled_before_it_began_never_begins(tmp_path):
    run = write_run(tmp_path, "echo never")
    run.orders.mkdir()
    (run.orders / "1.json").write_text('{\n  "order": "cancel",\n  "attempt": 1,\n  "time": 1}')
    assert execute(run) == 143
    assert names(run) == ["ended"]
    assert not run.output.exists()


def test_by_hand_it_is_handed_back_to_nobody(tmp_path):
    run = write_run(tmp_path, "exit 75", requeue=Requeue(), handback=("", 99), farm=None)
    assert execute(run) == 75


@pytest.mark.parametrize("cmd", ["cd x && python t.py", "./train.sh", "python"])
def test_torchrun_takes_one_python_script(cmd):
    with pytest.raises(SettingsError, match="torchrun"):
        body(cmd, "&&" not in cmd, Shell(launch="torchrun"), NodeLayout(1, 2))


def test_torchrun_starts_modules_and_keeps_pythons_flags():
    text = body("python3 -u -m train --lr 1", True, Shell(launch="torchrun"), NodeLayout(1, 2))
    assert text == (
        "exec python3 -u -m torch.distributed.run --standalone --nproc-per-node=2 -m train --lr 1"
    )
