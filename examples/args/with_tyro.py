"""Print what tyro was told."""

import dataclasses
import json

import tyro


@dataclasses.dataclass
class Optimizer:
    """How to step."""

    momentum: float


@dataclasses.dataclass
class Config:
    """What to train."""

    lr: float
    name: str
    sizes: list[int]
    optimizer: Optimizer
    amp: bool = True


print(json.dumps(dataclasses.asdict(tyro.cli(Config))))
