import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from runx.errors import LogxError
from runx.logx import LogX


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path / "run", system=False)
    return logx


def test_what_was_kept_is_loaded_as_it_was(logx, tmp_path):
    array = np.arange(6.0).reshape(2, 3)
    logx.artifact(array, "val/confusion")
    assert (logx.load_artifact("val/confusion") == array).all()
    assert (logx.load_artifact("val/confusion.npy") == array).all()
    logx.artifact({"a": [1, None, "é\udcff"]}, "numbers")
    assert logx.load_artifact("numbers") == {"a": [1, None, "é\udcff"]}
    logx.artifact(b"\0\1", "raw")
    assert logx.load_artifact("raw") == b"\0\1"
    logx.artifact("one\r\ntwo", "words", kind="text")
    assert logx.load_artifact("words") == "one\r\ntwo"
    logx.artifact("# Notes", "notes.md", kind="text")
    assert (tmp_path / "run/artifacts/notes.md").read_text() == "# Notes"
    (tmp_path / "a.bin").write_bytes(b"1")
    logx.artifact(tmp_path / "a.bin")
    assert Path(logx.load_artifact("a.bin")).read_bytes() == b"1"


def test_tables_are_csv_or_parquet(logx, tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"epoch": [1, 2], "acc": [0.5, 0.75]})
    for name in ("table", "table.csv"):
        logx.artifact(table, name)
        assert logx.load_artifact(name).equals(table)
    logx.artifact([{"epoch": 1, "acc": 0.5}, {"epoch": 2, "acc": 0.75}], "rows", kind="table")
    assert logx.load_artifact("rows").equals(table)
    if any(map(__import__("importlib").util.find_spec, ("pyarrow", "fastparquet"))):
        logx.artifact(table, "table.parquet")
        assert logx.load_artifact("table.parquet").equals(table)


def test_tensors_in_containers_are_kept_by_torch_and_loaded_as_weights_alone(logx, tmp_path):
    torch = pytest.importorskip("torch")
    state = {"weights": [torch.ones(2)], "epoch": 3}
    assert logx.artifact(state, "state").endswith("state.pt")
    found = logx.load_artifact("state")
    assert found["weights"][0].tolist() == [1, 1]
    assert found["epoch"] == 3
    assert logx.artifact(torch.ones(2), "one.pth", kind="torch").endswith("one.pth")
    assert torch.equal(logx.load_artifact("one.pth"), torch.ones(2))
    with pytest.raises(LogxError, match=r"give the state_dict\(\) of a Linear"):
        logx.artifact(torch.nn.Linear(1, 1), "model", kind="torch")
    logx.artifact({"evil": Path("x")}, "evil", kind="torch")
    with pytest.raises(LogxError, match="can't be read"):
        logx.load_artifact("evil")


def test_pickles_are_written_and_read_only_when_asked_for(logx, tmp_path):
    with pytest.raises(LogxError, match=r'can\'t be kept: .*kind="pickle" keeps any object'):
        logx.artifact({1, 2}, "set")
    logx.artifact({1, 2}, "set", kind="pickle")
    with pytest.raises(LogxError, match='load_artifact\\("set", kind="pickle"\\)'):
        logx.load_artifact("set")
    assert logx.load_artifact("set", kind="pickle") == {1, 2}
    # A file that says it is an array is not read as a pickle.
    logx.artifact(np.ones(2), "array")
    (tmp_path / "run/artifacts/array.npy").write_bytes(pickle.dumps({1}))
    with pytest.raises(LogxError, match=r"array\.npy: can't be read"):
        logx.load_artifact("array")
    with pytest.raises(LogxError, match="is of kind array, not pickle"):
        logx.load_artifact("array", kind="pickle")


def test_a_kind_of_ones_own_has_a_name(logx, tmp_path):
    logx.register_kind(
        "mesh",
        lambda mesh, path: path.write_text(" ".join(map(str, mesh))),
        lambda path: tuple(map(int, path.read_text().split())),
        suffix=".mesh",
    )
    assert logx.artifact((1, 2, 3), "dragon", kind="mesh").endswith("dragon.mesh")
    assert logx.load_artifact("dragon") == (1, 2, 3)
    assert logx.load_artifact("dragon", kind="mesh") == (1, 2, 3)
    other = LogX()
    with pytest.raises(LogxError, match=r"kind mesh is not known; .*register_kind\(\) adds one"):
        other.load_artifact("dragon", run=tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pickle", print, print), "pickle can't be the name of another kind"),
        (("a b", print, print), "a b can't be the name"),
        (("mesh", None, print), r"takes the functions save\(thing, path\)"),
        (("mesh", print, print, "obj"), r"suffix=obj; write it as \.obj"),
    ],
)
def test_a_kind_that_can_not_be_one_is_refused(logx, arguments, message):
    with pytest.raises(LogxError, match=message):
        logx.register_kind(*arguments)


def test_what_is_not_there_gets_a_suggestion(logx):
    with pytest.raises(LogxError, match="no artifact vocab; none is known"):
        logx.load_artifact("vocab")
    logx.artifact({}, "vocabulary")
    with pytest.raises(LogxError, match=r"no artifact vocab; did you mean vocabulary\?"):
        logx.load_artifact("vocab")
    with pytest.raises(LogxError, match=r"kind picle is not known; did you mean pickle\?"):
        logx.artifact({}, "x", kind="picle")
    with pytest.raises(LogxError, match="can't be a name"):
        logx.load_artifact("../x")


def test_a_damaged_index_costs_its_lines_alone_and_leads_nowhere_else(logx, tmp_path):
    logx.artifact({"a": 1}, "good")
    with (tmp_path / "run/artifacts/index.jsonl").open("a") as file:
        file.write(json.dumps({"name": "bad", "file": "../../x", "kind": "json"}) + '\n[1]\n{"na')
    assert logx.load_artifact("good") == {"a": 1}
    with pytest.raises(LogxError, match="can't be a name under artifacts"):
        logx.load_artifact("bad")
    logx.artifact({"a": 2}, "good")
    assert logx.load_artifact("good") == {"a": 2}


def test_an_artifact_never_takes_the_place_of_the_folder_of_others(logx):
    logx.artifact({"a": 1}, "val/one")
    with pytest.raises(LogxError, match="val is the folder of val/one"):
        logx.artifact(b"x", "val")
    assert logx.load_artifact("val/one") == {"a": 1}


def test_what_a_kind_can_not_write_is_a_warning(logx, capfd):
    logx.register_kind("mesh", lambda thing, path: 1 / 0, str)
    assert logx.artifact((1,), "dragon", kind="mesh") is None
    assert logx.artifact([object()], "objects", kind="array") is None
    assert "artifact dragon can't be written: division by zero" in capfd.readouterr().err
    with pytest.raises(LogxError, match="no artifact dragon"):
        logx.load_artifact("dragon")


def test_pictures_have_the_format_of_their_name(logx):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    assert Path(logx.artifact(figure, "curve.svg")).read_text().startswith("<?xml")
    assert Path(logx.artifact(figure, "curve.v2")).name == "curve.v2.png"
    assert logx.load_artifact("curve.v2").endswith("curve.v2.png")


def test_a_long_text_that_is_no_path_is_named(logx):
    with pytest.raises(LogxError, match='text is kept with kind="text"'):
        logx.artifact("x" * 5000, "text")
