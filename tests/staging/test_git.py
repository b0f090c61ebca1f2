from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging import git
from runx.staging.git import changes, commit, git_state


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    sh(root, "git init -q -b main")
    (root / "train.py").write_text("lr = 1\n")
    (root / ".gitignore").write_text("*.so\nout/\n")
    sh(root, "git add -A; git commit -q -m first")
    return root


def sh(root: Path, script: str) -> str:
    identity = {
        f"GIT_{role}_{key}": "a@b" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")
    }
    words = ["bash", "-ec", script]
    return subprocess.check_output(words, cwd=root, env={**os.environ, **identity}, text=True)


def test_a_folder_that_is_no_checkout_has_no_state(tmp_path: Path):
    assert git.git_state(tmp_path) is None
    assert git.git_problem(tmp_path) is None
    assert git.diff(tmp_path) == ""


def test_without_git_there_is_no_state_but_a_warning(repo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(repo))
    assert git.git_state(repo) is None
    assert "there is no git here" in str(git.git_problem(repo))
    with pytest.raises(StagingError, match="there is no git here; install it"):
        git.ignored(repo)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another's checkout")
def test_a_checkout_of_someone_else_has_no_state_but_a_remedy(
    repo: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (repo, repo / ".git"):
        os.chown(path, 65534, 65534)
    assert git.git_state(repo) is None
    assert f"git config --global --add safe.directory {repo}" in str(git.git_problem(repo))


def test_a_damaged_checkout_says_what_git_says(repo: Path):
    (repo / ".git" / "HEAD").write_text("nonsense")
    assert git.git_state(repo) is None
    assert "the state of git is not recorded: " in str(git.git_problem(repo))


def test_the_state_names_commit_branch_and_remote(repo: Path):
    sh(repo, "git remote add origin https://me:secret@example.org/code.git")
    commit = sh(repo, "git rev-parse HEAD").strip()
    assert git.git_state(repo) == git.GitState(
        commit, "main", False, "https://example.org/code.git"
    )
    assert git.git_problem(repo) is None


def test_a_detached_checkout_has_no_branch(repo: Path):
    sh(repo, "git checkout -q --detach")
    state = git.git_state(repo)
    assert state and state.branch == ""


def test_the_remote_is_the_branchs_own(repo: Path):
    sh(repo, "git remote add origin git@example.org:o.git; git remote add up git@example.org:u.git")
    sh(repo, "git config branch.main.remote up")
    state = git.git_state(repo)
    assert state and state.remote == "git@example.org:u.git"


@pytest.mark.parametrize(
    "change",
    ["echo 2 >> train.py", "echo new > new.py", "rm train.py", "chmod +x train.py",
     "echo 2 >> train.py; git add train.py"],
)  # fmt: skip
def test_what_differs_from_the_commit_is_dirty_and_can_be_applied_to_it(
    repo: Path, tmp_path: Path, change: str
):
    sh(repo, change)
    state = git.git_state(repo)
    assert state and state.dirty
    assert applied(repo, tmp_path) == content(repo)


def test_a_patch_holds_binary_and_oddly_named_new_files(repo: Path, tmp_path: Path):
    (repo / "sub dir").mkdir()
    for name in ("new\nline", "ümläut", "sub dir/a b", ":(top)x", "-dash"):
        (repo / name).write_bytes(os.urandom(300) + b"\0")
    (repo / "link").symlink_to("nowhere")
    assert applied(repo, tmp_path) == content(repo)


def test_what_git_ignores_and_what_is_excluded_is_neither_dirty_nor_in_the_patch(repo: Path):
    (repo / "a.so").write_text("built")
    (repo / "my runs").mkdir()
    (repo / "my runs" / "log").write_text("hello")
    state = git.git_state(repo, [repo / "my runs", Path("/elsewhere")])
    assert state and not state.dirty
    assert git.diff(repo, [repo / "my runs", Path("/elsewhere")]) == ""


def test_a_patch_of_a_folder_has_that_folder_alone(repo: Path):
    (repo / "part").mkdir()
    (repo / "part" / "new.py").write_text("x = 1\n")
    (repo / "other.py").write_text("y = 1\n")
    patch = git.diff(repo / "part")
    assert "part/new.py" in patch
    assert "other.py" not in patch


def test_a_patch_names_what_is_too_large_for_it(repo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(git, "UNTRACKED_LIMIT", 10)
    (repo / "large").write_text("x" * 11)
    (repo / "small").write_text("x" * 10)
    patch = git.diff(repo)
    assert patch.startswith("Left out, too large: large\ndiff ")
    assert "b/small" in patch
    assert "b/large" not in patch


def test_asking_changes_neither_index_nor_objects(repo: Path):
    (repo / "new.py").write_text("new\n")
    (repo / "train.py").write_text("lr = 2\n")
    before = snapshot(repo / ".git")
    git.git_state(repo)
    git.diff(repo)
    git.ignored(repo)
    assert snapshot(repo / ".git") == before


def test_a_checkout_without_a_commit_is_all_new(tmp_path: Path):
    sh(tmp_path, "git init -q -b main; echo hello > new.py")
    assert git.git_state(tmp_path) == git.GitState("", "main", True, "")
    assert "+hello" in git.diff(tmp_path)


def test_a_linked_worktree_is_a_checkout(repo: Path, tmp_path: Path):
    sh(repo, f"git worktree add -q {tmp_path}/beside -b beside")
    (tmp_path / "beside" / "train.py").write_text("lr = 3\n")
    state = git.git_state(tmp_path / "beside")
    assert state and state.branch == "beside" and state.dirty
    assert "+lr = 3" in git.diff(tmp_path / "beside")


def test_variables_that_point_git_elsewhere_are_ignored(
    repo: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    state = git.git_state(repo)
    assert state and not state.dirty


def test_ignored_files_and_folders_are_named(repo: Path):
    (repo / "out" / "deep").mkdir(parents=True)
    (repo / "out" / "deep" / "log").write_text("")
    (repo / "pkg").mkdir()
    (repo / "pkg" / "new\nline.so").write_text("")
    (repo / "pkg" / "code.py").write_text("")
    assert sorted(git.ignored(repo)) == ["out/", "pkg/new\nline.so"]


def applied(repo: Path, tmp_path: Path) -> dict[str, object]:
    """Apply the patch to a new clone of the commit, and return the files of that."""
    clone = tmp_path / "clone"
    sh(repo, f"git clone -q . {clone}")
    (tmp_path / "patch").write_bytes(git.diff(repo).encode("utf-8", "surrogateescape"))
    sh(clone, f"git apply {tmp_path}/patch")
    return content(clone)


def content(root: Path) -> dict[str, object]:
    entries: dict[str, object] = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            entries[str(path.relative_to(root))] = path.readlink()
        elif path.is_file() and ".git" not in path.parts:
            entries[str(path.relative_to(root))] = path.read_bytes(), path.stat().st_mode & 0o100
    return entries


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_changes_are_committed_with_what_was_staged_and_nothing_from_elsewhere(checkout, git_in):
    git_in(checkout, "config", "user.name", "me")
    git_in(checkout, "config", "user.email", "me@example.org")
    (checkout / "other").mkdir()
    (checkout / "other" / "a.py").write_text("1\n")
    git_in(checkout, "add", "other/a.py")  # Staged, outside of what is asked about.
    root = checkout / "net"
    (root / "new.py").write_text("1\n")
    git_in(root, "rm", "-q", "__init__.py")
    (root / "logs").mkdir()
    (root / "logs" / "metrics.csv").write_text("1\n")
    exclude = (root / "logs",)
    assert changes(root, exclude) == ["D  __init__.py", "?? new.py"]
    commit(root, exclude, "line one\n\n# line three")
    assert changes(root, exclude) == []
    assert git_in(checkout, "status", "--porcelain").splitlines() == [
        "A  other/a.py",
        "?? net/logs/",
    ]
    assert git_in(checkout, "log", "-1", "--format=%B").strip() == "line one\n\n# line three"


def test_a_first_commit_may_be_made_of_changes(project, git_in):
    git_in(project, "init", "-q")
    git_in(project, "config", "user.name", "me")
    git_in(project, "config", "user.email", "me@example.org")
    commit(project, (), "first")
    state = git_state(project)
    assert state is not None
    assert (len(state.commit), state.dirty) == (40, False)


def test_a_commit_that_git_refuses_leaves_nothing_staged(checkout, git_in):
    (checkout / "new.py").write_text("1\n")
    (checkout / "train.py").unlink()
    hook = checkout / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = git_in(checkout, "status", "--porcelain")
    with pytest.raises(StagingError, match="git commit failed"):
        commit(checkout, (), "second")
    assert git_in(checkout, "status", "--porcelain") == before
