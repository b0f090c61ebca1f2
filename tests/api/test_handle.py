"""Runs that are launched with wait=False: their handle, its launcher and what becomes of both."""

import os
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest
from sweeps import wait_until

import runx
from runx.api.handle import progress_of
from runx.errors import RunxError
from runx.rundir.state import State

TRAIN = (
    "import pathlib, sys, time\n"
    "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
    "sys.exit('--fail' in sys.argv)\n"
)


@pytest.fixture
def project(tmp_path, installed, monkeypatch):
    """A sweep of three runs, which end when the file go is there."""
    (tmp_path / "train.py").write_text(TRAIN)
    sweep = f"CMD: python train.py {tmp_path}/go\nHPARAMS: {{n: [1, 2, 3]}}\n"
    (tmp_path / "sweep.yml").write_text(sweep)
    monkeypatch.chdir(tmp_path)
    for name in ("PATH", "PYTHONPATH", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, installed[name])
    monkeypatch.delenv("RUNX_SEED", raising=False)
    yield tmp_path
    (tmp_path / "go").touch()
    if (tmp_path / "runs" / "sweep").exists():
        runx.attach("sweep").wait(30)


def launch(**options):
    return runx.launch(runx.load("sweep.yml").plan(), wait=False, **options)


def states(handle):
    return sorted(handle.status().states.values())


def test_what_cannot_start_is_an_error_as_ever_and_leaves_nothing(project):
    with pytest.raises(RunxError, match="wait=False shows no output"):
        launch(stream=True)
    with pytest.raises(RunxError, match="--gpus-per-run 99"):
        launch(gpus_per_run=99)
    with pytest.raises(RunxError, match="is no folder"):
        runx.launch(runx.load("sweep.yml", CODE_ROOT="gone").plan(), wait=False)
    with pytest.raises(RunxError, match="gone"):
        launch(after=["gone"])
    assert not (project / "runs" / "sweep").exists()


def test_equal_runs_that_go_on_are_not_started_twice(project):
    launch(jobs=2)
    with pytest.raises(RunxError, match="--resume starts only what is missing"):
        launch()


