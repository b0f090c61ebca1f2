"""AFTER: what a launch waits for, here by its launcher."""

import subprocess
import time

import pytest
from project import Project

NAP = "import pathlib, sys, time\nwhile not pathlib.Path('{go}').exists(): time.sleep(0.05)\n"


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("one.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    return project


def two(project, after):
    project.write("two.yml", f"CMD: echo\nHPARAMS: {{lr: 1}}\nAFTER: {after}\n")


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("{one: nope}", "two.yml:3: AFTER: one must be done or ended"),
        ("{one: [done]}", "AFTER: one must be done or ended"),
        ("nothing", "two.yml:3: AFTER: no run or experiment nothing in "),
        ("[one, nothing]", "two.yml:3: AFTER: no run or experiment one in "),
        ("one", "; launch it first: runx one.yml"),
        ("two", "two.yml:3: AFTER: two can't wait for itself; take it out"),
        ("\n  two: ended", "two.yml:4: AFTER: two can't wait for itself"),
    ],
)
def test_what_can_not_be_waited_for_is_refused(project, after, message):
    two(project, after)
    assert message in project.runx("two.yml", "-i", status=2).stderr


def test_after_a_failure_nothing_starts_unless_its_end_is_enough(project):
    project.write("train.py", "raise SystemExit(3)\n")
    project.runx("one.yml", "-i", status=1)
    two(project, "one")
    said = project.runx("two.yml", "-i", status=2).stderr
    assert "two.yml:3: AFTER: " in said
    assert "is failed (exit status 3); runs after it would never start" in said
    said = project.runx("two.yml", "-n", "-i").stderr
    assert "note: a launch would stop here: two.yml:3: AFTER: " in said
    assert not (project.path / "runs/two").exists()
    two(project, "{one: ended}")
    project.runx("two.yml", "-i")
    assert len(project.runs("runs/two")) == 1


def test_runs_here_wait_and_the_launcher_says_for_what(project):
    project.write("train.py", NAP.format(go=project.path / "go"))
    words = {"cwd": project.path, "env": project.environment, "stderr": subprocess.PIPE}
    first = subprocess.Popen(["runx", "one.yml", "-i"], **words, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(project.path.glob("runs/one/*/attempts/1.events.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    two(project, "one")
    second = subprocess.Popen(["runx", "two.yml", "-i"], **words, text=True)
    assert second.stderr.readline() == "waiting for one: 1 running\n"
    assert not (project.path / "runs/two").exists()
    (project.path / "go").touch()
    assert second.wait(60) == 0
    assert first.wait(60) == 0


@pytest.mark.parametrize("more", [(), ("--table",), ("--json",)])
def test_a_preview_says_that_another_sweep_does_not_exist_yet(project, more):
    two(project, "one")
    done = project.runx("two.yml", "-n", "-i", *more)
    assert (
        "note: a launch would stop here: two.yml:3: AFTER: no run or experiment one" in done.stderr
    )
    assert done.stdout
    message = project.runx("two.yml", "-n", "-i", "--after", "none", *more, status=2).stderr
    assert "--after: no run or experiment none" in message


def test_a_file_that_waits_for_its_own_sweep_is_refused_in_a_preview_too(project):
    two(project, "two")
    said = project.runx("two.yml", "-n", "-i").stderr
    assert "two.yml:3: AFTER: two can't wait for itself" in said
