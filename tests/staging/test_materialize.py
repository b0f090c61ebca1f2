from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging import materialize
from runx.staging.freeze import freeze
from runx.staging.materialize import stage
from runx.staging.store import FreezeRules, FrozenCode, StagingMethod

METHODS = [StagingMethod.LINK, StagingMethod.COPY, StagingMethod.REFLINK]


@pytest.fixture
def frozen(project: Path, store: Path) -> FrozenCode:
    (project / "empty").mkdir()
    (project / "link").symlink_to("train.py")
    return freeze(FreezeRules(project), store)


@pytest.mark.parametrize("method", [*METHODS, StagingMethod.NONE])
def test_a_place_that_is_taken_is_refused(
    frozen: FrozenCode, tmp_path: Path, method: StagingMethod
):
    (tmp_path / "code").mkdir()
    with pytest.raises(StagingError, match="code: already there"):
        stage(frozen, tmp_path / "code", method)


@pytest.mark.parametrize("method", METHODS)
def test_frozen_code_that_is_gone_says_how_to_go_on(
    frozen: FrozenCode, tmp_path: Path, method: StagingMethod
):
    shutil.rmtree(frozen.dir)
    with pytest.raises(StagingError, match="frozen code is gone or incomplete; launch again"):
        stage(frozen, tmp_path / "code", method)


@pytest.mark.parametrize("method", METHODS)
def test_a_full_disk_is_one_clear_line(
    frozen: FrozenCode, tmp_path: Path, method: StagingMethod, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "train.py")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(materialize, "copy_file", full)
    with pytest.raises(StagingError, match=r"train\.py: the run's code can't be put there: No sp"):
        stage(frozen, tmp_path / "code", method)


@pytest.mark.parametrize("method", METHODS)
def test_a_runs_new_files_are_its_own(frozen: FrozenCode, tmp_path: Path, method: StagingMethod):
    for name in ("a", "b"):
        stage(frozen, tmp_path / name, method)
    for folder in ("", "net", "empty"):
        (tmp_path / "a" / folder / "new").write_text("x")
        assert not (tmp_path / "b" / folder / "new").exists()
        assert not (frozen.dir / folder / "new").exists()
    (tmp_path / "a" / "train.py").unlink()
    (tmp_path / "a" / "link").unlink()
    assert (tmp_path / "b" / "link").read_text() == "import net\n"


@pytest.mark.parametrize("method", [StagingMethod.COPY, StagingMethod.REFLINK])
def test_a_copy_may_be_written_to_and_nobody_else_sees_it(
    frozen: FrozenCode, tmp_path: Path, method: StagingMethod
):
    for name in ("a", "b"):
        stage(frozen, tmp_path / name, method)
    assert (tmp_path / "a" / "train.py").stat().st_mode & 0o200
    (tmp_path / "a" / "train.py").write_text("changed")
    assert (tmp_path / "b" / "train.py").read_text() == "import net\n"
    assert (frozen.dir / "train.py").read_text() == "import net\n"


def test_linked_files_share_the_disk_and_refuse_to_be_changed(
    public: Path, as_ordinary_user: Callable[[Callable[[], None]], None]
):
    def refused() -> None:
        (public / "project").mkdir()
        (public / "project" / "train.py").write_text("import net\n")
        frozen = freeze(FreezeRules(public / "project"), public / "store")
        for name in ("a", "b"):
            stage(frozen, public / name, StagingMethod.LINK)
        assert (public / "a" / "train.py").samefile(public / "b" / "train.py")
        for mode in ("w", "a", "r+"):
            with pytest.raises(PermissionError):
                (public / "a" / "train.py").open(mode)
        # What replaces a file by renaming over it changes this run's alone.
        (public / "a" / "beside").write_text("changed")
        (public / "a" / "beside").replace(public / "a" / "train.py")
        assert (public / "b" / "train.py").read_text() == "import net\n"
        shutil.rmtree(public / "a")

    as_ordinary_user(refused)


@pytest.mark.parametrize("number", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_where_a_link_cant_be_made_there_is_a_copy(
    frozen: FrozenCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    def refused(source: str, target: str) -> None:
        raise OSError(number, os.strerror(number), source, None, target)

    monkeypatch.setattr(os, "link", refused)
    stage(frozen, tmp_path / "code", StagingMethod.LINK)
    assert (tmp_path / "code" / "tool.sh").stat().st_nlink == 1
    assert (tmp_path / "code" / "tool.sh").stat().st_mode & 0o300 == 0o300


def test_a_real_other_device_gets_copies(frozen: FrozenCode, tmp_path: Path):
    elsewhere = Path("/dev/shm")
    if not os.access(elsewhere, os.W_OK) or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other device here")
    into = elsewhere / f"runx-test-{os.getpid()}"
    try:
        stage(frozen, into, StagingMethod.LINK)
        assert (into / "train.py").read_text() == "import net\n"
    finally:
        shutil.rmtree(into)


def test_with_none_a_run_has_the_project_itself(project: Path, store: Path, tmp_path: Path):
    stage(freeze(FreezeRules(project, mode="none"), store), tmp_path / "code", StagingMethod.NONE)
    (project / "train.py").write_text("edited")
    assert (tmp_path / "code" / "train.py").read_text() == "edited"


def test_an_empty_project_is_an_empty_folder(tmp_path: Path, store: Path):
    (tmp_path / "nothing").mkdir()
    stage(freeze(FreezeRules(tmp_path / "nothing"), store), tmp_path / "code", StagingMethod.LINK)
    assert list((tmp_path / "code").iterdir()) == []
