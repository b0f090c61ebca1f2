from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import StoreError
from runx.staging.store import (
    FrozenFile,
    Manifest,
    digest_of,
    new_folder,
    place_for,
    read_manifest,
    write_manifest,
)

FILE = ("train.py", 0o644, "c0ffee")


@pytest.mark.parametrize("text", ["", "{}", '{"files": [[1]], "links": [], "folders": []}'])
def test_a_manifest_that_cant_be_read_is_an_error(tmp_path: Path, text: str):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        read_manifest(str(tmp_path))


def test_the_digest_does_not_depend_on_the_order():
    other = ("a.py", 0o755, "f00d")
    assert digest_of([FILE, other], [], []) == digest_of([other, FILE], [], [])


def test_the_digest_depends_on_all_there_is():
    digests = {
        digest_of([FILE], [], []),
        digest_of([("train.py", 0o755, "c0ffee")], [], []),
        digest_of([("train.py", 0o644, "f00d")], [], []),
        digest_of([("main.py", 0o644, "c0ffee")], [], []),
        digest_of([FILE], [("a", "b")], []),
        digest_of([FILE], [("a", "c")], []),
        digest_of([FILE], [], [("a", 0o755)]),
        digest_of([FILE], [], [("a", 0o700)]),
    }
    assert len(digests) == 8


@given(
    st.lists(st.binary(min_size=1).map(lambda name: name.decode("utf-8", "surrogateescape"))),
    st.integers(0, 0o777),
)
def test_what_was_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], mode: int
):
    folder = str(tmp_path_factory.mktemp("manifest"))
    manifest = Manifest(
        tuple(FrozenFile(name, mode, "c0ffee", 1, 2, mode & ~0o222) for name in names),
        tuple((name, name) for name in names),
        tuple((name, mode) for name in names),
    )
    write_manifest(folder, manifest)
    assert read_manifest(folder) == manifest


def test_what_fails_while_it_is_made_is_thrown_away(tmp_path: Path):
    (tmp_path / ".making").mkdir()
    with pytest.raises(ZeroDivisionError), new_folder(str(tmp_path)) as folder:
        Path(folder, "tree").mkdir()
        Path(folder, "tree", "x").write_text("x")
        1 / 0
    assert not list((tmp_path / ".making").iterdir())


def test_a_folder_without_a_manifest_is_no_frozen_tree(tmp_path: Path):
    (tmp_path / "c0ffee").mkdir()
    place = place_for(str(tmp_path), "c0ffee")
    assert (place.folder, place.manifest) == (f"{tmp_path}/c0ffee.2", None)
    assert "manifest.json" in place.warnings[0]


def test_a_digest_that_is_not_there_yet_has_a_place(tmp_path: Path):
    assert place_for(str(tmp_path), "c0ffee") == (f"{tmp_path}/c0ffee", None, ())
