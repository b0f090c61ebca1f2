import pytest

from runx.analysis.measurements import measurements_of
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure, series, tally
from runx.readers.tensorboard import read
from runx.rundir.experiments import is_run
from runx.rundir.paths import ExperimentDir, RunDir
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


def written(folder, nth, rows, at):
    writer = tensorboardX.SummaryWriter(str(folder), filename_suffix=f".{nth}")
    for tag, value, step in rows:
        writer.add_scalar(tag, value, step, walltime=at + step)
    writer.close()


def content_of(folder):
    return measurements_of(RunDir(folder)).left.content("val")


def test_what_a_resumed_script_wrote_anew_counts_once(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("val/acc", step, step) for step in (0, 1, 90, 95)], at=100.0)
    written(folder, 2, [("val/acc", 2, 2)], at=500.0)
    content = content_of(folder)
    assert series(content, "acc") == [(0, 0), (1, 1), (2, 2)]
    assert tally(content, [Measure("m", "acc", "max")]).measured == {"m": 2}


def test_an_evaluation_afterwards_takes_nothing_away(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("acc", step, step) for step in (0, 1, 2)], at=100.0)
    written(folder, 2, [("final", 7, 0)], at=500.0)
    assert len(series(content_of(folder), "acc")) == 3


def test_tests_stand_for_validation_where_there_is_none(tmp_path):
    folder = tmp_path / "sweep" / "tb"
    written(folder, 1, [("test/acc", 3, 0), ("train/acc", 9, 0)], at=100.0)
    assert tally(content_of(folder)).metrics == {"acc": 3}
