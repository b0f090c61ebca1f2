"""Lightning's Trainer with ``RunxLogger``: a fit of seconds, by itself and in a launched run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
FIT = """
import os, sys
from pathlib import Path
import torch
if "pytorch_lightning" in sys.argv:
    import pytorch_lightning as pl
else:
    import lightning.pytorch as pl
from runx.lightning import RunxLogger
from runx.logx import logx


class Model(pl.LightningModule):
    def __init__(self, lr: float, width: int = 4):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(2, 1)

    def training_step(self, batch, at):
        if "stop" in sys.argv and logx.run.attempt == 1 and self.trainer.global_step == 6:
            Path(logx.logdir, "stop_requested").touch()
        print("batch", self.trainer.current_epoch, at)
        loss = (self.net(batch) ** 2).mean()
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        self.log("lr", self.hparams.lr)
        return loss

    def validation_step(self, batch, at):
        self.log("val_acc", self.hparams.lr + self.trainer.current_epoch)
        self.log("size", float(len(batch)))

    def test_step(self, batch, at):
        self.log("acc", 0.5)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.lr)


def loader(count):
    return torch.utils.data.DataLoader(torch.rand(count, 2), 4)


logger = RunxLogger(logdir=os.environ.get("FIT_LOGDIR"), within=5)
trainer = pl.Trainer(
    logger=logger,
    max_epochs=3,
    accelerator="cpu",
    log_every_n_steps=2,
    enable_progress_bar=False,
    enable_model_summary=False,
    val_check_interval=0.5 if "often" in sys.argv else 1.0,
    strategy=os.environ.get("FIT_STRATEGY", "auto"),
    devices=int(os.environ.get("FIT_DEVICES", 1)),
)
model = Model(float(os.environ.get("FIT_LR", 0.25)))
print("from", logger.checkpoint and Path(logger.checkpoint).name)
trainer.fit(model, loader(16), loader(4), ckpt_path=logger.checkpoint)
if logger.stopped:
    sys.exit(75)
if "test" in sys.argv:
    trainer.test(model, loader(4), verbose=False)
"""


def fitted(tmp_path, *words, status=0, **environment):
    """Fit by hand; return the directory and what the script printed."""
    variables = ("RUNX_", "RANK", "SLURM_", "WORLD_SIZE")
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(variables)}
    done = subprocess.run(
        [sys.executable, "-c", FIT, *words],
        cwd=tmp_path,
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "FIT_LOGDIR": str(tmp_path / "owl"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == status, done.stderr
    assert "logx: warning" not in done.stderr, done.stderr
    return tmp_path / "owl", done.stdout


def rows(folder, name="metrics.csv"):
    """Return the phase, metrics and epoch of each row but the first."""
    found = []
    for line in (folder / name).read_text().splitlines():
        phase, *cells = line.split(",")
        values = {name: float(text) for name, text in zip(cells[::2], cells[1::2], strict=True)}
        values.pop("timestamp", None)
        if phase != "start":
            found.append((phase, values.pop("epoch"), values))
    return found


@pytest.mark.parametrize("library", ["lightning", "pytorch_lightning"])
def test_phases_epochs_and_hyperparameters_of_a_fit_are_logged(tmp_path, library):
    pytest.importorskip(library)
    folder, printed = fitted(tmp_path, library, "test")
    assert "from None" in printed
    *validated, (phase, _, tested) = rows(folder)
    assert [(phase, epoch, each["acc"]) for phase, epoch, each in validated] == [
        ("val", 0, 0.25),
        ("val", 1, 1.25),
        ("val", 2, 2.25),
    ]
    # Without a phase in its name a metric is of what the trainer does.
    assert all(each["size"] == 4 for _, _, each in validated)
    assert (phase, tested) == ("test", {"acc": 0.5})
    trained = rows(folder, "metrics.train.csv")
    assert {phase for phase, _, _ in trained} == {"train"}
    steps = [epoch for _, epoch, each in trained if "loss_step" in each]
    assert steps == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]
    assert [epoch for _, epoch, each in trained if "loss" in each] == [0, 1, 2]
    assert json.loads((folder / "hparams.json").read_text()) == {"lr": 0.25, "width": 4}
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["epoch=2-step=12.ckpt"]
    assert not (tmp_path / "lightning_logs").exists()


def test_validations_within_an_epoch_are_told_apart_by_their_steps(tmp_path):
    folder, _ = fitted(tmp_path, "often")
    epochs = [epoch for _, epoch, _ in rows(folder)]
    assert len(epochs) == 6 and sorted(set(epochs)) == epochs


def test_rank_0_alone_writes(tmp_path):
    folder, _ = fitted(tmp_path, FIT_DEVICES="2", FIT_STRATEGY="ddp_fork")
    assert len(rows(folder)) == 3
    assert (folder / "metrics.csv").read_text().count("start,") <= 2


def test_no_time_left_stops_a_training_at_once(tmp_path):
    folder, printed = fitted(tmp_path, status=75, RUNX_DEADLINE="5")
    assert printed.count("batch") == 1
    assert (folder / "checkpoints" / "stopped.ckpt").exists()


def test_a_run_that_is_asked_to_stop_goes_on_at_the_very_batch(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("train.py", FIT)
    project.write("x.yml", "CMD: python train.py stop lightning\nHPARAMS: {lr: [0.5]}\n")
    project.runx("x.yml", "-i", status=1)
    [run] = project.runs("runs/x")
    assert (run / "checkpoints" / "stopped.ckpt").exists()
    project.runx("x.yml", "-i", "--resume")
    output = (run / "output.log").read_text()
    assert "from None" in output and "from stopped.ckpt" in output
    batches = [line for line in output.splitlines() if line.startswith("batch ")]
    assert batches == [f"batch {epoch} {at}" for epoch in range(3) for at in range(4)]
    assert not (run / "checkpoints" / "stopped.ckpt").exists()
    [shown] = json.loads(project.sumx("x", "--json"))
    assert shown["state"] == "done"
    assert shown["metrics"]["acc"] == 2.25
