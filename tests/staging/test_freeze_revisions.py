from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging.freeze import freeze
from runx.staging.store import FreezeRules


def test_an_unknown_revision_is_named(checkout: Path, store: Path):
    with pytest.raises(StagingError, match=r"CODE_FROM: git knows no revision v9: .*git log"):
        freeze(FreezeRules(checkout, source="v9"), store)
    with pytest.raises(StagingError, match="git knows no revision --all"):
        freeze(FreezeRules(checkout, source="--all"), store)


def test_without_a_checkout_there_are_no_revisions(project: Path, store: Path):
    with pytest.raises(StagingError, match="CODE_FROM: HEAD needs a git checkout; CODE_FROM: work"):
        freeze(FreezeRules(project, source="HEAD"), store)


def test_without_git_there_are_no_revisions(
    checkout: Path, store: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(StagingError, match="CODE_FROM: HEAD needs git; install it"):
        freeze(FreezeRules(checkout, source="HEAD"), store)


def test_a_folder_that_the_commit_lacks_is_named(
    checkout: Path, store: Path, git_in: Callable[..., str]
):
    (checkout / "later").mkdir()
    (checkout / "later" / "x.py").write_text("x")
    git_in(checkout, "add", "-A")
    git_in(checkout, "commit", "-q", "-m", "second")
    assert freeze(FreezeRules(checkout / "later", source="HEAD"), store).files == 1
    with pytest.raises(StagingError, match="CODE_FROM: there is nothing here in HEAD~1"):
        freeze(FreezeRules(checkout / "later", source="HEAD~1"), store)


def test_a_commit_is_frozen_as_it_was_committed(
    checkout: Path, store: Path, git_in: Callable[..., str]
):
    (checkout / "net" / "a\nb").symlink_to("../train.py")
    (checkout / "w.pth").write_text("x")
    git_in(checkout, "add", "-A")
    git_in(checkout, "commit", "-q", "-m", "second")
    commit = git_in(checkout, "rev-parse", "HEAD").strip()
    (checkout / "train.py").write_text("edited\n")
    (checkout / "new.py").write_text("new\n")
    frozen = freeze(FreezeRules(checkout, source="HEAD"), store)
    assert frozen.commit == commit
    assert sorted(file.path for file in frozen.manifest.files) == [
        "net/__init__.py",
        "tool.sh",
        "train.py",
    ]
    assert (frozen.dir / "train.py").read_text() == "import net\n"
    assert (frozen.dir / "net" / "a\nb").read_text() == "import net\n"
    assert (frozen.dir / "tool.sh").stat().st_mode & 0o100
    second = freeze(FreezeRules(checkout, source=commit[:10]), store)
    assert (second.dir, second.reused) == (frozen.dir, True)
    worktree = freeze(FreezeRules(checkout), store)
    assert (worktree.commit, worktree.digest == frozen.digest) == ("", False)


def test_a_folder_of_a_checkout_is_frozen_alone(checkout: Path, store: Path):
    frozen = freeze(FreezeRules(checkout / "net", source="main"), store)
    assert [file.path for file in frozen.manifest.files] == ["__init__.py"]


def test_links_and_files_come_from_the_project_itself(checkout: Path, store: Path):
    (checkout / "data").mkdir()
    (checkout / "my.gin").write_text("lr = 1\n")
    rules = FreezeRules(
        checkout, source="HEAD", links=("data",), files={"my.gin": checkout / "my.gin"}
    )
    frozen = freeze(rules, store)
    assert (frozen.dir / "data").readlink() == checkout / "data"
    assert (frozen.dir / "my.gin").read_text() == "lr = 1\n"


def test_submodules_are_left_out_and_named(
    checkout: Path, store: Path, git_in: Callable[..., str], tmp_path: Path
):
    module = tmp_path / "module"
    module.mkdir()
    git_in(module, "init", "-q")
    git_in(module, "commit", "-q", "--allow-empty", "-m", "x")
    git_in(checkout, "submodule", "add", "-q", str(module), "third_party/module")
    git_in(checkout, "commit", "-q", "-m", "second")
    for _ in range(2):
        frozen = freeze(FreezeRules(checkout, source="HEAD"), store)
        warning = "CODE_FROM: HEAD: submodules are left out: third_party/module"
        assert frozen.warnings == (warning,)


def test_neither_worktree_nor_index_is_touched(
    checkout: Path, store: Path, git_in: Callable[..., str]
):
    (checkout / "train.py").write_text("edited\n")
    before = (checkout / ".git" / "index").read_bytes()
    freeze(FreezeRules(checkout, source="HEAD"), store)
    assert (checkout / ".git" / "index").read_bytes() == before
    assert git_in(checkout, "status", "--porcelain").split() == ["M", "train.py"]
