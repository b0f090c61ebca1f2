"""Runs of other tools as RunRecords: from the index too, mixed, and without a trace beside them."""

import os
import shutil
import time

import pytest
from run_folders import make_run, originals_run
from tool_samples import SAMPLES

import runx
from runx.analysis import found
from runx.errors import RunxError
from runx.readers.tools import dir_readers

MANY = 80


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def many(tool, top, pattern):
    """Copy the runs of a sample so often that an index is made of them; all are old."""
    runs = [run for run in sorted((SAMPLES / tool).glob(pattern)) if not is_deleted(run)]
    for number in range(MANY):
        run = runs[number % 3]
        inside = run.parent.relative_to(SAMPLES / tool) / f"{run.name}-{number}"
        shutil.copytree(run, top / inside)
    if tool == "mlflow":
        shutil.copy(run.parent / "meta.yaml", (top / inside).parent)
    return top


def is_deleted(run):
    meta = run / "meta.yaml"
    return meta.exists() and "lifecycle_stage: deleted" in meta.read_text()


def age(top):
    """Make what is read seem to be written long ago: an index takes what is settled alone."""
    later = time.time() + 60
    return lambda: later


SOURCES = {
    "mlflow": "mlruns/[1-9]*/*[0-9a-f]",
    "hydra": "multirun/*/*/*[0-9]",
    "wandb": "wandb/offline-run-*",
    "mlxp": "logs/*",
    "lightning": "lightning_logs/*",
}


@pytest.mark.parametrize("tool", SOURCES)
def test_runs_are_kept_in_the_users_cache_and_nothing_is_written_beside_them(
    tool, tmp_path, cache, monkeypatch
):
    top = many(tool, tmp_path / tool, SOURCES[tool])
    before = {path: path.stat().st_mtime_ns for path in [top, *top.rglob("*")]}
    monkeypatch.setattr("runx.analysis.index.time.time", age(top))
    first = list(runx.results(top))
    assert {path: path.stat().st_mtime_ns for path in [top, *top.rglob("*")]} == before
    assert [path.suffix for path in cache.rglob("*") if path.is_file()] == [".json"]
    monkeypatch.setattr(found, "_found", lambda *_: pytest.fail("it was read again"))
    assert list(runx.results(top)) == first
    assert len(first) == MANY


def test_a_run_that_has_changed_is_read_again(tmp_path, monkeypatch):
    top = many("mlxp", tmp_path / "mlxp", "logs/*")
    monkeypatch.setattr("runx.analysis.index.time.time", age(top))
    assert {run.metrics["accuracy"] for run in runx.results(top)} == {0.8, 0.71, 0.701}
    [file] = top.glob("logs/1-0/metrics/val.json")
    with file.open("a") as lines:
        lines.write('{"accuracy": 0.9, "epoch": 3}\n')
    assert runx.results(top).best("accuracy").metrics == {"accuracy": 0.9}
    assert runx.results(top).sorted("accuracy").best("accuracy").epoch == 3


def test_several_tools_make_one_table(tmp_path):
    make_run(tmp_path / "sweep" / "owl", {"lr": 0.5}, [0.75])
    table = runx.results(tmp_path / "sweep", SAMPLES / "mlflow", SAMPLES / "wandb")
    frame = table.frame()
    assert frame.columns[0] == "tool"
    assert sorted(set(frame["tool"])) == ["mlflow", "runx", "wandb"]
    assert len(table.where("tool == 'wandb' and lr < 0.1")) == 2
    assert "tool" not in runx.results(SAMPLES / "mlflow").frame().columns
    assert (
        list(runx.results(SAMPLES / "mlflow").columns("tool", "lr").frame()["tool"])
        == ["mlflow"] * 3
    )
    assert list(table.over("lr").frame().columns)


def test_a_project_with_several_tools_is_searched(tmp_path, monkeypatch):
    make_run(tmp_path / "runs" / "sweep" / "owl", {"lr": 0.5}, [0.75])
    for tool in ("mlflow", "hydra", "keras"):
        shutil.copytree(SAMPLES / tool, tmp_path / "project" / tool)
    (tmp_path / "endless").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    tools = [run.tool for run in runx.results(".")]
    assert {tool: tools.count(tool) for tool in tools} == {
        "runx": 1,
        "mlflow": 3,
        "hydra": 4,
        "files": 3,
    }


def test_the_search_is_bounded_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("runx.analysis.places.MOST", 30)
    for number in range(50):
        (tmp_path / f"{number:03}" / "inner").mkdir(parents=True)
    with pytest.raises(RunxError, match="no runs here"):
        runx.results(tmp_path)
    assert "looked into 30 folders and no more" in capsys.readouterr().err
    deep = tmp_path.joinpath(*["d"] * 40)
    shutil.copytree(SAMPLES / "mlflow", deep)
    with pytest.raises(RunxError, match="no runs here"):
        runx.results(tmp_path / "d")
    assert len(runx.results(deep)) == 3


def test_details_are_those_that_a_tool_keeps(tmp_path):
    run = (
        runx.results(SAMPLES / "sacred")
        .columns("started", "elapsed", "attempt", "id")
        .best("accuracy")
    )
    assert set(run.details) == {"started", "elapsed"}
    assert run.started < run.ended
    assert runx.results(SAMPLES / "hydra").columns("started").best("accuracy").details == {}


def test_a_run_is_told_from_sacreds_and_from_lightnings_by_content(tmp_path):
    """Both have files that are called as ours."""
    assert {run.tool for run in runx.results(SAMPLES / "sacred")} == {"sacred"}
    assert {run.tool for run in runx.results(SAMPLES / "lightning")} == {"lightning"}
    # NVIDIA's runx wrote hparams.json and metrics.csv: the same as ours.
    originals_run(tmp_path / "sweep" / "owl", {"lr": 1}, [{"acc": 0.5}])
    [run] = runx.results(tmp_path / "sweep")
    assert (run.tool, run.state, run.metrics) == ("runx", "unknown", {"acc": 0.5})


def test_the_page_holds_the_courses_of_any_tool(tmp_path):
    count = runx.results(SAMPLES / "mlxp", SAMPLES / "sacred").page(tmp_path / "page.html")
    assert count == 6
    assert '"accuracy"' in (tmp_path / "page.html").read_text()


def test_a_folder_that_may_not_be_read_costs_itself(tmp_path, as_ordinary_user, public, capfd):
    shutil.copytree(SAMPLES / "mlflow", public / "mlflow")
    os.system(f"chmod -R a+rX {public}")
    parts = public.glob("mlflow/mlruns/[1-9]*/*/params")
    [one, *_] = [part for part in parts if not is_deleted(part.parent)]
    one.chmod(0)

    def read():
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = str(public)
        os.chdir(public)
        runs = list(runx.results(public / "mlflow", logroot=public))
        assert sorted(len(run.hparams) for run in runs) == [0, 2, 2]

    as_ordinary_user(read)
    assert f"{one}: can't be read: Permission denied" in capfd.readouterr().err
    one.chmod(0o755)


def test_every_reader_names_its_marks():
    assert all(reader.marks for reader in dir_readers())
    assert [reader.is_vague for reader in dir_readers()].count(True) == 1
