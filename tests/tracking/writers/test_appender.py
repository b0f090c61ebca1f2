import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runx.rundir.records import TORN
from runx.tracking.writers.appender import Appender

ROOT = Path(__file__).parents[2]


def test_a_full_disk_keeps_what_was_not_written(tmp_path):
    (tmp_path / "log").symlink_to("/dev/full")
    file = Appender(str(tmp_path / "log"))
    for count in (1, 2):
        with pytest.raises(OSError) as raised:
            file.append(b"a\n")
        assert raised.value.errno == errno.ENOSPC
        assert file.pending() == count


LIMIT = """
import resource, sys
from runx.tracking.writers.appender import Appender
file = Appender("log")
refused = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (25, resource.RLIM_INFINITY))
for number in range(10):
    if number == 7:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    try:
        file.append(b"row %d 890\\n" % number)
    except OSError:
        refused += 1
print(refused)
"""


def test_a_row_for_which_there_is_half_the_room_leaves_nothing_behind(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMIT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "5\n"
    assert (tmp_path / "log").read_text() == "".join(f"row {each} 890\n" for each in range(10))


def test_a_vanished_directory_keeps_what_was_not_written_until_it_is_back(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    file = Appender(str(folder / "log"))
    file.append(b"a\n")
    (folder / "log").unlink()
    folder.rmdir()
    for text in (b"b\n", b"c\n"):
        with pytest.raises(FileNotFoundError):
            file.append(text)
    folder.mkdir()
    file.append(b"d\n")
    assert (folder / "log").read_bytes() == b"b\nc\nd\n"
    assert file.pending() == 0


def test_a_directory_that_moved_is_still_written_to(tmp_path):
    (tmp_path / "run").mkdir()
    file = Appender(str(tmp_path / "run" / "log"))
    file.append(b"a\n")
    (tmp_path / "run").rename(tmp_path / "moved")
    file.append(b"b\n")
    assert (tmp_path / "moved" / "log").read_bytes() == b"a\nb\n"


def test_a_descriptor_that_somebody_closed_is_opened_again(tmp_path):
    file = Appender(str(tmp_path / "log"))
    file.append(b"a\n")
    os.close(file._descriptor)
    file.append(b"b\n")
    assert (tmp_path / "log").read_bytes() == b"a\nb\n"


def test_a_descriptor_that_is_another_files_by_now_is_left_alone(tmp_path):
    file = Appender(str(tmp_path / "log"))
    file.append(b"a\n")
    with (tmp_path / "other").open("wb") as other:
        os.dup2(other.fileno(), file._descriptor)
        file.append(b"b\n")
    assert (tmp_path / "log").read_bytes() == b"a\nb\n"
    assert (tmp_path / "other").read_bytes() == b""


def test_a_torn_end_is_ended_before_anything_is_appended(tmp_path):
    (tmp_path / "log").write_bytes(b"a\nb")
    Appender(str(tmp_path / "log"), torn=TORN).append(b"c\n")
    assert (tmp_path / "log").read_bytes() == b"a\nb,\nc\n"


def test_a_whole_end_is_left_as_it_is(tmp_path):
    (tmp_path / "log").write_bytes(b"a\n")
    Appender(str(tmp_path / "log"), head=b"head\n", torn=TORN).append(b"c\n")
    assert (tmp_path / "log").read_bytes() == b"a\nc\n"


def test_a_new_file_begins_with_its_head(tmp_path):
    Appender(str(tmp_path / "log"), head=b"head\n").append(b"a\n")
    assert (tmp_path / "log").read_bytes() == b"head\na\n"


def test_what_does_not_fit_into_memory_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("runx.tracking.writers.appender.MEMORY_LIMIT", 2)
    (tmp_path / "log").symlink_to("/dev/full")
    file = Appender(str(tmp_path / "log"))
    for _ in range(5):
        with pytest.raises(OSError):
            file.append(b"a\n")
    assert (file.pending(), file.dropped) == (2, 3)


def test_closing_says_what_can_not_be_written(tmp_path):
    (tmp_path / "log").symlink_to("/dev/full")
    file = Appender(str(tmp_path / "log"))
    with pytest.raises(OSError):
        file.append(b"a\n")
    with pytest.raises(OSError):
        file.close()
