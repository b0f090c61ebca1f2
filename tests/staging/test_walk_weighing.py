from __future__ import annotations

from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging.freeze import freeze
from runx.staging.store import Rules
from runx.staging.walk import largest


def test_a_project_that_is_too_large_is_refused_before_anything_is_copied(
    project: Path, store: Path
):
    (project / "data").mkdir()
    for number in range(20):
        (project / "data" / f"{number}.bin").write_bytes(b"x" * 100_000)
    (project / "model.bin").write_bytes(b"x" * 700_000)
    with pytest.raises(StagingError) as refused:
        freeze(Rules(project, max_size=1_000_000), store)
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
