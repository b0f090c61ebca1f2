import os

import pytest

from runx.logx import LogX
from runx.tracking import session, trainers


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path, hparams={"lr": 0.1})
    return logx


def test_what_is_no_number_is_left_out_and_told_once(logx, tmp_path, capsys):
    for epoch in (0, 1):
        values = {"val_acc": 0.5, "val_matrix": [[1]], "loss": 2}
        trainers.log_values(logx._session, values, epoch, "train", set())
    logx.flush()
    assert "matrix" not in (tmp_path / "metrics.csv").read_text()
    assert (tmp_path / "metrics.csv").read_text().count("val,acc,0.5") == 2
    assert (tmp_path / "metrics.train.csv").read_text().count("train,loss,2") == 2
    assert capsys.readouterr().err.count("val_matrix") == 1


def test_hyperparameters_of_a_trainer_join_those_of_the_script(logx, tmp_path):
    assert logx.hparams.lr == 0.1
    session.keep_hparams(logx._session, {"width": 4})
    assert (logx.hparams.lr, logx.hparams.width) == (0.1, 4)
    assert '"width": 4' in (tmp_path / "hparams.json").read_text()


def test_a_tracker_whose_server_refuses_ends_no_training(tmp_path, monkeypatch, capsys):
    def refuse(name, destination):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(session, "open_writer", refuse)
    monkeypatch.delenv("RUNX_LOGDIR", raising=False)
    logx = LogX()
    logx.initialize(tmp_path, writers=["mlflow"])
    logx.metric("val", {"acc": 1}, 0)
    logx.close()
    assert "mlflow can't be written: Connection refused" in capsys.readouterr().err


def test_the_newest_checkpoint_is_the_one_written_last(tmp_path):
    assert trainers.newest(tmp_path.iterdir()) is None
    for name in ("b", "a"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "b", (1, 1))
    assert trainers.newest(tmp_path.iterdir()) == str(tmp_path / "a")


def test_the_directory_of_a_trainer_is_that_which_initialize_takes(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNX_LOGDIR", raising=False)
    assert trainers.known_logdir({"logdir": tmp_path, "config": "c.yaml"}) == tmp_path
    for makes_one in ({"config": "c.yaml"}, {"coolname": True}):
        assert trainers.known_logdir(makes_one) is None
    monkeypatch.setenv("RUNX_LOGDIR", str(tmp_path))
    assert trainers.known_logdir({"config": "c.yaml"}) == tmp_path
