from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging.freeze import freeze
from runx.staging.ignore import ignore_rules
from runx.staging.store import FreezeRules
from runx.staging.walk import Listing, largest, walk


def walked(root: Path, *ignore: str, exclude: tuple[Path, ...] = ()) -> Listing:
    return walk(root, ignore_rules(root, ignore, exclude, gitignore=False)[0])


def test_a_folder_that_cant_be_read_is_named_with_the_remedy(
    public: Path, as_ordinary_user: Callable[[Callable[[], None]], None]
):
    def refused() -> None:
        (public / "closed").mkdir(mode=0o000)
        with pytest.raises(StagingError, match=r"closed: can't be read; .* CODE_IGNORE_PATTERNS"):
            walked(public)
        assert not walked(public, "closed").files
        (public / "closed").rmdir()

    as_ordinary_user(refused)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        walked(tmp_path / "gone")


def test_sockets_and_pipes_are_left_out_with_a_warning(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(tmp_path, os.O_RDONLY)  # A socket's path has 107 bytes at most.
        listening.bind(f"/proc/self/fd/{here}/sock")
        os.close(here)
    listing = walked(tmp_path)
    assert not listing.files
    assert [warning.split("/")[-1] for warning in listing.warnings] == [
        "pipe: neither a file nor a folder; left out",
        "sock: neither a file nor a folder; left out",
    ]


def test_every_file_link_and_folder_is_listed(project: Path):
    (project / "empty" / "deep").mkdir(parents=True)
    (project / "link").symlink_to("train.py")
    (project / "loop").symlink_to(".")
    listing = walked(project)
    assert sorted(listing.files) == ["net/__init__.py", "tool.sh", "train.py"]
    assert listing.links == {"link": "train.py", "loop": "."}
    assert sorted(listing.folders) == ["empty", "empty/deep", "net"]
    assert listing.files["tool.sh"].stamp.mode & 0o111


def test_names_that_are_no_text_are_listed(tmp_path: Path):
    for name in (b"a b", b"new\nline", b"\xff\xfe", "ü".encode()):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_text("x")
    assert sorted(map(os.fsencode, walked(tmp_path).files)) == [
        b"a b", b"new\nline", "ü".encode(), b"\xff\xfe",
    ]  # fmt: skip


def test_logs_are_never_copied_wherever_they_lie(project: Path):
    logs = project / "logs"
    (logs / "sweep" / "wise-owl").mkdir(parents=True)
    (logs / "sweep" / "wise-owl" / "metrics.csv").write_text("x")
    listing = walked(project, exclude=(logs,))
    assert "logs" not in listing.folders
    assert not listing.left_out.patterns


def test_logs_behind_a_link_are_never_copied(project: Path):
    (project.parent / "scratch").mkdir()
    (project / "runs").symlink_to("../scratch")
    listing = walked(project, exclude=(project / "runs",))
    assert not listing.links


def test_logs_beside_the_code_are_recognised_by_their_entries(project: Path):
    (project / "sweep" / ".runx" / "code").mkdir(parents=True)
    (project / "sweep" / "wise-owl").mkdir()
    (project / "moved" / "attempts").mkdir(parents=True)
    for name in ("run.json", "run.sh"):
        (project / "moved" / name).write_text("")
    (project / ".runx").mkdir()
    assert sorted(walked(project, exclude=(project,)).folders) == ["net"]


def test_the_settings_file_is_copied_like_any_other(project: Path):
    (project / ".runx").write_text("LOGROOT: x\n")
    assert ".runx" in walked(project).files


def test_a_project_that_is_too_large_is_refused_before_anything_is_copied(
    project: Path, store: Path
):
    (project / "data").mkdir()
    for number in range(20):
        (project / "data" / f"{number}.bin").write_bytes(b"x" * 100_000)
    (project / "model.bin").write_bytes(b"x" * 700_000)
    with pytest.raises(StagingError) as refused:
        freeze(FreezeRules(project, max_size=1_000_000), store)
    assert str(refused.value).startswith(
        f"{project}: 2.7 MB of code, more than CODE_MAX_SIZE, 1.0 MB; "
        "the largest: data/ (2.0 MB), model.bin (0.7 MB), "
    )
    assert "CODE_LINKS" in str(refused.value) and "CODE_IGNORE_PATTERNS" in str(refused.value)
    assert [path.name for path in store.iterdir()] == [".making"]
    assert not list((store / ".making").iterdir())


def test_nothing_weighs_nothing():
    assert largest({}) == ()
    assert largest({"a/b": 0}) == (("a/", 0),)
