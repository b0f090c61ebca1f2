"""What a picture shows, and where values lie on its axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.curves import Curve


class Picture(NamedTuple):
    """Curves or dots over two axes, or lines across several."""

    title: str
    across: str
    up: str
    log: str = ""
    curves: tuple[Curve, ...] = ()
    dots: bool = False
    note: str = ""
    axes: tuple[str, ...] = ()
    lines: tuple[tuple[Any, ...], ...] = ()


FAR = 100
"""Positive numbers that differ by so much are placed by their size in decades."""


def placed(values: Sequence[Any]) -> list[float | None]:
    """Place values on an axis: numbers by their size, others by their order.

    >>> placed([1, 3, 2]), placed(["b", "a", None])
    ([0.0, 1.0, 0.5], [1.0, 0.0, None])
    """
    there = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in there):
        numbers = [None if value is None or value != value else float(value) for value in values]
    else:
        order = {text: float(at) for at, text in enumerate(sorted(map(for_machines, there)))}
        numbers = [None if value is None else order[for_machines(value)] for value in values]
    if all(number is None or number > 0 for number in numbers):
        numbers = _in_decades(numbers)
    known = [number for number in numbers if number is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    spread = high - low
    return [
        None if number is None else (number - low) / spread if spread else 0.5 for number in numbers
    ]


def _in_decades(numbers: list[float | None]) -> list[float | None]:
    """Take logarithms of numbers that are far apart, as learning rates are."""
    known = [number for number in numbers if number is not None]
    if not known or max(known) < FAR * min(known):
        return numbers
    return [number and math.log(number) for number in numbers]
