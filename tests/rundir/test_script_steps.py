"""run.sh of a step: where it is, what it leaves to what it is after, and how it is told apart."""

import os
import subprocess
from pathlib import Path

import pytest
from sweeps import events, names

from runx.rundir.claims import claim_text
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.rundir.shell import PLAIN, Shell
from runx.rundir.step_script import BLOCKED
from runx.rundir.steps import SWEEP, Predecessor, Step
from runx.sweeps.values import Point

SHOW = (
    'echo "$RUNX_STEP $RUNX_RUN"; echo "$RUNX_LOGDIR"; echo "$RUNX_STEP_DIR"; pwd;'
    ' echo LOGDIR; exit "${STATUS:-0}"'
)


def write(step, folder, cmd=SHOW, after=(), farm=None, shell=PLAIN):
    """Write a step that a launcher has claimed."""
    name = "/".join(folder.path.parts[-3:])
    run = Run(name, folder, Point(()), step._replace(cmd=cmd), tuple(after))
    folder.attempts.mkdir(parents=True, exist_ok=True)
    owner = folder.path if step.per == SWEEP else folder.path.parent.parent
    (owner / "code").mkdir(exist_ok=True)
    settings = ScriptSettings(
        "sweep", "", "LOGDIR/code", os.environ["PATH"], "/project", shell=shell
    )
    folder.script.write_text(script(run, settings))
    claim(folder, 1, farm)
    return folder


def claim(folder, attempt, farm=None):
    folder.claim(attempt).write_text(claim_text(farm, None, "launch"))


