"""Users whom the system does not know, as under docker -u; and launches that fail at once."""

import json
import subprocess

import pytest
from project import Project

NAMELESS = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]
NAMES = ("HOME", "USER", "LOGNAME", "USERNAME", "LNAME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, {k: text for k, text in installed.items() if k not in NAMES})


def as_nameless(project, *words, status=0):
    done = subprocess.run(
        [*NAMELESS, *words],
        cwd=project.path,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.skipif(
    subprocess.run([*NAMELESS, "true"], capture_output=True).returncode != 0,
    reason="only root may make namespaces",
)
def test_a_user_without_a_name_or_a_home_launches_and_reads(project):
    project.write("train.py", "from runx.logx import logx\nlogx.initialize(coolname=True)\n")
    text = "CMD: python train.py\nHPARAMS: {{lr: [1, 2]}}\nRUN_NAME: '{{user}}-{{lr}}'\n"
    project.write("sweep.yml", text.format())
    as_nameless(project, "runx", "sweep.yml", "-i")
    runs = project.path / "runs" / "sweep"
    assert sorted(run.name for run in runs.iterdir()) == [".runx", "12345-1", "12345-2"]
    [launch] = (runs / ".runx" / "launches").iterdir()
    assert json.loads((launch / "launch.json").read_text())["user"] == "12345"
    for words in (
        ("status", "sweep"),
        ("status", "~/nowhere"),
        ("config", "sweep.yml"),
        ("sweep.yml", "-i", "--resume"),
        ("rm", "sweep", "--yes"),
    ):
        as_nameless(project, "runx", *words, status=2 if "~" in words[-1] else 0)
    as_nameless(project, "sumx", "sweep", status=2)
    done = as_nameless(project, "runx", "--install-completion", "bash", status=2)
    assert "set HOME" in done.stderr
    as_nameless(project, "python", "train.py")  # Without a launcher.
    assert not list(project.path.glob("~*"))


def test_a_launch_that_fails_at_once_leaves_no_experiment(project):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project.path)]
    subprocess.run([*git, "init", "-q"], check=True, env=project.environment)
    project.write(".runx", "GIT_DIRTY: error\n")
    project.runx("sweep.yml", "-i", status=2)
    assert list((project.path / "runs").iterdir()) == []
    project.write(".runx", "")
    project.runx("sweep.yml", "-i")
    project.write(".runx", "GIT_DIRTY: error\n")
    project.runx("sweep.yml", "-i", status=2)
    assert len(project.runs()) == 4
