import fcntl
import os
import threading
from pathlib import Path

import pytest

from runx.locks import (
    acquire,
    acquire_open,
    alone,
    hold,
    is_held,
    lock_range,
    locked_ranges,
    may_be_held,
    release,
)
from runx.processes import start_command


def test_what_is_not_there_is_held_by_nobody_we_know_of(tmp_path: Path):
    assert is_held(tmp_path / "lock") is None
    assert is_held(tmp_path / "no" / "lock") is None
    assert not may_be_held(tmp_path / "lock")


def test_a_file_system_without_locks_tells_nothing(tmp_path: Path, monkeypatch):
    def refused(descriptor, operation):
        raise OSError(37, "No locks available")

    (tmp_path / "lock").touch()
    monkeypatch.setattr(fcntl, "flock", refused)
    assert is_held(tmp_path / "lock") is None
    assert may_be_held(tmp_path / "lock")
    open_files = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No locks"):
        acquire(tmp_path / "lock")
    assert len(os.listdir("/proc/self/fd")) == open_files


def test_a_lock_that_others_hold_is_not_acquired_and_its_file_is_closed(tmp_path: Path):
    lock = acquire(tmp_path / "lock")
    assert lock is not None
    open_files = len(os.listdir("/proc/self/fd"))
    assert acquire(tmp_path / "lock") is None
    assert acquire_open(os.open(tmp_path / "lock", os.O_RDONLY)) is None
    assert len(os.listdir("/proc/self/fd")) == open_files
    assert is_held(tmp_path / "lock") is True
    os.close(lock)
    assert is_held(tmp_path / "lock") is False


def test_patience_waits_for_a_lock_that_falls(tmp_path: Path):
    lock = acquire(tmp_path / "lock")
    assert lock is not None
    letting_go = threading.Timer(0.1, os.close, [lock])
    letting_go.start()
    later = acquire(tmp_path / "lock", patience=30)
    letting_go.join()
    assert later is not None
    os.close(later)


def test_what_inherits_a_lock_holds_it_after_its_holder(tmp_path: Path):
    with hold(tmp_path / "lock") as lock:
        process = start_command(["sleep", "60"], pass_fds=[lock])
    assert is_held(tmp_path / "lock") is True
    process.kill()
    process.wait()
    assert is_held(tmp_path / "lock") is False


def test_ranges_of_a_file_are_locked_by_who_has_it_open(tmp_path):
    files = [os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    mine, other, looks = files
    assert lock_range(mine, range(4, 6))
    assert lock_range(other, range(8, 9), shared=True)
    assert lock_range(looks, range(8, 9), shared=True)
    assert not lock_range(other, range(5))
    for start in range(100, 5100, 2):  # More than Python would recurse.
        assert lock_range(other, range(start, start + 1))
    found = sorted(locked_ranges(looks, range(5, 200)), key=lambda part: part.start)
    assert found[:2] == [range(5, 6), range(8, 9)]
    assert sum(map(len, locked_ranges(looks, range(5, 9000)))) == 2 + 2500
    assert locked_ranges(looks, range(0)) == locked_ranges(looks, range(10, 90)) == []
    release(mine)
    assert locked_ranges(looks, range(8)) == []
    os.close(other)
    os.close(looks)


def test_who_is_alone_with_a_file_keeps_the_ranges_that_it_has_locked(tmp_path):
    mine, other = (os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT) for _ in range(2))
    with alone(mine, 0.0) as first, alone(other, 0.02) as second:
        assert (first, second) == (True, False)
        lock_range(mine, range(3))
    with alone(other, 0.0) as second:
        assert second
    assert locked_ranges(other, range(9)) == [range(3)]
    release(mine)
    os.close(other)
