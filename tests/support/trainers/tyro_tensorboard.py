"""tyro, and TensorBoard's events below the folder that the script is given."""

from dataclasses import dataclass

import tyro
from torch.utils.tensorboard import SummaryWriter


@dataclass
class Optimizer:
    lr: float = 0.1


@dataclass
class Config:
    optim: Optimizer
    out: str = "out"


config = tyro.cli(Config)
writer = SummaryWriter(f"{config.out}/tb/exp")
for step in range(0, 100, 10):
    writer.add_scalar("train/loss", 1 / (1 + step), step)
    if step % 50 == 0:
        writer.add_scalar("eval/acc", 0.9 - config.optim.lr, step)
writer.close()
