import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True)
    return logx


def events(folder):
    """Read all event files with tensorboardX's own classes."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(Path(folder).glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[length + 16 :]
    return found


def scalars(folder):
    return [
        (value.tag, event.step, round(value.simple_value, 4))
        for event in events(folder)
        for value in event.summary.value
    ]


def accumulated(folder):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    return read


def test_metrics_carry_the_phase_as_the_script_says_it(logx, tmp_path):
    logx.metric("train", {"loss": 0.5, "acc": 0.25}, 1)
    logx.metric("validation", {"acc": 0.5}, 2)
    logx.close()
    assert scalars(tmp_path) == [
        ("train/loss", 1, 0.5),
        ("train/acc", 1, 0.25),
        ("validation/acc", 2, 0.5),
    ]


def test_a_scalar_goes_to_tensorboard_alone(logx, tmp_path):
    logx.add_scalar("lr", np.float32(0.5), 7)
    logx.close()
    assert scalars(tmp_path) == [("lr", 7, 0.5)]
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 1


def test_while_flushing_is_suspended_nothing_is_written(logx, tmp_path):
    with logx.suspend_flush():
        with logx.suspend_flush():
            logx.add_scalar("a", 1, 1)
        assert scalars(tmp_path) == []
    assert scalars(tmp_path) == [("a", 1, 1.0)]


def test_at_the_end_of_suspension_writing_may_be_left_for_later(logx, tmp_path):
    with logx.suspend_flush(flush_at_end=False):
        logx.add_scalar("a", 1, 1)
    logx.flush()
    assert scalars(tmp_path) == [("a", 1, 1.0)]


def test_everything_of_a_summary_writer_goes_into_the_same_file(logx, tmp_path):
    pytest.importorskip("PIL")
    logx.metric("val", {"acc": 1}, 1)
    logx.add_image("picture", np.zeros((3, 4, 4), "uint8"), 1)
    logx.add_text("note", "hello", 1)
    logx.add_histogram("weights", np.arange(10), 1)
    logx.tensorboard.add_scalar("more", 2.0, 3)
    logx.close()
    assert len(list(tmp_path.glob("events*"))) == 1
    tags = {value.tag for event in events(tmp_path) for value in event.summary.value}
    assert tags >= {"val/acc", "picture", "note/text_summary", "weights", "more"}


def test_hyperparameters_are_shown_with_what_they_led_to(logx, tmp_path):
    logx.add_hparams({"lr": 0.1, "name": "adam"}, {"acc": np.float64(0.5)})
    logx.close()
    tags = {value.tag for event in events(tmp_path) for value in event.summary.value}
    assert tags >= {"_hparams_/experiment", "_hparams_/session_start_info", "acc"}
    assert len(list(tmp_path.glob("**/events*"))) == 1


def test_tensorboards_own_reader_reads_what_was_written(logx, tmp_path):
    for epoch in range(300):
        logx.metric("val", {"acc": epoch / 300, "big": 10**50, "nan": math.nan}, epoch)
    logx.add_text("note", "hello", 1)
    logx.close()
    read = accumulated(tmp_path)
    assert [event.step for event in read.Scalars("val/acc")] == list(range(300))
    assert read.Scalars("val/acc")[150].value == 0.5
    assert read.Scalars("val/big")[0].value == math.inf
    assert math.isnan(read.Scalars("val/nan")[0].value)
    assert "note/text_summary" in read.Tags()["tensors"]


def test_two_attempts_follow_each_other(logx, tmp_path):
    logx.metric("val", {"acc": 0}, 0)
    logx.initialize(tmp_path, tensorboard=True)
    logx.metric("val", {"acc": 1}, 1)
    logx.close()
    assert scalars(tmp_path) == [("val/acc", 0, 0.0), ("val/acc", 1, 1.0)]


FORKING = """
import multiprocessing, os
from runx.logx import logx

def work(number):
    logx.metric("val", {"acc": number}, number)

if __name__ == "__main__":
    logx.initialize("run", tensorboard=True)
    with logx.suspend_flush():
        logx.metric("val", {"acc": 0}, 0)
        workers = [
            multiprocessing.get_context("fork").Process(target=work, args=(number,))
            for number in range(1, 5)
        ]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
"""

SPAWNING = """
import multiprocessing
from runx.logx import logx

def work(logger, number):
    logger.metric("val", {"acc": number}, number)

if __name__ == "__main__":
    logx.initialize("run", tensorboard=True)
    logx.metric("val", {"acc": 0}, 0)
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(logx, 1))
    worker.start()
    worker.join()
    assert worker.exitcode == 0
"""

RAISING = """
from runx.logx import logx
logx.initialize("run", tensorboard=True)
logx.metric("val", {"acc": 0}, 0)
raise HOW
"""


def script(code, folder):
    (folder / "script.py").write_text(code)
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_forked_workers_write_once_and_lose_nothing(tmp_path):
    done = script(FORKING, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(step for _, step, _ in scalars(tmp_path / "run")) == [0, 1, 2, 3, 4]


def test_a_logger_that_is_given_to_a_spawned_worker_logs_to_the_same_run(tmp_path):
    done = script(SPAWNING, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(step for _, step, _ in scalars(tmp_path / "run")) == [0, 1]
    assert (tmp_path / "run" / "metrics.csv").read_text().count("start/step") == 1


@pytest.mark.parametrize("how", ["ValueError('no')", "SystemExit(3)", "KeyboardInterrupt"])
def test_leaving_in_any_way_writes_everything(tmp_path, how):
    assert script(RAISING.replace("HOW", how), tmp_path).returncode != 0
    assert scalars(tmp_path / "run") == [("val/acc", 0, 0.0)]


def test_a_vanished_directory_is_told_once_and_events_are_written_when_it_is_back(
    logx, tmp_path, capfd
):
    logx.metric("val", {"acc": 0}, 0)
    logx.flush()
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.rmdir()
    for epoch in (1, 2):
        logx.metric("val", {"acc": 1}, epoch)
        logx.flush()
    told = capfd.readouterr().err
    assert told.count("TensorBoard can't be written") == 1
    assert told.count("metrics.csv can't be written") == 1
    tmp_path.mkdir()
    logx.metric("val", {"acc": 1}, 3)
    logx.close()
    assert [step for _, step, _ in scalars(tmp_path)] == [1, 2, 3]
    assert "TensorBoard is written again" in capfd.readouterr().err
    assert "acc,1,epoch,1" in (tmp_path / "metrics.csv").read_text()


def test_a_package_that_is_missing_for_pictures_does_not_end_the_training(
    logx, tmp_path, capfd, monkeypatch
):
    monkeypatch.setitem(sys.modules, "PIL", None)
    logx.add_image("picture", np.zeros((3, 4, 4), "uint8"), 1)
    assert "add_image can't be written: " in (told := capfd.readouterr().err)
    assert "pip install pillow" in told
