from __future__ import annotations

import os
from pathlib import Path

from runx.staging.freeze import freeze
from runx.staging.materialize import set_modes, stage
from runx.staging.store import FreezeRules, StagingMethod


def test_files_become_executable_only_if_they_were_and_links_stay(tmp_path: Path):
    run = tmp_path / "run"
    (run / "folder").mkdir(parents=True)
    for name, mode in (("data", 0o600), ("tool", 0o700)):
        (run / name).write_text("x")
        (run / name).chmod(mode)
    (tmp_path / "outside").mkdir(mode=0o700)
    (run / "link").symlink_to(tmp_path / "outside")
    set_modes(run, 0o2775)
    assert modes(run, ".", "folder", "data", "tool") == [0o775, 0o775, 0o664, 0o775]
    assert (run / "folder").stat().st_mode & 0o2000
    assert modes(tmp_path, "outside") == [0o700]


def test_a_mode_takes_rights_away_too(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o666)
    set_modes(tmp_path, 0o750)
    assert modes(tmp_path, ".", "file") == [0o750, 0o640]


def test_a_runs_own_files_are_opened_and_frozen_ones_never_to_writing(
    project: Path, store: Path, tmp_path: Path
):
    (project / "private.txt").write_text("secret")
    (project / "private.txt").chmod(0o600)
    (project / "link").symlink_to("/etc/hostname")
    frozen = freeze(FreezeRules(project), store)
    before = {path: path.lstat().st_mode for path in frozen.dir.rglob("*")}
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    stage(frozen, run / "code", StagingMethod.LINK)
    (run / "run.sh").write_text("x")
    (run / "run.sh").chmod(0o700)
    set_modes(run, 0o777)
    assert {path: path.lstat().st_mode for path in frozen.dir.rglob("*")} == before
    assert modes(run, ".", "run.sh", "code", "code/net") == [0o777] * 4
    assert modes(run, "code/train.py", "code/private.txt", "code/tool.sh") == [0o444, 0o444, 0o555]
    assert (run / "code" / "train.py").samefile(frozen.dir / "train.py")
    assert not (run / "code" / "private.txt").samefile(frozen.dir / "private.txt")


def test_copies_are_opened_to_writing_too(project: Path, store: Path, tmp_path: Path):
    stage(freeze(FreezeRules(project), store), tmp_path / "code", StagingMethod.COPY)
    set_modes(tmp_path / "code", 0o777)
    assert modes(tmp_path, "code/train.py", "code/tool.sh") == [0o666, 0o777]


def modes(folder: Path, *names: str) -> list[int]:
    return [os.lstat(folder / name).st_mode & 0o777 for name in names]
