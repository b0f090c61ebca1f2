from dataclasses import replace

import pytest
from run_folders import make_run, write_metrics

from runx.analysis.question import TableOptions
from runx.analysis.read import Reader, read_experiment
from runx.api.tables import fields_of, remarks, selected, table
from runx.cli.tables import listing
from runx.errors import RunxError
from runx.export.plots import plot_runs
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def sweep(tmp_path):
    for lr in (0.1, 0.01):
        make_run(tmp_path / "sweep" / f"lr{lr}", {"lr": lr}, [1, 10 * lr])
        rows = [{"loss": 2}, {"loss": 1, "grad": 5}]
        write_metrics(tmp_path / "sweep" / f"lr{lr}", rows, phase="train", file="metrics.train.csv")
    return tmp_path


def asking(sweep, **more):
    options = TableOptions(experiments=(), logroot=sweep, cwd=sweep, **more)
    reader = Reader(options.question.measures, pytest.fail, at=options.question.at)
    return list(read_experiment(ExperimentDir(sweep / "sweep"), reader)), options


@pytest.mark.parametrize(
    ("more", "remark"),
    [
        ({"columns": ("train.los", "acc")}, "no run has train.los"),
        ({"columns": ("acc@9",)}, "no run has acc@9"),
        ({"at": "9"}, "--at 9: no run has metrics of that epoch"),
        ({"lower": ("ac",)}, "ac is no metric of any run: did you mean acc?"),
        ({"higher": ("loss",)}, "loss is no metric of any run: known are: acc"),
    ],
)
def test_what_no_run_has_is_said_where_the_table_would_be_silent(sweep, more, remark):
    assert list(remarks(*asking(sweep, **more))) == [remark]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"columns": ("train.loss", "acc:best", "lr"), "lower": ("acc",)},
        {"at": "1", "sortwith": ("train.loss",), "higher": ("loss",)},
    ],
)
def test_of_what_there_is_nothing_is_said(sweep, more):
    assert list(remarks(*asking(sweep, **more))) == []


@pytest.mark.parametrize("name", ["acc:bst", "acc@x", "acc:"])
def test_a_metric_asked_for_nowhere_is_answered_with_where_it_is_taken(sweep, name):
    with pytest.raises(RunxError, match=f"no run has {name}: acc is taken :best, :min"):
        table(*asking(sweep, columns=(name,)), people=True)


def test_the_metrics_of_training_are_listed_too(sweep):
    lines = [line.split() for line in listing(asking(sweep)[0]).splitlines()]
    assert ["train.loss", "measured", "int", "1", "metrics.train.csv"] in lines
    assert ["train.grad", "measured", "int", "5", "metrics.train.csv"] in lines
    assert ["acc", "metric", "float", "0.1", "metrics.csv"] in lines


def test_what_has_two_names_is_a_field_once_and_details_are_on_request(tmp_path):
    make_run(tmp_path / "sweep" / "owl", {"lr": 0.1}, [1])
    found = {field.name: field for field in fields_of(asking(tmp_path)[0])}
    assert {"run", "dir", "host", "id"} <= found.keys()
    assert found.keys().isdisjoint({"name", "logdir"})
    assert found["host"].what == "on request"
    make_run(tmp_path / "sweep" / "cat", {"name": "x"}, [1])
    runs, _ = asking(tmp_path)
    found = {field.name: field for field in fields_of(runs)}
    assert found["name"][:4] == ("name", "hparam", "str", "x")


def test_fields_name_the_file_of_metrics_of_tests_that_stand_for_validation(tmp_path):
    make_run(tmp_path / "sweep" / "owl", {"lr": 0.1}, [])
    (tmp_path / "sweep/owl/log.csv").write_text("epoch,test_acc\n1,0.5\n")
    runs, _ = asking(tmp_path)
    files = {field.name: field.file for field in fields_of(runs) if field.file}
    assert files["acc"] == files["test.acc"] == "log.csv"


@pytest.mark.parametrize(
    "more",
    [
        {"columns": ("acc", "gamma")},
        {"sortwith": ("acc",)},
        {"sortwith": ("gamma",), "columns": ("acc@1",)},
        {"over": ("gamma",)},
        {"by": ("gamma",), "columns": ("acc",)},
    ],
)
def test_what_only_runs_have_that_a_condition_leaves_out_is_a_name_all_the_same(tmp_path, more):
    make_run(tmp_path / "sweep" / "done", {"lr": 1, "gamma": 2}, [1, 2])
    make_run(tmp_path / "sweep" / "failed", {"lr": 1}, code=1)
    runs, options = asking(tmp_path, where="state == 'failed'", **more)
    assert len(table(runs, options, people=True).rows) == 1
    kept, options = selected(runs, options)
    assert [run.name for run in kept] == ["failed"]
    assert len(table(kept, options, people=True).rows) == 1
    with pytest.raises(RunxError, match="acx"):
        table(kept, replace(options, columns=("acx",)), people=True)


def test_a_picture_without_the_runs_that_have_its_metric_says_which_have_it(tmp_path):
    make_run(tmp_path / "sweep" / "done", {"lr": 1}, [1, 2])
    make_run(tmp_path / "sweep" / "failed", {"lr": 1}, code=1)
    runs, options = asking(tmp_path, where="state == 'failed'")
    kept, options = selected(runs, options)
    with pytest.raises(RunxError, match="lr vs acc: no run has numbers for both"):
        plot_runs("lr vs acc", kept, options)
    with pytest.raises(RunxError, match="--plot acc: only runs that --where leaves out have it"):
        plot_runs("acc", kept, options)
