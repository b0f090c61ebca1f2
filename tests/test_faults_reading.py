"""What somebody else has left, unreadable or of another kind, costs a line and stops nobody."""

import json
import os
import shutil
import subprocess

import pytest
from project import Project

BARRED = "-dac_override,-dac_read_search,-fowner,-chown"
"""Root's rights to read what isn't its own."""

FILES = ("hparams.json", "run.json", "output.log", "logx.json", "attempts/1.claim")
FILES = (*FILES, "attempts/1.events.jsonl", "metrics.csv")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="gives files to another user"
)


@pytest.fixture
def project(tmp_path, installed):
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", installed)
    project.write(".runx", "LOGROOT: runs\n")
    project.runx("sweep.yml", "-i", "opt=a")
    return project


def called(project, words, program="runx", status=0):
    """Call a command as a user who may read only what is its own."""
    done = subprocess.run(
        ["setpriv", "--bounding-set", BARRED, "--inh-caps", BARRED, program, *words],
        cwd=project.path,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done


def give_away(path, mode=0o700):
    os.chown(path, 65534, 65534)
    path.chmod(mode)


def test_a_run_that_is_somebody_else_s_alone_is_left_out_with_a_line(project):
    theirs, ours = project.runs()
    give_away(theirs)
    for words in (["status"], ["status", "sweep"], ["show", "sweep"], ["logs", "sweep"]):
        done = called(project, words)
        assert done.stderr.count(f"{theirs.name}: left out") == 1, words
    for words in (["cancel", "sweep"], ["hold", "sweep"]):
        assert "0 of 1" in called(project, words).stderr
    table = called(project, ["sweep"], "sumx")
    assert ours.name in table.stdout
    assert theirs.name in table.stderr
    assert ours.name in called(project, ["rm", "--yes", ours.name]).stderr or not ours.exists()


def test_resume_never_doubles_a_run_that_it_may_not_read(project):
    theirs, _ = project.runs()
    give_away(theirs)
    done = called(project, ["sweep.yml", "-i", "--resume", "opt=a"])
    assert "1 done, 1 unknown: starting 0" in done.stderr
    assert f"{theirs.name}: left alone" in done.stderr
    give_away(theirs / "attempts")
    theirs.chmod(0o755)
    assert "starting 0" in called(project, ["sweep.yml", "-i", "--resume", "opt=a"]).stderr


def test_an_experiment_of_somebody_else_s_does_not_stop_the_others(project):
    shutil.copytree(project.path / "runs" / "sweep", project.path / "runs" / "theirs")
    give_away(project.path / "runs" / "theirs")
    assert "sweep" in called(project, ["status"]).stdout
    assert "2 done" in called(project, ["status", "sweep"]).stdout
    assert "can't be read" in called(project, ["status", "theirs"], status=2).stderr
    give_away(project.path / "runs" / "sweep" / ".runx")
    assert "2 done" in called(project, ["status"]).stdout
    assert called(project, ["show", "sweep"]).stdout


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "deep", "mode"])
def test_whatever_stands_where_a_file_belongs_costs_that_run_alone(project, kind):
    hurt, intact = project.runs()
    for name in FILES:
        file = hurt / name
        file.unlink(missing_ok=True)
        if kind == "folder":
            file.mkdir()
        elif kind == "pipe":
            os.mkfifo(file, 0o666)
        elif kind == "loop":
            file.symlink_to(file.name)
        else:
            file.write_text("[" * 100_000 + "]" * 100_000)
            if kind == "mode":
                give_away(file, 0o600)
    for words in (["status", "sweep"], ["show", "sweep"]):
        assert intact.name in called(project, words).stdout
    called(project, ["cancel", "sweep"])
    called(project, ["status"])
    resumed = called(project, ["sweep.yml", "-n", "--resume", "opt=a"])
    assert hurt.name in resumed.stderr
    # Of what is whole though it says nothing, the lock says that it has ended.
    assert f"starting {int(kind in ('pipe', 'deep'))}" in resumed.stderr
    assert intact.name in called(project, ["sweep"], "sumx").stdout


def test_a_byte_that_is_no_utf_8_comes_back_as_it_went_in(project):
    script = "exec runx sweep.yml -i --resume opt=a lr=$'\\xff'"
    for start in ("starting 1", "starting 0"):
        done = subprocess.run(
            ["bash", "-c", script], cwd=project.path, env=project.environment, capture_output=True
        )
        assert start.encode() in done.stderr, done.stderr
    [run] = [run for run in project.runs() if b"ff" in (run / "hparams.json").read_bytes()]
    assert json.loads((run / "hparams.json").read_text("utf-8"))["lr"] == "\udcff"
    table = subprocess.run(
        ["sumx", "sweep", "--format", "csv"],
        cwd=project.path,
        env=project.environment,
        capture_output=True,
    )
    assert b"\xff" in table.stdout
    assert b"warning" not in table.stderr
