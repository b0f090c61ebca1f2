"""The attributes of NVIDIA's logx that public training scripts read and set."""

import os
import shutil

import pytest

from runx.logx import LogX
from runx.rundir.records import read

torch = pytest.importorskip("torch")


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path, tensorboard=True, no_timestamp=True)
    return logx


def test_the_paths_of_checkpoints_are_known_after_each_save(logx, tmp_path):
    assert (logx.save_ckpt_fn, logx.best_ckpt_fn, logx.save_metric) == ("", "", None)
    logx.save_model({"state_dict": {}}, 0.5, 1)
    logx.save_model({"state_dict": {}}, 0.4, 2)
    assert logx.save_ckpt_fn == str(tmp_path / "last_checkpoint_ep2.pth")
    assert logx.best_ckpt_fn == str(tmp_path / "best_checkpoint_ep1.pth")
    assert (logx.save_metric, logx.best_metric) == (0.4, 0.5)
    assert os.path.exists(logx.save_ckpt_fn)
    logx.initialize(tmp_path)
    assert (logx.save_ckpt_fn, logx.save_metric) == ("", None)
    assert logx.best_ckpt_fn == str(tmp_path / "best_checkpoint_ep1.pth")


def test_a_script_may_save_by_itself(logx, tmp_path):
    for epoch, metric in enumerate((0.5, 0.7)):
        logx.save_ckpt_fn = os.path.join(logx.logdir, f"last_checkpoint_ep{epoch}.pth")
        torch.save({"state_dict": {}}, logx.save_ckpt_fn)
        logx.save_metric = metric
        if logx.is_better(logx.save_metric, logx.best_metric, True):
            if os.path.exists(logx.best_ckpt_fn):
                os.remove(logx.best_ckpt_fn)
            logx.best_ckpt_fn = os.path.join(logx.logdir, f"best_checkpoint_ep{epoch}.pth")
            logx.best_metric = logx.save_metric
            shutil.copyfile(logx.save_ckpt_fn, logx.best_ckpt_fn)
    assert logx.best_metric == 0.7
    assert logx.best_ckpt_fn == str(tmp_path / "best_checkpoint_ep1.pth")
    assert not (tmp_path / "best_checkpoint_ep0.pth").exists()


def test_files_and_writers_may_be_written_to(logx, tmp_path):
    logx.metric("val", {"acc": 1}, 0)
    logx.metrics_fp.write("val,acc,2,epoch,1\n")
    logx.metrics_fp.flush()
    logx.metrics_writer.writerow(["val", "acc", 3, "epoch", 2])
    logx.metric("val", {"acc": 4}, 3)
    assert [row.metrics.get("acc") for row in read(tmp_path / "metrics.csv")] == [None, 1, 2, 3, 4]
    logx.log_file.write("by hand\n")
    logx.logger.info("epoch %d", 3)
    assert (tmp_path / "logging.log").read_text() == "by hand\nepoch 3\n"
    logx.tb_writer.add_scalar("a", 1, 1)
    logx.tb_writer.flush()
    assert (logx.eager_flush, logx.no_timestamp, logx.epoch["val"]) == (True, True, 3)


def test_other_ranks_have_nothing_to_write_to(tmp_path):
    logger = LogX()
    logger.initialize(tmp_path / "run", tensorboard=True, global_rank=1)
    assert logger.tb_writer is None
    logger.logger.info("nothing")
    assert not (tmp_path / "run").exists()


def test_a_metric_called_epoch_is_the_epoch_where_there_is_no_other(logx, tmp_path, capfd):
    logx.metric("val", {"loss": 1, "epoch": 7})
    logx.metric("val", {"loss": 1, "epoch": 8.0}, 8)
    assert capfd.readouterr().err == ""
    for epoch in (3, 4):
        logx.metric("val", {"loss": 1, "epoch": 9}, epoch)
    assert capfd.readouterr().err.count("a metric called epoch is left out") == 1
    assert (tmp_path / "metrics.csv").read_text().splitlines()[1:] == [
        f"val,loss,1,epoch,{epoch}" for epoch in (7, 8, 3, 4)
    ]
