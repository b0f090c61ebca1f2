import pytest

from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.readers.tensorboard import read
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


def rows_in(folder, warn=pytest.fail):
    return [row for file in event_files(folder) for row in read(str(file), warn)]


def test_scalars_are_read_as_rows_by_phase_and_step(run):
    rows = {(row.phase, row.epoch): (row.values, row.time) for row in rows_in(run)}
    assert rows["val", 2] == ({"acc": 0.2}, 120.0)
    assert rows["train", 2] == ({"loss": 1.0}, 120.0)
    assert rows["", 2][0] == {"Accuracy/top1": 2.0}


def test_a_directory_with_events_alone_is_a_run(run):
    assert is_run(run)
    [found] = read_experiment(
        ExperimentDir(run.parent), Reader((Measure("x", "loss", "max", "train"),))
    )
    assert (found.name, found.metrics, found.epoch) == ("owl", {"acc": 0.2, "Accuracy/top1": 2}, 2)
    assert found.measured == {"x": 3.0}


def test_a_torn_event_costs_itself_and_a_warning(run):
    [file] = event_files(run)
    content = file.read_bytes()
    for end in range(0, len(content), 7):
        file.write_bytes(content[:end])
        warnings = []
        rows_in(run, warnings.append)
        assert len(warnings) <= 1
    file.write_bytes(content[:-3])
    assert {"acc": 0.2} in [row.values for row in rows_in(run, lambda line: None)]


def test_a_run_with_metrics_is_not_read_twice(run):
    (run / "metrics.csv").write_text("val,acc,9,epoch,1\n")
    [found] = read_experiment(ExperimentDir(run.parent), Reader())
    assert found.metrics == {"acc": 9}
