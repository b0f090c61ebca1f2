from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runx.staging.ignore import ignore_rules
from runx.staging.walk import Listing, walk


def walked(root: Path, *ignore: str, gitignore: bool = True) -> tuple[Listing, str | None]:
    rules, warning = ignore_rules(root, ignore, (root / "runs", Path("/elsewhere")), gitignore)
    return walk(root, rules), warning


@pytest.fixture
def files(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    for name in ("a.py", "a.pyc", "data/x", "sub/data/x", "sub/a.py", "Test.py", "w.pth"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.pyc", ["Test.py", "a.py", "data/x", "sub/a.py", "sub/data/x"]),
        ("data", ["Test.py", "a.py", "a.pyc", "sub/a.py"]),
        ("data/", ["Test.py", "a.py", "a.pyc", "sub/a.py"]),
        ("sub/data", ["Test.py", "a.py", "a.pyc", "data/x", "sub/a.py"]),
        ("./sub/*.py", ["Test.py", "a.py", "a.pyc", "data/x", "sub/data/x"]),
        ("/data", ["Test.py", "a.py", "a.pyc", "sub/a.py", "sub/data/x"]),
        ("test*", ["Test.py", "a.py", "a.pyc", "data/x", "sub/a.py", "sub/data/x"]),
        ("[aT]*.py", ["a.pyc", "data/x", "sub/data/x"]),
        ("", ["Test.py", "a.py", "a.pyc", "data/x", "sub/a.py", "sub/data/x"]),
    ],
)
def test_patterns_mean_names_and_with_a_slash_paths(files: Path, pattern: str, left: list[str]):
    assert sorted(walked(files, pattern)[0].files) == left


def test_what_is_left_out_is_listed_by_pattern(files: Path):
    listing, _ = walked(files, "*.pyc", "data")
    assert listing.left_out.patterns == {
        "*.pth": ("w.pth",),
        "*.pyc": ("a.pyc",),
        "data": ("data/", "sub/data/"),
    }


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "conda-meta/history"])
def test_virtual_environments_always_stay_out(project: Path, marker: str):
    (project / "my-env" / "lib").mkdir(parents=True)
    (project / "my-env" / marker).parent.mkdir(exist_ok=True)
    (project / "my-env" / marker).write_text("x")
    listing, _ = walked(project)
    assert sorted(listing.folders) == ["net"]
    assert listing.left_out.patterns == {"virtual environment": ("my-env/",)}


def test_what_git_ignores_stays_out_and_is_named(checkout: Path):
    (checkout / ".gitignore").write_text("data/\n*.so\n")
    (checkout / "data").mkdir()
    (checkout / "data" / "x").write_text("x")
    (checkout / "net" / "fast.so").write_text("x")
    listing, warning = walked(checkout)
    assert sorted(listing.files) == [".gitignore", "net/__init__.py", "tool.sh", "train.py"]
    assert listing.left_out.gitignored == ("data/", "net/fast.so")
    assert warning is None
    assert "data/x" in walked(checkout, gitignore=False)[0].files


def test_what_is_tracked_is_copied_although_git_would_ignore_it(
    checkout: Path, git_in: Callable[..., str]
):
    (checkout / ".gitignore").write_text("*.so\n")
    (checkout / "kept.so").write_text("x")
    git_in(checkout, "add", "-f", "kept.so")
    assert "kept.so" in walked(checkout)[0].files


def test_a_checkout_in_the_checkout_has_its_own_ignored_files(
    checkout: Path, git_in: Callable[..., str]
):
    inner = checkout / "third_party" / "lib"
    inner.mkdir(parents=True)
    git_in(inner, "init", "-q")
    (inner / ".gitignore").write_text("built\n")
    for name in ("built", "lib.py"):
        (inner / name).write_text("x")
    listing, _ = walked(checkout)
    assert listing.left_out.gitignored == ("third_party/lib/built",)
    assert "third_party/lib/lib.py" in listing.files
    assert not any(".git/" in name for name in listing.files)


def test_a_project_that_git_ignores_as_a_whole_is_copied_with_a_warning(checkout: Path):
    (checkout / ".gitignore").write_text("mine/\n")
    (checkout / "mine").mkdir()
    (checkout / "mine" / "train.py").write_text("x")
    listing, warning = walked(checkout / "mine")
    assert list(listing.files) == ["train.py"]
    assert "git ignores the project itself" in str(warning)


def test_where_git_is_missing_all_is_copied_with_a_warning(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(checkout))
    listing, warning = walked(checkout)
    assert "train.py" in listing.files
    assert "there is no git here" in str(warning)
