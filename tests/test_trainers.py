"""Scripts as public trainers are, none of them changed for runx: sumx ranks all."""

import csv
import io
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from project import Project

TRAINERS = Path(__file__).parent / "support" / "trainers"
HF = "--output_dir LOGDIR/out --num_train_epochs 2 --eval_strategy epoch --logging_steps 1"
PRINTED = """
METRICS:
  epoch: 'Epoch ([0-9]+)'
  acc: 'val acc: ([0-9.]+)'
  train.loss: 'loss=([0-9.]+)'
"""
SHAPES = [
    ("argparse_tensorboard.py", "lr: [0.1, 0.2]", "Accuracy", 0.6, "train.Loss", "torch"),
    ("lightning_csv.py", "lr: [0.1, 0.2]", "acc", 0.8, "train.loss", "lightning"),
    (
        "lightning_cli.py fit",
        "model.lr: [0.1, 0.2]\nARGS: {style: equals}",
        "acc",
        0.8,
        "train.loss",
        "typeshed_client",
    ),
    (
        f"hf_trainer.py {HF} --use_cpu --report_to none",
        "learning_rate: [0.1, 0.2]",
        "accuracy",
        0.9,
        "train.loss",
        "accelerate",
    ),
    ("tyro_tensorboard.py --out LOGDIR", "optim.lr: [0.1, 0.2]", "acc", 0.8, "train.loss", "tyro"),
    (
        "hydra_lightning.py",
        "optim.lr: [0.1, 0.2]\nARGS: {style: hydra}",
        "acc",
        0.8,
        "train.loss",
        "hydra",
    ),
    ("prints.py", f"lr: [0.1, 0.2]{PRINTED}", "acc", 92, "train.loss", "runx"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("cmd", "hparams", "metric", "best", "training", "needs"), SHAPES)
def test_sumx_ranks_runs_of_scripts_that_never_heard_of_logx(
    tmp_path, installed, cmd, hparams, metric, best, training, needs
):
    if find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    project = Project(tmp_path, installed)
    for file in TRAINERS.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    value, _, settings = hparams.partition("\n")
    project.write("x.yml", f"CMD: python {cmd}\nHPARAMS: {{{value}}}\n{settings}\n")
    project.runx("x.yml", "-i")

    name = value.partition(":")[0]
    columns = f"{name},{metric},{metric}:best,{training}"
    text = project.sumx("x", "--sortwith", metric, "--columns", columns, "--format", "csv")
    first, second = csv.DictReader(io.StringIO(text))
    assert (float(first[name]), float(second[name])) == (0.1, 0.2)
    assert float(first[metric]) == pytest.approx(best)
    assert float(first[f"{metric}:best"]) == pytest.approx(best)
    assert float(first[training]) > 0
    fields = project.sumx("x", "--fields")
    assert json.loads(project.sumx("x", "--json"))[0]["state"] == "done"
    assert len([line for line in fields.splitlines() if line.startswith(f"{metric} ")]) == 1
