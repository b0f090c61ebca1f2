"""What ``runx top`` does to runs: only what was confirmed, and by the paths of other commands."""

import json
import os
import subprocess
import time

import pytest
from project import Project
from run_folders import make_run
from sites import Site, environment_of, installed_commands
from tops import play

from runx.analysis.read import Reader, read_experiment
from runx.rundir.paths import ExperimentDir
from runx.tui.steer import named, retries


@pytest.fixture
def project(tmp_path, installed, monkeypatch):
    """A project, whose environment this process has, too: it starts runs from here."""
    for name, value in installed.items():
        monkeypatch.setenv(name, value)
    return Project(tmp_path, installed)


def states(project):
    done = project.runx("status", "sweep", "--json", status=(0))
    return [run["state"] for run in json.loads(done.stdout)]


def test_a_run_here_is_cancelled_only_once_that_is_confirmed(project):
    project.write("train.py", "import time\nprint('up', flush=True)\ntime.sleep(600)\n")
    launcher = subprocess.Popen(
        ["runx", "sweep.yml", "-i"], cwd=project.path, env=project.environment
    )

    async def scene(top):
        await top.shows("3 queued, 1 running", "its launcher waits for its turn")
        await top.press("c")
        await top.shows("cancel ", "y yes")
        await top.press("enter")
        await top.until(lambda: not top.app.screen_stack[1:])
        assert top.console == ""
        for _ in range(4):
            await top.press("m")
        await top.press("c")
        await top.shows("cancel 4 runs: ")
        await top.press("y")
        await top.shows("sweep: 4 runs: 4 cancelled")
        assert "4 of 4 runs cancelled" in top.console

    try:
        deadline = time.monotonic() + 60
        while not list(project.path.glob("runs/sweep/*/output.log")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        play(project.path / "runs", scene, "sweep", size=(120, 30))
    finally:
        launcher.terminate()
        launcher.wait(60)


def test_keys_hit_before_a_question_was_seen_confirm_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("runx.tui.dialogs.UNREAD", 0.5)
    make_run(tmp_path / "sweep" / "one", {"lr": 1}, code=1)

    async def scene(top):
        await top.press("c", "y")
        await top.shows("cancel one?")
        await top.pilot.pause(0.6)
        await top.press("x")
        assert not top.app.screen_stack[1:]
        assert top.console == ""

    play(tmp_path, scene, "sweep")


def test_only_the_runs_that_are_marked_are_retried_by_what_launched_them(project):
    project.write("train.py", "import sys; sys.exit(3)\n")
    project.runx("sweep.yml", "-i", status=1)
    project.write("train.py", "print('mended')\n")

    async def scene(top):
        names = top.rows()
        await top.press("m", "j", "m", "t")
        await top.shows("retry 2 runs: ", "--resume --retry failed", "--where 'run in")
        await top.press("n", "t", "y")
        await top.until(lambda: top.lines[0] == "sweep: 4 runs: 2 done, 2 failed")
        done = [one.name for one in top.app.runs.records if one.state == "done"]
        assert done == [names[0], names[2]]
        await top.until(lambda: "starting 2" in top.console)
        await top.press("u", "slash")
        await top.type("state == 'failed'")
        await top.until(lambda: len(top.rows()) == 2)
        await top.press("g", "m", "m", "t")
        await top.shows("retry 2 runs: ")
        assert "--where" not in top.text
        await top.press("y")
        await top.until(lambda: top.lines[0].startswith("sweep: 4 runs: 4 done"))
        assert "no run has" not in top.text

    play(project.path / "runs", scene, "sweep", size=(120, 30))


def test_what_can_not_be_retried_is_said_and_nothing_asked(project):
    project.runx("sweep.yml", "-i")

    async def scene(top):
        await top.press("t")
        await top.until(lambda: "not retried: done" in top.console)
        assert not top.app.screen_stack[1:]
        await top.press("h", "y")
        await top.until(lambda: "0 of 1 runs held" in top.console)
        await top.press("6")
        await top.shows("0 of 1 runs held")

    play(project.path / "runs", scene, "sweep")


def test_a_command_that_can_not_be_started_is_said(project):
    project.runx("sweep.yml", "-i")
    [launch] = project.path.glob("runs/sweep/.runx/launches/*/launch.json")
    content = json.loads(launch.read_text())
    launch.write_text(json.dumps({**content, "cwd": "/gone"}))
    run = project.runs()[0]
    (run / "attempts" / "1.events.jsonl").write_text('{"event":"ended","time":9,"code":1}\n')

    async def scene(top):
        await top.press("slash")
        await top.type("state == 'failed'")
        await top.until(lambda: top.rows() == [run.name])
        await top.press("t", "y")
        await top.until(lambda: "/gone" in top.console.partition("\n")[2])

    play(project.path / "runs", scene, "sweep")


def test_runs_of_a_farm_are_held_and_released_and_the_queue_says_why(
    installed, tmp_path, monkeypatch
):
    names = [f"condor_{name}" for name in ("submit", "q", "history", "rm", "hold", "release")]
    path = f"{installed_commands(tmp_path / 'bin', names, 'condor')}:{installed['PATH']}"
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "full").touch()
    environment = environment_of(installed, {"PATH": path, "STANDIN": str(tmp_path / "pool")})
    farm = "FARM: condor\ncondor:\n  TYPE: condor\n  RESOURCES: {cpus: 1}\n"
    site = Site(tmp_path / "project", {**environment, "PATH": path}, farm)
    site.runx(site.sweep("held", "HPARAMS: {lr: [1, 2]}\n"))
    for name in ("PATH", "STANDIN"):
        monkeypatch.setenv(name, site.environment[name])

    async def scene(top):
        await top.shows("held: 2 runs: 2 queued")
        await top.press("m", "m", "h", "y")
        await top.until(lambda: top.text.count("queued (held") == 2)
        await top.press("r", "y")
        await top.until(lambda: "queued (held" not in top.text)
        assert "2 of 2 runs released" in top.console

    play(tmp_path / "project" / "logs", scene, "held", size=(120, 30))


def test_the_page_is_served_until_top_ends(project):
    pytest.importorskip("uvicorn")
    project.runx("sweep.yml", "-i")
    served = []

    async def scene(top):
        await top.press("o")
        await top.shows("runx watch")
        await top.press("y")
        await top.until(lambda: "http://127.0.0.1:" in top.console)
        served.extend(top.app.pages)

    play(project.path / "runs", scene, "sweep")
    assert served[0].wait(30) is not None


def test_many_names_are_cut_and_one_stands_alone(tmp_path):
    for at in range(9):
        make_run(tmp_path / "sweep" / f"run{at}", {"at": at}, code=1)
    records = list(read_experiment(ExperimentDir(tmp_path / "sweep"), Reader()))
    assert named(records[:1]) == "run0"
    assert named(records) == "9 runs: run0, run1, run2, run3, run4, run5 and 3 more"
    said = []
    assert retries(records, records, said.append) == []
    assert "how it was launched isn't recorded; runx FILE --resume" in said[0]
    assert os.sep not in said[0]
