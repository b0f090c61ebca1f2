"""Arithmetic that gives the same bits on every machine and with every Python.

exp, log and erf of C libraries differ in their last bit, and so do sum() and math.sumprod from one
Python to the next. A search would choose another point for it. What stands here is made of sums,
products, quotients and roots, which IEEE 754 rounds in one way, and of fsum, which is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import frexp, fsum, ldexp, sqrt
from operator import mul

_LOG2 = 0.6931471805599453
_LOG2_HIGH, _LOG2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_ROOT_HALF = 0.7071067811865476
_ROOT_2PI = 2.5066282746310002
_LEAST = -700.0
_FACTORS = tuple(1 / divisor for divisor in range(13, 0, -1))

# Below it the tail of the normal distribution is taken by its continued fraction.
_TAIL = -2.0


def dot(left: Iterable[float], right: Iterable[float]) -> float:
    """Return the sum of products."""
    return fsum(map(mul, left, right))


def exp(power: float) -> float:
    """Return e to a power; 0 below -700.

    >>> exp(0), abs(exp(1) - 2.718281828459045) < 1e-14, exp(-1e9)
    (1.0, True, 0.0)
    """
    if power < _LEAST:
        return 0.0
    halvings = round(power / _LOG2)
    rest = (power - halvings * _LOG2_HIGH) - halvings * _LOG2_LOW
    result = 1.0
    for factor in _FACTORS:
        result = 1.0 + result * rest * factor
    return ldexp(result, halvings)


def log(value: float) -> float:
    """Return the natural logarithm of a number above 0.

    >>> log(1), abs(log(10) - 2.302585092994046) < 1e-14
    (0.0, True)
    """
    part, halvings = frexp(value)
    if part < _ROOT_HALF:
        part, halvings = part * 2, halvings - 1
    ratio = (part - 1) / (part + 1)
    square = ratio * ratio
    result = 0.0
    for divisor in range(23, 0, -2):
        result = result * square + 1 / divisor
    return 2 * ratio * result + halvings * _LOG2


def density(z: float) -> float:
    """Return the density of the standard normal distribution."""
    return exp(-z * z / 2) / _ROOT_2PI


def below(z: float) -> float:
    """Return the share of the standard normal distribution below z.

    >>> below(0), round(below(-1.96), 9), round(below(1.96), 9)
    (0.5, 0.024997895, 0.975002105)
    """
    if z > 0:
        return 1 - below(-z)
    if z < _TAIL:
        return density(z) * _mills(-z)
    # The series z + z^3/3 + z^5/15 + ... (Abramowitz and Stegun, 26.2.11).
    term = total = z
    for divisor in range(3, 41, 2):
        term = term * z * z / divisor
        total += term
    return 0.5 + density(z) * total


def _mills(t: float) -> float:
    """Return the ratio of the normal distribution's tail to its density, for t of 2 or more."""
    ratio = t
    for step in range(40, 0, -1):
        ratio = t + step / ratio
    return 1 / ratio


def log_improvement(z: float) -> tuple[float, float]:
    """Return log(density(z) + z * below(z)), the expected improvement, and its derivative.

    >>> value, slope = log_improvement(0.0)
    >>> round(value, 9), round(slope, 9)
    (-0.918938533, 1.253314137)
    """
    if z >= _TAIL:
        share, gain = below(z), density(z) + z * below(z)
        return log(gain), share / gain
    # In the tail both the gain and the share are what the density leaves of it.
    ratio = _mills(-z) if z > -1e3 else -1 / z
    rest = 1 + z * ratio if z > -1e3 else 1 / (z * z)
    return -z * z / 2 - log(_ROOT_2PI) + log(rest), ratio / rest


def root(value: float) -> float:
    """Return the square root; 0 of what rounding has made negative."""
    return sqrt(max(value, 0.0))
