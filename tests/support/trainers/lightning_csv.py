"""Lightning's Trainer with the CSVLogger, in lightning_logs/ of the working directory."""

import argparse

import lightning as L
from lightning.pytorch.loggers import CSVLogger
from module import Data, Module

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()

trainer = L.Trainer(
    max_epochs=2,
    logger=CSVLogger("."),
    accelerator="cpu",
    log_every_n_steps=1,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Module(args.lr), Data())
