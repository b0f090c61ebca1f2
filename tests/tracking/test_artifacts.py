import json
from pathlib import Path

import numpy as np
import pytest

from runx.errors import LogxError


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path / "run")
    return logx


def index(tmp_path):
    lines = (tmp_path / "run" / "artifacts" / "index.jsonl").read_text().splitlines()
    return [(entry["name"], entry["file"], entry["kind"]) for entry in map(json.loads, lines)]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "index.jsonl", ".", "a\0b"])
def test_a_name_that_leaves_the_folder_is_refused(logx, name):
    with pytest.raises(LogxError, match=r"can't be a name under artifacts|takes a path"):
        logx.artifact({}, name)


def test_a_file_that_is_not_there_is_named(logx):
    with pytest.raises(LogxError, match="confusion is not there"):
        logx.artifact("confusion")


def test_an_object_without_a_name_is_refused(logx):
    with pytest.raises(LogxError, match="needs a name="):
        logx.artifact({"a": 1})


def test_an_object_that_can_not_be_kept_is_named(logx, tmp_path):
    with pytest.raises(LogxError, match="a object can't be kept"):
        logx.artifact(object(), "thing")
    assert not (tmp_path / "run" / "artifacts").exists()


def test_a_full_disk_does_not_end_the_training(logx, tmp_path, capfd):
    (tmp_path / "run" / "artifacts").write_text("in the way")
    assert logx.artifact({"a": 1}, "thing") is None
    assert "artifact thing can't be written" in capfd.readouterr().err


def test_objects_are_kept_in_files_of_their_kind(logx, tmp_path):
    kept = logx.artifact({"a": [1, None]}, "numbers")
    assert json.loads(Path(kept).read_text()) == {"a": [1, None]}
    array = np.arange(6).reshape(2, 3)
    assert (np.load(logx.artifact(array, "val/confusion")) == array).all()
    assert Path(logx.artifact(b"\0\1", "raw")).read_bytes() == b"\0\1"
    assert index(tmp_path) == [
        ("numbers", "numbers.json", "json"),
        ("val/confusion", "val/confusion.npy", "array"),
        ("raw", "raw", "bytes"),
    ]


def test_tensors_are_kept_as_arrays(logx):
    torch = pytest.importorskip("torch")
    kept = logx.artifact(torch.ones(2, requires_grad=True), "weights")
    assert np.load(kept).tolist() == [1, 1]


def test_files_and_folders_are_copied(logx, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    kept = logx.artifact(tmp_path / "folder")
    logx.artifact(tmp_path / "folder")
    logx.artifact(str(tmp_path / "folder" / "a.txt"), "b.txt")
    (tmp_path / "folder" / "a.txt").write_text("changed")
    assert (Path(kept) / "a.txt").read_text() == "a"
    assert (tmp_path / "run" / "artifacts" / "b.txt").read_text() == "a"
    assert index(tmp_path)[-1] == ("b.txt", "b.txt", "file")


def test_figures_are_kept_as_pictures(logx):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    assert Path(logx.artifact(figure, "curve")).read_bytes()[1:4] == b"PNG"
