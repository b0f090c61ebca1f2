import os

import pytest

from runx.rundir.runfiles import RunFiles, fingerprint


def test_what_is_not_there_is_nothing(tmp_path):
    look = RunFiles(str(tmp_path / "no"))
    assert (look.content("metrics.csv"), look.names("attempts"), look.stamps) == (None, [], {})


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path):
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        RunFiles(str(tmp_path)).content("metrics.csv")


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_file_is_read_whole(tmp_path, size):
    (tmp_path / "file").write_bytes(b"x" * size)
    assert RunFiles(str(tmp_path)).content("file") == b"x" * size


def test_a_file_without_a_size_is_read_whole():
    assert RunFiles("/proc/self").content("status").startswith(b"Name:")


def change(folder, how):
    if how == "added to":
        with open(folder / "file", "a") as file:
            file.write("more")
    elif how == "overwritten in its size":
        (folder / "file").write_text("SOME")
        os.utime(folder / "file", ns=(1, 1))
    elif how == "replaced":
        (folder / "new").write_text("some")
        (folder / "new").rename(folder / "file")
    elif how == "taken away":
        (folder / "file").unlink()
    elif how == "given a neighbour":
        (folder / "logx.json").write_text("{}")
    elif how == "given a deeper one":
        (folder / "inner" / "2.claim").touch()


@pytest.mark.parametrize(
    "how",
    [
        "added to",
        "overwritten in its size",
        "replaced",
        "taken away",
        "given a neighbour",
        "given a deeper one",
    ],
)
def test_every_change_shows_in_the_stamps(tmp_path, how):
    (tmp_path / "inner").mkdir()
    (tmp_path / "file").write_text("some")
    for path in (tmp_path / "file", tmp_path / "inner", tmp_path):
        os.utime(path, ns=(10**9, 10**9))
    look = RunFiles(str(tmp_path))
    look.content("file")
    look.content("missing")
    look.names("inner")
    assert fingerprint(look.path, look.stamps) == look.fingerprint
    before = os.stat(tmp_path / "file").st_ctime_ns
    while before == os.stat(tmp_path / "file").st_ctime_ns:
        os.chmod(tmp_path / "file", 0o600)
    look.content("file")
    change(tmp_path, how)
    assert fingerprint(look.path, look.stamps) != look.fingerprint