def execute(folder, *words, **environment):
    done = subprocess.run(
        ["bash", folder.script, *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return done.returncode


def is_alive(pid):
    """Return whether a process goes on; where init reaps none, a zombie does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "sweep/.runx").mkdir(parents=True)
    return tmp_path / "sweep"


@pytest.fixture
def train(experiment):
    return write(Step("train", ""), RunDir(experiment / "wise-owl").step("train"))


def after_train(train, when="done", upstream=(), **options):
    folder = RunDir(train.path.parent / "eval")
    return write(Step("eval", ""), folder, after=[Predecessor(train, when, upstream)], **options)


def test_a_step_of_a_run_has_the_run_s_directory_and_code(train, experiment):
    assert execute(train) == 0
    run = experiment / "wise-owl"
    assert train.output.read_text().splitlines() == [
        "train wise-owl",
        str(run),
        str(train.path),
        str(run / "code"),
        str(run),
    ]
    assert events(train)[0]["after"] == 0


def test_a_shared_step_has_a_directory_of_its_own(experiment):
    step = write(Step("tokens", "", per=SWEEP), RunDir(experiment / "steps/tokens-1"))
    assert execute(step) == 0
    assert step.output.read_text().splitlines() == [
        "tokens tokens-1",
        str(step.path),
        str(step.path),
        str(step.path / "code"),
        str(step.path),
    ]


def test_a_plain_run_within_a_step_knows_of_none(tmp_path):
    run = Run("shy-lion", RunDir(tmp_path / "shy-lion"), Point(()))
    run.dir.code.mkdir(parents=True)
    settings = ScriptSettings("sweep", 'echo "${RUNX_STEP-none} ${RUNX_STEP_DIR-none}"', "", "", "")
    run.dir.script.write_text(script(run, settings))
    assert execute(run.dir, RUNX_STEP="eval", RUNX_STEP_DIR="/x", PATH=os.environ["PATH"]) == 0
    assert run.dir.output.read_text() == "none none\n"


def test_a_step_that_is_called_in_a_folder_that_was_moved_finds_its_own(train, tmp_path):
    train.path.parent.parent.parent.rename(tmp_path / "moved")
    moved = RunDir(tmp_path / "moved/wise-owl/steps/train")
    assert execute(moved) == 0
    assert str(tmp_path / "moved/wise-owl") in moved.output.read_text().splitlines()


def test_a_step_runs_nothing_until_what_it_is_after_is_done(train):
    step = after_train(train)
    assert execute(step) == BLOCKED
    [end] = events(step)
    assert (end["event"], end["code"], end["blocked"]) == ("ended", BLOCKED, "train")
    assert "run.sh: train isn't done" in step.output.read_text()
    assert execute(train) == 0
    claim(step, 2)
    assert execute(step) == 0
    assert events(step, 2)[0]["after"] == 1


@pytest.mark.parametrize("end", ["failed", "running", "queued", "blocked", "ran again"])
def test_neither_does_one_after_a_step_that(train, end):
    if end == "failed":
        execute(train, STATUS="3")
    if end == "running":
        train.events(1).write_text('{"event":"started","time":1,"pid":1}\n')
    if end == "blocked":
        train.events(1).write_text('{"event":"ended","time":1,"code":77,"blocked":"tokens"}\n')
    if end == "ran again":
        execute(train)
        claim(train, 2)
        assert execute(train, STATUS="3") == 3
    assert execute(after_train(train)) == BLOCKED


def test_a_code_that_begins_with_0_is_not_0(train):
    train.events(1).write_text('{"event":"started","time":1}\n{"event":"ended","code":07}\n')
    assert execute(after_train(train)) == BLOCKED


def test_an_end_that_the_launcher_recorded_counts(train):
    train.events(1).write_text('{"event":"started","time":1}\n{"event": "ended", "code": 0}\n')
    assert execute(after_train(train)) == 0


def test_the_sum_of_attempts_is_that_of_all_that_it_is_after(train, experiment):
    other = write(Step("tokens", "", per=SWEEP), RunDir(experiment / "steps/tokens-1"))
    execute(train, STATUS="1")
    claim(train, 2)
    assert execute(train) == 0 and execute(other) == 0
    step = RunDir(train.path.parent / "eval")
    write(Step("eval", ""), step, after=[Predecessor(train), Predecessor(other)])
    assert execute(step) == 0
    assert events(step)[0]["after"] == 3


def test_a_launcher_here_knows_what_has_ended(train):
    assert execute(after_train(train, "ended")) == 0


@pytest.mark.parametrize(
    ("state", "starts"),
    [
        ("queued", False),
        ("running", False),
        ("silent", True),
        ("done", True),
        ("failed", True),
        ("preempted", False),
        ("cancelled", True),
        ("blocked", True),
    ],
)
def test_on_a_farm_what_gathers_waits_for_an_end(train, experiment, state, starts):
    tokens = write(Step("tokens", "", per=SWEEP), RunDir(experiment / "steps/tokens-1"))
    claim(train, 1, "farm")
    if state in ("running", "silent"):
        train.events(1).write_text('{"event":"started","time":1,"pid":1}\n')
        train.beat(1).touch()
    if state == "silent":
        os.utime(train.beat(1), (1, 1))
    if state in ("done", "failed", "preempted"):
        code = {"done": 0, "failed": 3, "preempted": 75}[state]
        more = '{"event":"preempted","time":3}\n' if state == "preempted" else ""
        train.events(1).write_text(
            f'{{"event":"started","time":1}}\n{{"event":"ended","time":2,"code":{code}}}\n{more}'
        )
    if state == "cancelled":
        write_order(train, CANCEL, 1)
    if state == "blocked":
        tokens.events(1).write_text('{"event":"ended","time":1,"code":3}\n')
    step = after_train(train, "ended", (tokens,), farm="farm")
    assert execute(step, "1", "12") == (0 if starts else BLOCKED)


def test_what_a_step_has_left_is_told_from_what_others_have(train):
    left = "(sleep 30 & echo $! > LOGDIR/left) ; exit 0"
    folder = RunDir(train.path.parent / "other")
    other = write(Step("other", ""), folder, cmd="sleep 30", shell=Shell(linger=0))
    process = subprocess.Popen(["bash", other.script], stdin=subprocess.DEVNULL)
    try:
        leaving = write(Step("train", ""), train, cmd=left, shell=Shell(linger=0))
        assert execute(leaving) == 0
        pid = (train.path.parent.parent / "left").read_text().strip()
        assert not is_alive(pid)
        assert process.poll() is None and "ended" not in names(other)
    finally:
        os.kill(process.pid, 15)
        process.wait(60)


def test_set_up_and_tear_down_are_in_the_code_of_the_run(train):
    shell = Shell(setup="pwd\nfalse", teardown="pwd")
    step = write(Step("train", ""), train, shell=shell)
    assert execute(step) == 1
    code = str(train.path.parent.parent / "code")
    assert step.output.read_text().splitlines()[0] == code
    assert step.output.read_text().splitlines()[-1] == code
    [setup] = [event for event in events(step) if event["event"] == "setup"]
    assert setup["command"] == "false"
