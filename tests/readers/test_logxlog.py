import pytest
from run_folders import make_run, write_metrics

from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.readers.logxlog import read, recognise
from runx.rundir.paths import ExperimentDir


def test_what_logx_wrote_to_a_folder_of_the_scripts_own_counts(tmp_path):
    folder = make_run(tmp_path / "owl", {"lr": 1})
    (folder / "mylogs").mkdir()
    write_metrics(folder / "mylogs", [{"acc": 8}, {"acc": 9}])
    write_metrics(folder / "mylogs", [{"loss": 3}], phase="train", file="metrics.train.csv")
    measure = Measure("t", "loss", "max", "train")
    [run] = read_experiment(ExperimentDir(tmp_path), Reader((measure,), pytest.fail))
    assert (run.metrics, run.epoch, run.measured) == ({"acc": 9}, 1, {"t": 3})
    assert run.sources["acc"] == "mylogs/metrics.csv"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.csv", "epoch,acc\n1,2\n"),
        ("metrics.csv", ""),
        ("metrics.csv", "start\n"),
        ("log.csv", "val,acc,1,epoch,2\n"),
    ],
)
def test_other_files_are_not_logxs(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not recognise(str(tmp_path / name))


def test_a_torn_row_costs_itself_and_a_warning(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("start,start/step,0\nval,acc,1,epoch,0\nval,acc,2,ep")
    warnings = []
    assert [row.values for row in read(str(file), warnings.append)] == [{"acc": 1}]
    assert warnings == [f"{file}, line 3: left out: torn: it ends without a newline"]
