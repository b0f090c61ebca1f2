import subprocess
import sys

import pytest
from run_folders import make_run, write_metrics

import runx
from runx.errors import RunxError


@pytest.fixture
def sweep(tmp_path):
    for lr in (0.1, 0.01):
        for seed in (0, 1):
            folder = tmp_path / "sweep" / f"lr{lr}-{seed}"
            make_run(folder, {"lr": lr, "seed": seed, "same": 1}, [1 + seed, 10 * lr + seed])
            write_metrics(
                folder, [{"loss": 2}, {"loss": 1}], phase="train", file="metrics.train.csv"
            )
    return runx.results("sweep", logroot=tmp_path)


def test_an_unknown_experiment_and_metric_are_answered_with_those_there_are(sweep, tmp_path):
    with pytest.raises(RunxError, match="there is: sweep"):
        runx.results("sweeep", logroot=tmp_path)
    with pytest.raises(RunxError, match="there is: acc"):
        sweep.best("accuracy")
    with pytest.raises(RunxError, match="did you mean lr"):
        list(sweep.where("lrr < 1"))


def test_runs_are_read_one_after_another(sweep):
    rows = iter(sweep)
    assert next(rows).name == "lr0.01-0"
    assert len(sweep) == 4


def test_runs_are_chosen_and_the_best_is_found(sweep):
    assert [run.name for run in sweep.where("lr < 0.1").where("seed == 1")] == ["lr0.01-1"]
    assert sweep.best("acc").name in ("lr0.1-1", "lr0.01-1")
    assert sweep.best("acc", lower=True).measured == {"acc-best": 0.1}


def test_a_frame_has_every_hyperparameter_and_state(sweep):
    pandas = pytest.importorskip("pandas")
    frame = sweep.frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == [
        *("name", "lr", "seed", "same", "acc", "epoch", "epoch_time", "state")
    ]
    assert set(frame["state"]) == {"done"}


def test_seeds_are_taken_together_in_a_frame(sweep):
    pytest.importorskip("pandas")
    frame = sweep.over("seed").frame()
    assert list(frame.columns) == ["lr", "acc:mean", "acc:std", "acc:n"]
    assert list(frame["acc:mean"]) == [1.5, pytest.approx(0.6)]


def test_a_history_is_one_long_table(sweep):
    pytest.importorskip("pandas")
    frame = sweep.where("lr == 0.1").history("train.loss")
    assert list(frame.columns) == ["name", "seed", "epoch", "loss"]
    assert list(frame["loss"]) == [2, 1, 2, 1]
    assert len(sweep.history("acc")) == 8


def test_files_that_runs_left_are_found(sweep, tmp_path):
    file = tmp_path / "sweep" / "lr0.1-0" / "best.pth"
    file.touch()
    assert sweep.artifact("best.pth") == {"lr0.1-0": file}


def test_a_notebook_shows_a_table(sweep):
    assert sweep._repr_html_().startswith("<table>")
    assert "56" not in repr(sweep)
    assert "±" in repr(sweep.over("seed"))


def test_a_training_script_imports_none_of_this():
    code = "import sys, runx; assert 'runx.api.results' not in sys.modules; runx.results"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="resultz"):
        runx.resultz


def test_polars_has_the_same_frame_where_it_is_asked_for(sweep):
    polars = pytest.importorskip("polars")
    frame = sweep.frame(polars=True)
    assert isinstance(frame, polars.DataFrame)
    assert frame.rows() == [tuple(row) for row in sweep.frame().itertuples(index=False)]
    history = sweep.history("train.loss", polars=True)
    assert history.columns == ["name", "lr", "seed", "epoch", "loss"]
    assert history["loss"].to_list() == [2.0, 1.0] * 4


def test_polars_takes_what_runs_have_of_several_kinds(sweep, tmp_path):
    pytest.importorskip("polars")
    make_run(tmp_path / "sweep" / "odd", {"lr": [1, 2], "seed": "x", "more": {"a": 1}}, [])
    assert len(sweep.frame(polars=True)) == 5


def test_a_hyperparameter_called_like_the_metric_has_a_column_of_its_own(tmp_path):
    pytest.importorskip("pandas")
    for value in (1, 2):
        make_run(tmp_path / "sweep" / str(value), {"acc": value, "epoch": value}, [9, 8])
    history = runx.results("sweep", logroot=tmp_path).history("acc")
    assert list(history.columns) == ["name", "hparams.acc", "hparams.epoch", "epoch", "acc"]


def test_a_course_that_no_run_has_is_answered_with_those_there_are(sweep):
    with pytest.raises(RunxError, match="no run has a course of ac; there is: acc"):
        sweep.history("ac")


def test_all_that_sumx_answers_is_answered(sweep, tmp_path):
    assert [run.name for run in sweep.sorted("acc", lower=False).top(2)] == ["lr0.01-1", "lr0.1-1"]
    assert len(sweep.lower("acc").sorted("acc").top(1).written("csv").splitlines()) == 2
    assert sweep.higher("acc").columns("seed").ignore("lr").written("csv").startswith("run,seed")
    assert "same" in sweep.all_hparams().written("csv")
    assert sorted(row["metrics"]["acc"] for row in sweep.at(0).json()) == [1, 1, 2, 2]
    assert sweep.best_per("seed").written("csv").count("\n") == 2
    assert "lr" in sweep.importance("acc").written("csv")
    assert sweep.pivot("lr", "seed", "acc").written("csv").count("\n") == 2
    assert "acc" in sweep.compare("lr=0.1", "lr=0.01").written("csv")
    assert {"lr", "acc", "train.loss"} <= {row.name for row in sweep.fields()}
    assert sweep.diff("lr0.1-0", "lr0.1-1")[:2] == ["- lr0.1-0", "+ lr0.1-1"]
    assert "acc" in sweep.plot("acc")
    assert sweep.where("lr > 0.01").page(tmp_path / "page.html") == 2
    assert "<html" in (tmp_path / "page.html").read_text()


def test_what_is_not_there_is_answered_with_what_is(sweep):
    with pytest.raises(RunxError, match="no such format; did you mean latex"):
        sweep.written("latx")
    with pytest.raises(RunxError, match="is no run here"):
        sweep.diff("owl", "lr0.1-0")
    with pytest.raises(RunxError, match="no run is like that"):
        sweep.where("lr > 9").plot("acc")
    assert list(sweep.launch("last")) == []
