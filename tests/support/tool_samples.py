"""What readers must find in the samples of make_samples.py, as kept or as made by today's tools."""

from __future__ import annotations

from pathlib import Path

from make_samples import EPOCHS, RATES, accuracy, loss

import runx

SAMPLES = Path(__file__).parent.parent / "fixtures" / "tools"
LR = {"hydra": "optim.lr", "mlxp": "optim.lr", "sacred": "optim.lr"}
"""The name of the rate where it isn't lr."""
UNTOLD = ("huggingface", "keras")
"""Tools whose runs keep no hyperparameters: the folder is called after the rate."""
WITH_STATES = ("mlflow", "wandb", "mlxp", "sacred", "guild")
"""Tools that keep states, of which the last run has failed."""
TOOL = {
    "lightning_tensorboard": "lightning",
    "huggingface": "transformers",
    "keras": "files",
}
"""The tool that runs are of where it isn't the sample's name."""
WITHOUT_TRAINING = ("guild", "huggingface")
"""Tools whose loss of training is not the samples', or that are given none."""


def check_sample(tool: str, folder: Path) -> None:
    """Compare all that is read of a sample with what its trainings measured."""
    found = runx.results(folder)
    if tool == "hydra":
        found = runx.results(folder / "multirun")
    if tool == "tensorboard":
        found = runx.results(folder / "runs")
    records = sorted(found, key=lambda record: -rate(tool, record))
    assert [rate(tool, record) for record in records] == list(RATES)
    assert {record.tool for record in records} == {TOOL.get(tool, tool)}
    for record in records:
        lr = rate(tool, record)
        check_course(found, record, "accuracy", [accuracy(lr, epoch) for epoch in range(EPOCHS)])
        if tool not in WITHOUT_TRAINING:
            check_course(found, record, "train.loss", [loss(lr, epoch) for epoch in range(EPOCHS)])
        assert abs(record.metrics["accuracy"] - accuracy(lr, EPOCHS - 1)) < 1e-6
    states = [record.state for record in records]
    if tool in WITH_STATES:
        assert states == ["done", "done", "failed"]
    else:
        assert set(states) == {"done" if tool == "tensorboard" else "unknown"}


def rate(tool: str, record: runx.api.results.RunRecord) -> float:
    """Return the rate of a run."""
    if tool in UNTOLD:
        return float(record.name.partition("-")[2])
    return float(record.hparams[LR.get(tool, "lr")])


def check_course(found, record, metric, expected) -> None:
    frame = found.where(f"dir == '{record.dir.path}'").history(metric)
    course = [value for _, value in zip(frame["epoch"], frame.iloc[:, -1], strict=True)]
    assert [round(value, 5) for value in course] == expected
