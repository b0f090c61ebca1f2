import math
from fractions import Fraction

import numpy as np
import pytest

from runx.errors import LogxError
from runx.rundir.records import read

torch = pytest.importorskip("torch")


def test_a_full_disk_is_told_once_and_does_not_end_the_training(logx, tmp_path, capfd):
    (tmp_path / "metrics.train.csv").symlink_to("/dev/full")
    logx.initialize(tmp_path)
    for epoch in range(3):
        logx.metric("train", {"loss": 1}, epoch)
        logx.metric("val", {"acc": 1}, epoch)
    logx.close()
    told = capfd.readouterr().err
    assert told.count("metrics.train.csv can't be written: No space left on device") == 1
    assert "3 lines were never written" in told
    assert len(list(read(tmp_path / "metrics.csv"))) == 4
    assert "No space left" in (tmp_path / "logx.json").read_text()


def test_strict_raises_at_a_full_disk(logx, tmp_path):
    (tmp_path / "metrics.train.csv").symlink_to("/dev/full")
    logx.initialize(tmp_path, strict=True)
    with pytest.raises(LogxError, match="can't be written: No space left"):
        logx.metric("train", {"loss": 1})


def test_a_message_on_a_full_disk_does_not_end_the_training(logx, tmp_path, capfd):
    (tmp_path / "logging.log").symlink_to("/dev/full")
    logx.initialize(tmp_path)
    logx.msg("one")
    logx.msg("two")
    assert capfd.readouterr().err.count("logging.log can't be written") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (np.array([2.5]), 2.5),
        (torch.tensor(0.5), 0.5),
        (torch.tensor([3]), 3),
        (torch.tensor(True), True),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        (Fraction(1, 4), 0.25),
        (10**60, 10**60),
        (False, False),
        (math.inf, math.inf),
        (1e-300, 1e-300),
    ],
)
def test_every_librarys_scalar_is_read_back_as_it_was(logx, tmp_path, given, expected):
    logx.initialize(tmp_path)
    logx.metric("val", {'a, "b"\nc': given}, np.int64(3))
    record = list(read(tmp_path / "metrics.csv"))[-1]
    assert record.metrics == {'a, "b"\nc': expected}
    assert type(record.metrics['a, "b"\nc']) is type(expected)
    assert (record.epoch, type(record.epoch)) == (3, int)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_tensor_on_a_gpu_is_a_number(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True)
    logx.metric("val", {"acc": torch.tensor(0.5, device="cuda")}, 0)
    assert list(read(tmp_path / "metrics.csv"))[-1].metrics == {"acc": 0.5}
