from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging import materialize
from runx.staging.materialize import method_for
from runx.staging.store import StagingMethod


@pytest.fixture
def no_reflinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialize, "make_reflink", lambda origin, sink: False)


def test_an_unknown_method_is_refused_with_the_nearest_name(tmp_path: Path):
    with pytest.raises(StagingError, match=r"CODE_STAGING: lnk: unknown; did you mean link\?"):
        method_for("lnk", tmp_path, tmp_path, as_root=False)
    with pytest.raises(StagingError, match="it is one of auto, link, copy, reflink, none"):
        method_for("yes", tmp_path, tmp_path, as_root=False)


@pytest.mark.usefixtures("no_reflinks")
def test_reflinks_that_cant_be_made_are_refused_when_asked_for(tmp_path: Path):
    with pytest.raises(StagingError, match="reflink: this file system has none; auto takes"):
        method_for("reflink", tmp_path / "store", tmp_path, as_root=False)


def test_a_place_that_cant_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StagingError, match=r"file.*: can't be written"):
        method_for("auto", tmp_path / "file" / "store", tmp_path, as_root=False)


@pytest.mark.usefixtures("no_reflinks")
def test_an_ordinary_user_gets_links(
    public: Path, as_ordinary_user: Callable[[Callable[[], None]], None]
):
    def check() -> None:
        for mode in ("auto", "link"):
            chosen = method_for(mode, public / "store", public / "runs", as_root=False)
            assert chosen == (StagingMethod.LINK, None)
        assert list((public / "runs").iterdir()) == []

    as_ordinary_user(check)


@pytest.mark.usefixtures("no_reflinks")
def test_runs_that_run_as_root_get_copies_and_a_message(tmp_path: Path):
    method, message = method_for("auto", tmp_path / "store", tmp_path, as_root=True)
    assert method is StagingMethod.COPY
    assert "each run gets a copy of the code: read-only files can be changed" in str(message)
    method, message = method_for("link", tmp_path / "store", tmp_path, as_root=True)
    assert method is StagingMethod.LINK
    assert "read-only files can be changed" in str(message)


@pytest.mark.usefixtures("no_reflinks")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes to read-only files")
def test_a_user_who_can_write_to_read_only_files_is_detected(tmp_path: Path):
    assert method_for("auto", tmp_path / "store", tmp_path, as_root=False)[0] is StagingMethod.COPY


@pytest.mark.usefixtures("no_reflinks")
def test_where_hard_links_cant_be_made_there_are_copies_and_a_message(
    public: Path,
    as_ordinary_user: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
):
    def refused(*given: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)

    def check() -> None:
        method, message = method_for("auto", public / "store", public / "runs", as_root=False)
        assert method is StagingMethod.COPY
        assert "hard links can't be made here" in str(message)

    as_ordinary_user(check)


def test_reflinks_are_preferred_where_they_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(materialize, "make_reflink", lambda origin, sink: True)
    for mode in ("auto", "reflink"):
        chosen = method_for(mode, tmp_path / "store", tmp_path / "runs", as_root=True)
        assert chosen == (StagingMethod.REFLINK, None)
    assert list((tmp_path / "runs").iterdir()) == []
    assert list((tmp_path / "store" / ".making").iterdir()) == []


def test_copy_and_none_are_taken_without_a_try(tmp_path: Path):
    assert method_for("copy", tmp_path / "store", tmp_path, as_root=False) == (
        StagingMethod.COPY,
        None,
    )
    assert method_for("none", tmp_path / "store", tmp_path, as_root=False)[0] is StagingMethod.NONE
