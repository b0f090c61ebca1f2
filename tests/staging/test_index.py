from __future__ import annotations

import time
from pathlib import Path

import pytest

from runx.staging.index import Index, clock, index_of, is_settled, read_index, write_index
from runx.staging.walk import Entry, Stamp

SECOND = 10**9
STAMP = Stamp(5, 0o644, 1, 7 * SECOND + 1, 7 * SECOND + 2)


@pytest.mark.parametrize("field", Stamp._fields)
def test_a_digest_holds_only_while_all_of_the_stamp_is_the_same(field: str):
    index = Index("tree", {"/a": [*STAMP, "c0ffee"]})
    assert index.digest(Entry("a", "/a", STAMP)) == "c0ffee"
    other = STAMP._replace(**{field: getattr(STAMP, field) + 1})
    assert index.digest(Entry("a", "/a", other)) is None
    assert index.digest(Entry("a", "/b", STAMP)) is None


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (STAMP, True),
        (STAMP._replace(ctime=10 * SECOND - 3), False),
        (STAMP._replace(mtime=11 * SECOND + 3), False),
        (STAMP._replace(mtime=7 * SECOND, ctime=7 * SECOND), True),
        (STAMP._replace(mtime=8 * SECOND, ctime=8 * SECOND), False),
    ],
)
def test_a_file_that_may_change_and_keep_its_stamp_is_left_out(stamp: Stamp, expected: bool):
    assert is_settled(stamp, since=10 * SECOND) is expected
    entry = Entry("a", "/a", stamp)
    assert ("/a" in index_of("tree", [(entry, "c0ffee")], 10 * SECOND).files) is expected


def test_what_was_written_reads_back(tmp_path: Path):
    index = Index("tree", {"/odd \udcff\n": [*STAMP, "c0ffee"], "/a": [*STAMP, "f00d"]})
    write_index(str(tmp_path), index)
    assert read_index(str(tmp_path)) == index
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]


def test_a_missing_index_is_empty(tmp_path: Path):
    assert read_index(str(tmp_path)) == Index()


def test_the_clock_is_never_ahead_of_this_machine(tmp_path: Path):
    assert clock(str(tmp_path)) <= time.time_ns()
    assert not list(tmp_path.iterdir())
