"""GIT_DIRTY: ask, at a real terminal."""

import json
import os
import pty
import re
import select
import subprocess
import time

import pytest


@pytest.fixture
def checkout(project):
    """A project in a checkout with one commit, and changes that are not committed."""

    def git(*words):
        done = subprocess.run(
            ["git", "-C", str(project.path), *words],
            env=project.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    project.git = git
    git("init", "-q")
    git("config", "user.name", "me")
    git("config", "user.email", "me@example.org")
    project.write(".runx", "GIT_DIRTY: ask\n")
    project.write("gone.py", "1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (project.path / "gone.py").unlink()
    project.write("train.py", (project.path / "train.py").read_text() + "# edited\n")
    project.write("net/new file.py", "1\n")
    return project


def at_terminal(project, *answers):
    """Launch with stdin and stderr at a terminal; return the status and what was shown."""
    answers = list(answers)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.path)
        environment = {**project.environment, "TERM": "dumb"}
        os.execvpe("runx", ["runx", "sweep.yml", "-i"], environment)
    screen, deadline, seen = "", time.monotonic() + 120, 0
    while True:
        assert time.monotonic() < deadline, screen
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            screen += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
        if answers and re.search(r"(commit\?|of the commit:) $", screen[seen:]):
            seen = len(screen)
            os.write(terminal, f"{answers.pop(0)}\n".encode())
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert not answers, screen
    return os.waitstatus_to_exitcode(status), screen.replace("\r\n", "\n")


def launch_json(project):
    (file,) = (project.path / "runs").glob("*/.runx/launches/*/launch.json")
    return json.loads(file.read_text())["git"], file.parent / "diff.patch"


def test_what_is_not_committed_is_shown_and_recorded_as_a_patch(checkout):
    status, screen = at_terminal(checkout, "what", "r")
    assert status == 0, screen
    for line in (" M train.py", " D gone.py", '?? "net/new file.py"'):
        assert line in screen
    git, patch = launch_json(checkout)
    assert git["dirty"] is True
    assert "# edited" in patch.read_text()
    assert checkout.git("log", "--format=%s") == "first\n"


def test_a_person_may_stop_to_commit_first(checkout):
    status, screen = at_terminal(checkout, "stop")
    assert status == 2
    assert "nothing started; commit the changes, then launch again" in screen
    assert not list((checkout.path / "runs").iterdir())


def test_the_changes_alone_are_committed_with_a_message(checkout):
    status, screen = at_terminal(checkout, "commit", "  ", "-m is no flag")
    assert status == 0, screen
    assert checkout.git("log", "--format=%s").splitlines()[0] == "-m is no flag"
    assert checkout.git("show", "--no-renames", "--name-only", "--format=").split("\n") == [
        "gone.py",
        "net/new file.py",
        "train.py",
        "",
    ]
    git, patch = launch_json(checkout)
    assert git["dirty"] is False
    assert git["commit"] == checkout.git("rev-parse", "HEAD").strip()
    assert not patch.exists()
    assert f"committed as {git['commit'][:12]}" in screen


def test_a_hook_that_refuses_leaves_everything_as_it_was(checkout):
    hook = checkout.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no tests' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = checkout.git("status", "--porcelain")
    status, screen = at_terminal(checkout, "c", "second")
    assert status == 2
    assert "git commit failed: no tests" in screen
    assert checkout.git("status", "--porcelain") == before
    assert not list((checkout.path / "runs").iterdir())


def test_without_a_terminal_nobody_is_asked(checkout):
    done = checkout.runx("sweep.yml", "-i", status=2)
    assert "GIT_DIRTY: ask needs a terminal; commit them, or set GIT_DIRTY: record" in done.stderr
    checkout.runx("sweep.yml", "-n")
    checkout.git("add", "-A")
    checkout.git("commit", "-q", "-m", "second")
    checkout.runx("sweep.yml", "-i")
