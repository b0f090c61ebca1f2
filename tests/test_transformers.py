"""The Trainer of transformers with ``RunxCallback``: a training of seconds, in a launched run."""

import json

import pytest
from project import Project

pytestmark = pytest.mark.slow
pytest.importorskip("accelerate", reason="accelerate is not installed")

TRAIN = """
import sys
from pathlib import Path
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from runx.logx import logx
from runx.transformers import RunxCallback


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(2, 1)

    def forward(self, x, labels):
        y = self.net(x).squeeze(-1)
        return {"loss": ((y - labels) ** 2).mean(), "logits": y}


class Ask(TrainerCallback):
    def on_step_begin(self, args, state, control, **_):
        print("step", state.global_step)
        if logx.run.attempt == 1 and state.global_step == 5:
            Path(logx.logdir, "stop_requested").touch()


runx = RunxCallback()
args = TrainingArguments(
    output_dir=runx.output_dir,
    learning_rate=logx.hparams.lr,
    num_train_epochs=3,
    per_device_train_batch_size=4,
    eval_strategy="epoch",
    logging_steps=2,
    use_cpu=True,
    report_to="none",
    disable_tqdm=True,
)
data = [{"x": torch.rand(2), "labels": torch.tensor(1.0)} for _ in range(16)]
trainer = Trainer(
    Net(),
    args,
    train_dataset=data,
    eval_dataset=data[:4],
    callbacks=[Ask(), runx],
    compute_metrics=lambda _: {"acc": args.learning_rate, "matrix": [[1, 0], [0, 1]]},
)
print("from", runx.checkpoint and Path(runx.checkpoint).name)
trainer.train(resume_from_checkpoint=runx.checkpoint)
if runx.stopped:
    sys.exit(75)
"""


def test_a_training_is_logged_stopped_and_gone_on_with(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("train.py", TRAIN)
    project.write("x.yml", "CMD: python train.py\nHPARAMS: {lr: [0.5]}\n")
    project.runx("x.yml", "-i", status=1)
    [run] = project.runs("runs/x")
    # A checkpoint that a kill has left incomplete is newer.
    (run / "checkpoints" / "checkpoint-7").mkdir()
    project.runx("x.yml", "-i", "--resume")
    output = (run / "output.log").read_text()
    assert "from None" in output and "from checkpoint-6" in output
    steps = [line for line in output.splitlines() if line.startswith("step ")]
    assert steps == [f"step {at}" for at in range(12)]
    [shown] = json.loads(project.sumx("x", "--json"))
    assert (shown["state"], shown["metrics"]["acc"]) == ("done", 0.5)
    hparams = json.loads((run / "logx.json").read_text())["hparams"]
    assert (hparams["learning_rate"], hparams["eval_strategy"]) == (0.5, "epoch")
    assert "output_dir" not in hparams
    training = (run / "metrics.train.csv").read_text()
    assert training.count("train,loss,") == 6
    assert training.count("mean_loss") == 2
    validation = (run / "metrics.csv").read_text()
    rows = [line for line in validation.splitlines() if line.startswith("val,")]
    epochs = [row.split("epoch,")[1].split(",")[0] for row in rows]
    assert epochs == ["1", "1.5", "2", "3"]
    assert "matrix" not in validation and "runtime" not in validation
