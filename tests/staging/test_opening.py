from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging import Method, Rules, freeze, open_to, stage
from runx.staging.opening import change_of


@pytest.mark.parametrize("text", ["", "777", "a+q", "a", "rwx", "a+rwX,"])
def test_a_change_that_cant_be_read_shows_how_to_write_it(tmp_path: Path, text: str):
    with pytest.raises(StagingError, match=r"DIR_MODE: .* can't be read; write it like a\+rwX"):
        open_to(tmp_path, text)


@pytest.mark.parametrize("text", ["a+rwX", "g+rX,o=", "u=rwx,go=rX", "a-w", "o+w", "ug+x,o-r"])
@pytest.mark.parametrize("mode", [0o640, 0o750, 0o444, 0o700])
def test_a_change_means_what_it_means_to_chmod(tmp_path: Path, text: str, mode: int):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(mode)
    subprocess.run(["chmod", text, str(tmp_path / "file")], check=True)
    assert change_of(text)(mode, False) == (tmp_path / "file").stat().st_mode & 0o777


def test_a_runs_own_files_are_opened_and_frozen_ones_never_to_writing(
    project: Path, store: Path, tmp_path: Path
):
    (project / "private.txt").write_text("secret")
    (project / "private.txt").chmod(0o600)
    (project / "link").symlink_to("/etc/hostname")
    frozen = freeze(Rules(project), store)
    before = {path: path.lstat().st_mode for path in frozen.dir.rglob("*")}
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    stage(frozen, run / "code", Method.LINK)
    (run / "run.sh").write_text("x")
    (run / "run.sh").chmod(0o700)
    open_to(run, "a+rwX")
    assert {path: path.lstat().st_mode for path in frozen.dir.rglob("*")} == before
    assert modes(run, ".", "run.sh", "code", "code/net") == [0o777] * 4
    assert modes(run, "code/train.py", "code/private.txt", "code/tool.sh") == [0o444, 0o444, 0o555]
    assert (run / "code" / "train.py").samefile(frozen.dir / "train.py")
    assert not (run / "code" / "private.txt").samefile(frozen.dir / "private.txt")


def test_copies_are_opened_to_writing_too(project: Path, store: Path, tmp_path: Path):
    stage(freeze(Rules(project), store), tmp_path / "code", Method.COPY)
    open_to(tmp_path / "code", "a+rwX")
    assert modes(tmp_path, "code/train.py", "code/tool.sh") == [0o666, 0o777]


def modes(folder: Path, *names: str) -> list[int]:
    return [os.lstat(folder / name).st_mode & 0o777 for name in names]
