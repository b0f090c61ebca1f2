"""Print what Hydra was told."""

import json

import hydra
from omegaconf import DictConfig, OmegaConf


@hydra.main(version_base=None, config_path=None)
def main(config: DictConfig) -> None:
    """Train nothing."""
    print(json.dumps(OmegaConf.to_container(config, resolve=True)))


if __name__ == "__main__":
    main()
