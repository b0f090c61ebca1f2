from __future__ import annotations

from pathlib import Path

import pytest

from runx.staging.store import making, place_for


def test_what_fails_while_it_is_made_is_thrown_away(tmp_path: Path):
    (tmp_path / ".making").mkdir()
    with pytest.raises(ZeroDivisionError), making(str(tmp_path)) as folder:
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
