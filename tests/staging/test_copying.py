from __future__ import annotations

import os
from pathlib import Path

import pytest

from runx.staging.copying import CHUNK, copy_file, freeze_file, make_reflink, read_steadily
from runx.staging.walk import stamp_of


def test_a_file_that_is_gone_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        freeze_file(str(tmp_path / "gone"), str(tmp_path / "copy"))
    assert not list(tmp_path.iterdir())


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic links"):
        read_steadily(str(tmp_path / "link"))


def test_nothing_is_ever_written_over(tmp_path: Path):
    (tmp_path / "source").write_text("new")
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileExistsError):
        freeze_file(str(tmp_path / "source"), str(tmp_path / "target"))
    with pytest.raises(FileExistsError):
        copy_file(str(tmp_path / "source"), str(tmp_path / "target"), 0o644)
    assert (tmp_path / "target").read_text() == "old"


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_every_byte_arrives(tmp_path: Path, size: int):
    source, frozen, copy = (tmp_path / name for name in ("source", "frozen", "copy"))
    source.write_bytes(os.urandom(size))
    os.utime(source, ns=(1, 2_000_000_100))
    stamp, digest, status = freeze_file(str(source), str(frozen))
    assert stamp == stamp_of(source.stat())
    assert (stamp, digest) == read_steadily(str(source))
    assert read_steadily(str(frozen))[1] == digest
    assert status.st_mtime_ns == 2_000_000_100
    copy_file(str(frozen), str(copy), 0o750, clone=True)
    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o750
    assert copy.stat().st_mtime_ns == 2_000_000_100


def test_a_reflink_across_devices_is_not_made(tmp_path: Path):
    (tmp_path / "source").write_text("x" * 4096)
    with (tmp_path / "source").open("rb") as source, open("/dev/null", "wb") as sink:
        assert not make_reflink(source.fileno(), sink.fileno())
