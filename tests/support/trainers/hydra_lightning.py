"""Hydra over Lightning; the CSVLogger writes below Hydra's own output folder."""

import hydra
import lightning as L
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch.loggers import CSVLogger
from module import Data, Module


@hydra.main(version_base=None, config_path=".", config_name="hydra_lightning")
def main(config):
    trainer = L.Trainer(
        max_epochs=2,
        logger=CSVLogger(HydraConfig.get().runtime.output_dir, name=None),
        accelerator="cpu",
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(config.optim.lr), Data())


main()
