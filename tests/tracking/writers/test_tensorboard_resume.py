import math
import sys
import time

import numpy as np
import pytest

from runx.errors import LogxError

torch = pytest.importorskip("torch")


def steps(folder, tag="val/acc"):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    read = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    read.Reload()
    return [event.step for event in read.Scalars(tag)] if tag in read.Tags()["scalars"] else []


def train(logx, folder, epochs, every=1, iterations=0, metric_first=True):
    """Train as scripts do, from the epoch that restore() gives."""
    logx.initialize(folder, tensorboard=True)
    start = logx.restore()
    for epoch in range(start, epochs):
        for iteration in range(iterations):
            logx.add_scalar("train/loss", 1, epoch * iterations + iteration)
        if metric_first:
            logx.metric("val", {"acc": epoch}, epoch)
        if epoch % every == 0:
            logx.save_model({"state_dict": {}}, None, epoch)
        if not metric_first:
            logx.metric("val", {"acc": epoch}, epoch)
    logx.close()
    return start


@pytest.mark.parametrize("metric_first", [True, False])
def test_what_a_resumed_run_writes_again_stands_once(logx, tmp_path, metric_first):
    train(logx, tmp_path, 5, every=3, metric_first=metric_first)
    assert steps(tmp_path) == [0, 1, 2, 3, 4]
    assert train(logx, tmp_path, 8, every=3, metric_first=metric_first) == 4
    assert steps(tmp_path) == list(range(8))
    assert train(logx, tmp_path, 9, every=3, metric_first=metric_first) == 7
    assert steps(tmp_path) == list(range(9))


def test_iterations_from_before_a_checkpoint_are_not_forgotten(logx, tmp_path):
    train(logx, tmp_path, 5, every=3, iterations=10)
    train(logx, tmp_path, 7, every=3, iterations=10)
    assert steps(tmp_path, "train/loss") == list(range(70))


def test_a_run_that_begins_anew_is_shown_anew(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True)
    for epoch in range(4):
        logx.metric("val", {"acc": 1}, epoch)
    logx.initialize(tmp_path, tensorboard=True)
    assert logx.restore() == 0
    logx.metric("val", {"acc": 1}, 0)
    logx.close()
    assert steps(tmp_path) == [0]


def test_what_a_process_wrote_before_it_restored_stays(logx, tmp_path):
    train(logx, tmp_path, 3)
    logx.initialize(tmp_path, tensorboard=True)
    logx.add_scalar("parameters", 7, 100)
    assert logx.restore() == 3
    logx.close()
    assert steps(tmp_path, "parameters") == [100]


def test_another_run_s_checkpoint_makes_nothing_forgotten(logx, tmp_path):
    train(logx, tmp_path / "a", 1)
    logx.initialize(tmp_path / "b", tensorboard=True)
    logx.metric("val", {"acc": 1}, 7)
    logx.initialize(tmp_path / "b", tensorboard=True)
    logx.restore(path=tmp_path / "a" / "last_checkpoint_ep0.pth")
    logx.close()
    assert steps(tmp_path / "b") == [7]


def test_the_file_is_there_when_initialize_returns(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True)
    [file] = tmp_path.glob("events.out.tfevents.*")
    assert file.stat().st_size
    logx.add_scalar("a", 1, 3)
    until = time.monotonic() + 20
    while steps(tmp_path, "a") != [3] and time.monotonic() < until:
        time.sleep(0.05)
    assert steps(tmp_path, "a") == [3]


def test_a_disk_that_is_full_at_the_start_does_not_end_the_training(logx, tmp_path, capfd):
    (tmp_path / "metrics.csv").symlink_to("/dev/full")
    logx.initialize(tmp_path, hparams={"lr": 1})
    logx.metric("val", {"acc": 1}, 0)
    logx.close()
    assert "metrics.csv can't be written: No space left" in capfd.readouterr().err


# What TensorBoard can't show


@pytest.mark.parametrize(
    "values",
    [torch.full((3,), math.nan), np.zeros(0), [], None, "text", torch.zeros(2, device="meta")],
)
def test_a_histogram_of_nothing_is_told_once(logx, tmp_path, capfd, values):
    logx.initialize(tmp_path, tensorboard=True)
    for step in range(3):
        logx.add_histogram("weights", values, step)
    assert capfd.readouterr().err.count("add_histogram can't be written") == 1


def test_strict_raises(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True, strict=True)
    with pytest.raises(LogxError, match="add_histogram can't be written: weights: of 0 values"):
        logx.add_histogram("weights", [], 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda logx: logx.add_histogram("x", torch.ones(4, dtype=torch.bfloat16), 1),
        lambda logx: logx.add_histogram("x", torch.tensor([1.0, math.nan]), 1),
        lambda logx: logx.add_histogram("x", torch.ones(2, requires_grad=True), 1),
        lambda logx: logx.add_histogram("x", [1, 2, 3]),
        lambda logx: logx.add_image("x", torch.ones(3, 4, 4, dtype=torch.bfloat16), 1),
        lambda logx: logx.add_image("x", torch.ones(4, 5), 1),
        lambda logx: logx.add_image("x", np.zeros((4, 5), "uint8"), 1),
        lambda logx: logx.tensorboard.add_image("x", np.zeros((4, 5, 3)), 1, dataformats="HWC"),
        lambda logx: logx.add_text("x", 5, 1),
        lambda logx: logx.add_text("x", None),
        lambda logx: logx.add_scalar("x", torch.tensor(1.0, dtype=torch.bfloat16), np.int64(3)),
        lambda logx: logx.add_scalar("x", 1, "3"),
        lambda logx: logx.add_scalar("x", 1, 2.5),
    ],
)
def test_what_it_can_show_is_written(logx, tmp_path, capfd, call):
    logx.initialize(tmp_path, tensorboard=True)
    [file] = tmp_path.glob("events*")
    empty = file.stat().st_size
    call(logx)
    logx.close()
    assert file.stat().st_size > empty
    assert "can't be written" not in capfd.readouterr().err


@pytest.mark.parametrize("value, step", [("text", 1), (None, 1), (1, "x"), (1, math.nan)])
def test_a_scalar_that_is_none_is_told_and_the_training_goes_on(logx, tmp_path, capfd, value, step):
    logx.initialize(tmp_path, tensorboard=True)
    logx.add_scalar("x", value, step)
    assert "add_scalar can't be written: " in capfd.readouterr().err


def test_a_missing_package_is_named_with_the_extra_that_has_it(logx, tmp_path, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    logx.initialize(tmp_path, tensorboard=True)
    logx.add_image("x", np.zeros((3, 4, 4), "uint8"), 1)
    assert "pip install 'runx-sweeps[images]', or pip install pillow" in capfd.readouterr().err


def test_tensorboard_s_own_package_may_fail_to_load(logx, tmp_path, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    logx.initialize(tmp_path, tensorboard=True)
    logx.add_text("x", "y", 1)
    logx.metric("val", {"acc": 1}, 1)
    logx.close()
    assert "add_text can't be written: it needs tensorboardX" in capfd.readouterr().err
    assert steps(tmp_path) == [1]
