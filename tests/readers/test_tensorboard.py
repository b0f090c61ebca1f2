import pytest

from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure, tally
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
