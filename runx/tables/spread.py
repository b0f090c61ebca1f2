"""Several values of one number: their mean, and how far they lie apart. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

# Student's t for 95%, two-sided, by degrees of freedom from 1 on.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


class Spread(NamedTuple):
    """The values that runs of one group have, and how many there should be.

    >>> Spread((90.0, 92.0), 2).mean
    91.0
    """

    values: tuple[float, ...]
    expected: int

    @property
    def n(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return math.fsum(self.values) / self.n if self._finite else sum(self.values) / self.n

    @property
    def std(self) -> float:
        """The standard deviation of the population that the values are drawn from (n - 1)."""
        if self.n < 2:
            return math.nan
        mean = self.mean
        # The differences are what is squared, since the square of a sum loses their digits.
        return math.sqrt(math.fsum((one - mean) ** 2 for one in self.values) / (self.n - 1))

    @property
    def sem(self) -> float:
        """The standard error of the mean."""
        return self.std / math.sqrt(self.n)

    @property
    def median(self) -> float:
        """The value in the middle."""
        ordered, half = sorted(self.values), self.n // 2
        return ordered[half] if self.n % 2 else (ordered[half - 1] + ordered[half]) / 2

    @property
    def ci95(self) -> float:
        """Half of the 95% confidence interval of the mean, by Student's t."""
        freedom = self.n - 1
        if freedom < 1:
            return math.nan
        return self.sem * (_T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.47 / freedom)

    @property
    def _finite(self) -> bool:
        return all(map(math.isfinite, self.values))


AGGREGATES: Mapping[str, Callable[[Spread], float]] = {
    "mean": lambda one: one.mean,
    "std": lambda one: one.std,
    "sem": lambda one: one.sem,
    "min": lambda one: min(one.values),
    "max": lambda one: max(one.values),
    "median": lambda one: one.median,
    "ci95": lambda one: one.ci95,
    "n": lambda one: one.n,
}
"""What ``--agg`` knows."""
COMPLETE = ("mean", "std", "n")
"""What is written of a group where nothing may be lost."""


def rounded(one: Spread) -> str:
    """Write a spread for people, with as many digits as it deserves.

    >>> rounded(Spread((91.0, 91.5, 91.2), 3))
    '91.23 ± 0.25 (n=3)'
    """
    whole = f"n={one.n}" if one.n == one.expected else f"n={one.n}/{one.expected}"
    if one.n < 2 or not math.isfinite(one.std) or one.std == 0:
        return (
            f"{one.mean:.5g} ({whole})"
            if one.n < 2
            else f"{one.mean:.5g} ± {one.std:.2g} ({whole})"
        )
    places = max(1 - math.floor(math.log10(one.std)), 0)
    if places > 8 or abs(one.mean) >= 1e7:
        return f"{one.mean:.5g} ± {one.std:.2g} ({whole})"
    return f"{one.mean:.{places}f} ± {one.std:.{places}f} ({whole})"
