"""LightningCLI with its default logger, which is TensorBoard's."""

from lightning.pytorch.cli import LightningCLI
from module import Data, Module

LightningCLI(
    Module,
    Data,
    trainer_defaults={
        "max_epochs": 2,
        "accelerator": "cpu",
        "log_every_n_steps": 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    },
)