def test_runs_go_on_after_the_process_that_launched_them(project):
    program = (
        "import os, runx, signal\n"
        "runx.launch(runx.load('sweep.yml').plan(), wait=False)\n"
        "os.killpg(os.getpgid(0), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], start_new_session=True)
    assert killed.returncode == -signal.SIGKILL
    handle = runx.attach("sweep")
    assert not handle.ended
    wait_until(lambda: states(handle) == ["queued", "queued", "running"])
    (project / "go").touch()
    assert sorted(handle.wait(60).states.values()) == ["done", "done", "done"]
    assert handle.ended
    assert [line for line in handle.lines() if line.endswith("(3/3)")]


def test_the_end_of_the_launcher_is_the_end_of_what_waits(project):
    handle = launch()
    wait_until(lambda: "running" in states(handle))
    handle._launcher.kill()
    handle._launcher.wait()
    assert not handle.ended  # A run goes on by itself.
    (project / "go").touch()
    wait_until(lambda: handle.ended)
    assert states(handle).count("done") == 1
    rest = launch(resume=True)
    assert sorted(rest.wait(60).states.values()) == ["done", "done"]


def test_who_waits_has_the_end_told_that_a_killed_launcher_cannot_tell(project):
    told = project.parent / "told"
    runs = runx.load("sweep.yml", NOTIFY=f"echo $RUNX_EVENT >>{told}").plan(limit=1)
    handle = runx.launch(runs, wait=False)
    wait_until(lambda: "running" in states(handle))
    handle._launcher.kill()
    (project / "go").touch()
    handle.wait(60)
    wait_until(told.exists)
    assert handle.wait().counts() == "1 done"
    assert told.read_text() == "end\n"


def test_a_handle_cancels_what_runs_and_what_waits(project):
    handle = launch()
    wait_until(lambda: "running" in states(handle))
    assert handle.cancel()[:2] == (3, 3)
    assert sorted(handle.wait(60).states.values()) == ["cancelled"] * 3
    assert handle.cancel()[:2] == (0, 0)


def test_to_wait_for_a_time_ends_nothing(project):
    handle = launch()
    began = time.monotonic()
    assert "running" in handle.wait(0.3).states.values() or states(handle)
    assert time.monotonic() - began < 10
    assert not handle.ended


def test_where_all_are_done_their_handle_is_that_of_the_runs(project):
    (project / "go").touch()
    launch(jobs=3).wait(60)
    handle = launch(resume=True)
    assert handle.ended
    assert sorted(handle.status().states.values()) == ["done", "done", "done"]
    assert not list(handle.lines())
    assert runx.launch(runx.load("sweep.yml").plan(), resume=True).counts() == "3 done"
    handle = runx.launch(runx.load("sweep.yml").plan(where="n > 5"), wait=False)
    assert (handle.ended, len(handle.status()), handle.progress()) == (True, 0, "0/0 done")


def test_an_experiment_that_is_not_there_or_several_have_no_handle(project, tmp_path):
    with pytest.raises(RunxError, match="gone"):
        runx.attach("gone")
    (project / "go").touch()
    launch().wait(60)
    runx.launch(runx.load("sweep.yml", EXP_NAME="sweep2").plan(limit=1), wait=False).wait(60)
    with pytest.raises(RunxError, match="name one of these: sweep, sweep2"):
        runx.attach("sweep*")


def test_another_thread_than_the_main_one_may_launch_so(project):
    (project / "go").touch()
    handles = []
    thread = Thread(target=lambda: handles.append(launch(jobs=3)))
    thread.start()
    thread.join()
    assert handles[0].wait(60).counts() == "3 done"


def test_elsewhere_than_in_a_notebook_a_handle_is_text(project, capsys):
    (project / "go").touch()
    handle = launch()
    handle.wait(60)
    handle._ipython_display_()
    assert "3/3 done" in capsys.readouterr().out
    assert "<table" in handle._repr_html_()
    assert "3/3 done" in repr(handle)


def test_how_far_runs_are_is_a_line():
    from runx.rundir.events import Attempt, Event
    from runx.rundir.paths import RunDir
    from runx.rundir.run import RunRecord

    def run(state, *events):
        attempt = Attempt(1, tuple(Event(*each) for each in events))
        status = State(state, attempt=1)
        return RunRecord("r", RunDir("/r"), {}, status, {}, attempts=(attempt,))

    done = run("done", ("started", 0.0, {}), ("ended", 60.0, {}))
    runs = [done, done, run("running"), run("queued"), run("failed")]
    assert progress_of(runs) == "2/5 done, 1 running, 1 queued, 1 failed, about 1 min left"
    assert progress_of([]) == "0/0 done"


@pytest.fixture
def typed(project, installed):
    def run(*words, **options):
        return subprocess.run(
            words, cwd=project, env=installed, capture_output=True, text=True, **options
        )

    return run


def test_a_detached_launch_is_followed_to_its_end_and_told_by_the_exit_status(typed, project):
    began = typed("runx", "sweep.yml", "-i", "--detach", "+fail=true", "ARGS=bare")
    assert began.returncode == 2 and "ARGS" in began.stderr  # refused as ever
    began = typed("runx", "sweep.yml", "-i", "--detach", "+fail=true")
    assert began.returncode == 0, began.stderr
    assert began.stderr.splitlines()[-2:] == [
        "3 runs go on without this terminal",
        "runx attach sweep follows, runx cancel sweep ends it",
    ]
    (project / "go").touch()
    attached = typed("runx", "attach", "sweep")
    assert attached.returncode == 1
    assert "3 of 3 runs failed" in attached.stdout
    assert attached.stdout.splitlines()[-1].startswith("retry: runx sweep.yml -i --detach")
    assert typed("runx", "attach", "sweep").stdout == attached.stdout


def test_ctrl_c_ends_the_following_alone(typed, project, installed):
    typed("runx", "sweep.yml", "-i", "--detach")
    following = subprocess.Popen(
        ["runx", "attach", "sweep"], cwd=project, env=installed, stdout=-1, stderr=-1, text=True
    )
    following.stdout.readline()
    os.kill(following.pid, signal.SIGINT)
    _, errors = following.communicate(timeout=30)
    assert following.returncode == 130
    assert errors == "its runs go on; runx attach sweep follows again\n"
    assert not runx.attach("sweep").ended


@pytest.mark.parametrize("flag", ["--attach", "--stream"])
def test_what_needs_the_terminal_is_not_detached(typed, flag):
    refused = typed("runx", "sweep.yml", "-i", "--detach", flag)
    assert refused.returncode == 2
    assert f"--detach leaves the terminal, {flag} uses it" in refused.stderr


def test_jobs_of_a_farm_are_not_detached_and_nothing_detached_not_attached(typed, project):
    refused = typed("runx", "sweep.yml", "--farm", "slurm", "--detach")
    assert refused.returncode == 2
    assert "they go on without the terminal as it is" in refused.stderr
    (project / "go").touch()
    typed("runx", "sweep.yml", "-i")
    attached = typed("runx", "attach", "sweep")
    assert attached.returncode == 2
    assert "nothing was detached here; runx status sweep shows its runs" in attached.stderr
