"""Functions to be minimised, whose least values are known; their ranges as HPARAMS has them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Function(NamedTuple):
    """A function of a point: ``hparams`` are its ranges, ``least`` its least value.

    ``noise`` is the standard deviation of what one run measures.
    """

    hparams: Mapping[str, Mapping[str, list[Any]]]
    value: Callable[[Mapping[str, Any]], float]
    least: float
    noise: float = 0.0

    def measured(self, point: Mapping[str, Any], seed: object) -> float:
        """Return what one run measures at a point."""
        noise = random.Random(f"{seed}:{sorted(point.items())}").gauss(0, 1) if self.noise else 0
        return self.value(point) + self.noise * noise


_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann(point: Mapping[str, Any]) -> float:
    """Return Hartmann's function of six numbers."""
    x = [point[f"x{place}"] for place in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(row, x, center, strict=True)))
        for alpha, row, center in zip(_ALPHA, _A, _P, strict=True)
    )


def branin(point: Mapping[str, Any]) -> float:
    """Return Branin's function of two numbers."""
    x, y = point["x"], point["y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return float(bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def rosenbrock(point: Mapping[str, Any]) -> float:
    """Return Rosenbrock's function of four numbers."""
    x = [point[f"x{place}"] for place in range(4)]
    return float(sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(3)))


def training(point: Mapping[str, Any]) -> float:
    """Return an error like that of a training: a valley of lr, which diverges above some of it.

    The best learning rate depends on the optimiser, the width and the batch.
    """
    lr, width, adam = math.log10(point["lr"]), math.log2(point["width"]), point["opt"] == "adam"
    best = (-2.6 if adam else -0.9) - 0.15 * (width - 7) + 0.5 * (math.log2(point["batch"]) - 6) / 3
    off = lr - best
    if off > 0.9:
        return 0.9  # it diverges
    error = 0.05 + 0.03 * min(off**2, 4.0) + (0 if adam else 0.006)
    error += 0.004 * (width - 8.5) ** 2 / 4
    error += 0.005 * (math.log10(point["decay"]) + 4 - 0.3 * (width - 7)) ** 2 / 2
    error += 0.25 * (point["dropout"] - 0.05 * max(width - 6, 0)) ** 2
    return float(min(error + 0.002 * (math.log2(point["batch"]) - 6) ** 2 / 4, 0.9))


_UNIT = {f"x{place}": {"uniform": [0, 1]} for place in range(6)}

FUNCTIONS: Mapping[str, Function] = {
    "Hartmann-6": Function(_UNIT, hartmann, -3.32236801141551),
    "Branin": Function(
        {"x": {"uniform": [-5, 10]}, "y": {"uniform": [0, 15]}}, branin, 0.397887357729738
    ),
    "Rosenbrock-4": Function(
        {f"x{place}": {"uniform": [-5, 10]} for place in range(4)}, rosenbrock, 0.0
    ),
    "training": Function(
        {
            "lr": {"loguniform": [1e-5, 1]},
            "decay": {"loguniform": [1e-6, 1e-2]},
            "width": {"lograndint": [16, 2048]},
            "dropout": {"uniform": [0, 0.6]},
            "batch": {"choice": [16, 32, 64, 128, 256]},
            "opt": {"choice": ["sgd", "adam"]},
        },
        training,
        0.05,
        noise=0.002,
    ),
}
