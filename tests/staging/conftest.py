"""Projects to freeze, and an ordinary user to freeze them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: a script, a package, a tool that is executable."""
    root = tmp_path / "project"
    (root / "net").mkdir(parents=True)
    (root / "train.py").write_text("import net\n")
    (root / "net" / "__init__.py").write_text("width = 3\n")
    (root / "tool.sh").write_text("#!/bin/sh\necho hello\n")
    (root / "tool.sh").chmod(0o755)
    return root


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where an experiment keeps its frozen code."""
    return tmp_path / "logs" / "sweep" / ".runx" / "code"


@pytest.fixture
def git_in() -> Callable[..., str]:
    """Run git in a folder, as somebody, whatever the settings of who runs the tests."""

    def git(folder: Path, *words: str) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "someone"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "someone@example.org"),
            **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull),
        }
        words = ("git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words)
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "surrogateescape")

    return git


@pytest.fixture
def checkout(project: Path, git_in: Callable[..., str]) -> Path:
    """The project as a git checkout with one commit."""
    git_in(project, "init", "-q")
    git_in(project, "add", "-A")
    git_in(project, "commit", "-q", "-m", "first")
    return project


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter and write to."""
    folder = Path(tempfile.mkdtemp(prefix="runx-test-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_ordinary_user() -> Callable[[Callable[[], None]], None]:
    """Call something as a user whom permissions stop, in a process of its own."""

    def call(function: Callable[[], None]) -> None:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setresgid(NOBODY, NOBODY, NOBODY)
                    os.setresuid(NOBODY, NOBODY, NOBODY)
                function()
                status = 0
            except BaseException:  # noqa: BLE001 - the parent tells, whatever it is.
                traceback.print_exc()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "see stderr"

    return call
