"""Ranges of numbers that are drawn from: even or by ratio, any number, whole ones or steps."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

from runx.errors import SweepError
from runx.sweeps.scalars import number
from runx.sweeps.values import Node, Scalar

_DIGITS = 6
_STEP_DIGITS = 15


class Range(NamedTuple):
    """Numbers between two ends, both included.

    ``step`` is the distance between neighbours, from the lower end on, or 0; with ``by_ratio`` all
    orders of magnitude are equally likely.
    """

    low: float
    high: float
    step: float
    by_ratio: bool

    @property
    def size(self) -> int | None:
        """The number of values that it has, or None where there are no steps."""
        if not self.step:
            return 1 if self.low == self.high else None
        if isinstance(self.step, int) and isinstance(self.high, int):
            return (self.high - int(self.low)) // self.step + 1
        # What rounding takes from the last step is given back.
        return int((self.high - self.low) / self.step + 1e-6) + 1

    def value(self, part: float) -> Scalar:
        """Return the value for a number drawn evenly from [0, 1).

        >>> [Range(0, 1, 0.25, False).value(part).text for part in (0, 0.5, 0.999)]
        ['0', '0.5', '1']
        >>> [Range(1, 1000, 1, True).value(part).text for part in (0, 0.5, 0.999)]
        ['1', '22', '993']
        """
        if self.step and (size := self.size):
            return self.at(self._place(part, size))
        if not self.by_ratio:
            span = self.high - self.low
            return rounded(self.low + span * part, span, self.low, self.high)
        value = self.low * (self.high / self.low) ** part
        return rounded(value, value, self.low, self.high)

    def at(self, place: int) -> Scalar:
        """Return the value of a step, from 0."""
        return number(self.low + place * self.step, _STEP_DIGITS)

    def edges(self) -> tuple[float, float]:
        """Return the ends of what is drawn before it is rounded to a step, by ratio.

        The first and the last step have half a step around them, as all others.
        """
        assert self.size
        last = self.low + (self.size - 1) * self.step
        return max(self.low - self.step / 2, self.low / 2), last + self.step / 2

    def _place(self, part: float, size: int) -> int:
        if not self.by_ratio:
            return min(int(part * size), size - 1)
        low, high = self.edges()
        place: int = round((low * (high / low) ** part - self.low) / self.step)
        return min(max(place, 0), size - 1)


def uniform(argument: Node) -> Range:
    """Return the range of ``{uniform: [low, high, step]}``."""
    low, high, step = _ends(argument)
    return Range(low, high, step, by_ratio=False)


def loguniform(argument: Node) -> Range:
    """Return the range of ``{loguniform: [low, high, step]}``."""
    low, high, step = _ends(argument)
    if low <= 0:
        raise SweepError("takes [low, high], both above 0")
    return Range(low, high, step, by_ratio=True)


def randint(argument: Node) -> Range:
    """Return the range of ``{randint: [low, high, step]}``: whole numbers.

    >>> from runx.sweeps.scalars import scalar
    >>> randint([scalar("1"), scalar("6")]).size
    6
    """
    ends = _ends(argument)
    if any(end != int(end) for end in ends):
        raise SweepError("takes [low, high] or [low, high, step], whole numbers")
    low, high, step = map(int, ends)
    return Range(low, high, step or 1, by_ratio=False)


def lograndint(argument: Node) -> Range:
    """Return the range of ``{lograndint: [low, high, step]}``: whole numbers, evenly by ratio."""
    whole = randint(argument)
    if whole.low <= 0:
        raise SweepError("takes [low, high], both above 0")
    return whole._replace(by_ratio=True)


RANGES = {
    "lograndint": lograndint,
    "loguniform": loguniform,
    "randint": randint,
    "uniform": uniform,
}
"""The operators whose argument is a range."""


def numbers(argument: Node, spelling: str, fewest: int, most: int = 0) -> list[float]:
    """Return the numbers that an operator is given, one by itself or a list of them.

    >>> from runx.sweeps.scalars import scalar
    >>> numbers([scalar("1e-4"), scalar("2")], "[first, last]", 2)
    [0.0001, 2]
    >>> numbers([scalar("x")], "[first, last]", 2)
    Traceback (most recent call last):
    runx.errors.SweepError: takes [first, last], numbers
    """
    items = argument if isinstance(argument, list) else [argument]
    values = [item.value for item in items if isinstance(item, Scalar)]
    finite = [value for value in values if isinstance(value, (int, float)) and is_finite(value)]
    if len(finite) != len(items) or not fewest <= len(finite) <= max(fewest, most):
        raise SweepError(f"takes {spelling}, numbers")
    return finite


def is_finite(value: float) -> bool:
    """Return whether a number is one that a float can be, and no truth value."""
    return not isinstance(value, bool) and abs(value) <= sys.float_info.max


def rounded(value: float, scale: float, low: float, high: float) -> Scalar:
    """Round a number to six digits of a scale, since it stands in names and tables."""
    places = _DIGITS - math.floor(math.log10(abs(scale))) if scale else _DIGITS
    return number(float(min(max(round(value, places), low), high)), 17)


def _ends(argument: Node) -> tuple[float, float, float]:
    low, high, *steps = numbers(argument, "[low, high] or [low, high, step]", 2, 3)
    if low > high:
        raise SweepError("takes [low, high], the lower first")
    step = steps[0] if steps else 0
    if steps and (step <= 0 or step > high - low):
        raise SweepError("takes [low, high, step], the step above 0 and not beyond high")
    return low, high, step
