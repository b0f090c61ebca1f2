import pytest

from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure, series, tally
from runx.readers.tensorboard import as_rows
from runx.rundir.experiments import is_run
from runx.rundir.paths import ExperimentDir
from runx.rundir.tensorboard import event_files

tensorboardX = pytest.importorskip("tensorboardX")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "sweep" / "owl"
    writer = tensorboardX.SummaryWriter(str(folder))
    for step in range(3):
        writer.add_scalar("train/loss", 3 - step, step, walltime=100.0 + 10 * step)
        writer.add_scalar("val/acc", 0.1 * step, step, walltime=105.0 + 10 * step)
        writer.add_scalar("Accuracy/top1", step, step, walltime=105.0 + 10 * step)
    writer.close()
    return folder


def test_scalars_are_read_as_rows(run):
    found = tally(as_rows(run, "val", pytest.fail), [Measure("best", "acc", "max")])
    assert found.metrics == {"acc": 0.2, "Accuracy/top1": 2.0}
    assert (found.epoch, found.measured) == (2, {"best": 0.2})
    assert tally(as_rows(run, "train", pytest.fail), phase="train").metrics == {"loss": 1.0}


def test_a_directory_with_events_alone_is_a_run(run):
    assert is_run(run)
    [found] = read_experiment(
        ExperimentDir(run.parent), Reader((Measure("x", "loss", "max", "train"),))
    )
    assert (found.name, found.metrics["acc"], found.measured) == ("owl", 0.2, {"x": 3.0})


def test_a_torn_event_costs_itself_and_a_warning(run):
    [file] = event_files(run)
    content = file.read_bytes()
    for end in range(0, len(content), 7):
        file.write_bytes(content[:end])
        warnings = []
        as_rows(run, "val", warnings.append)
        assert len(warnings) <= 1
    file.write_bytes(content[:-3])
    assert tally(as_rows(run, "val", lambda told: None)).metrics["acc"] == 0.2


def test_a_run_with_metrics_is_not_read_twice(run):
    (run / "metrics.csv").write_text("val,acc,9,epoch,1\n")
    [found] = read_experiment(ExperimentDir(run.parent), Reader())
    assert found.metrics == {"acc": 9}


def written(folder, nth, rows, at):
    writer = tensorboardX.SummaryWriter(str(folder), filename_suffix=f".{nth}")
    for tag, value, step in rows:
        writer.add_scalar(tag, value, step, walltime=at + step)
    writer.close()


def test_what_a_resumed_script_wrote_anew_counts_once(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("val/acc", step, step) for step in (0, 1, 90, 95)], at=100.0)
    written(folder, 2, [("val/acc", 2, 2)], at=500.0)
    content = as_rows(folder, "val", print)
    assert series(content, "acc")[:2] == [(0, 0), (1, 1)]
    assert tally(content, [Measure("m", "acc", "max")]).measured == {"m": 2}


def test_an_evaluation_afterwards_takes_nothing_away(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("acc", step, step) for step in (0, 1, 2)], at=100.0)
    written(folder, 2, [("final", 7, 0)], at=500.0)
    assert len(series(as_rows(folder, "val", print), "acc")) == 3


def test_tests_stand_for_validation_where_there_is_none(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("test/acc", 3, 0), ("train/acc", 9, 0)], at=100.0)
    assert tally(as_rows(folder, "val", print)).metrics == {"acc": 3}
