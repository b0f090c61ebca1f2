"""Fixtures: projects to freeze, as plain folders and as git checkouts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: a script, a package, and an executable tool."""
    root = tmp_path / "project"
    (root / "net").mkdir(parents=True)
    (root / "train.py").write_text("import net\n")
    (root / "net" / "__init__.py").write_text("width = 3\n")
    (root / "tool.sh").write_text("#!/bin/sh\necho hello\n")
    (root / "tool.sh").chmod(0o755)
    return root


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The path of an experiment's store of frozen code."""
    return tmp_path / "logs" / "sweep" / ".runx" / "code"


@pytest.fixture
def git_in() -> Callable[..., str]:
    """A function that runs git in a folder, without the settings of this user."""

    def git(folder: Path, *arguments: str) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "someone"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "someone@example.org"),
            **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull),
        }
        options = ("-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")
        command = ("git", *options, *arguments)
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
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
