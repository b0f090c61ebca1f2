"""Conversion of scalars of any library to Python's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError

if TYPE_CHECKING:
    from runx.rundir.records import Metric, Number


PLAIN = frozenset({float, int, bool})
TEXT = frozenset({str})


def numbers(metrics: Mapping[str, Any]) -> dict[str, Metric]:
    """Return metrics as Python's numbers; raises LogxError where one is not a number.

    >>> from fractions import Fraction
    >>> numbers({"acc": 0.5, "share": Fraction(1, 4)})
    {'acc': 0.5, 'share': 0.25}
    """
    if type(metrics) is dict and PLAIN.issuperset(map(type, metrics.values())):
        if TEXT.issuperset(map(type, metrics)):
            return metrics.copy()
    elif not hasattr(metrics, "items"):
        raise LogxError(f"metrics are a mapping of names to numbers, not {metrics!r}")
    return {str(name): number(value, str(name)) for name, value in metrics.items()}


def number(value: Any, name: str) -> Number:
    """Return a scalar as a Python number, which copies a tensor from its GPU.

    >>> number("high", "acc")
    Traceback (most recent call last):
    runx.errors.LogxError: metric acc is no number: 'high'
    """
    if type(value) in PLAIN:
        return value  # type: ignore[no-any-return]
    if not isinstance(value, (str, bytes, complex)):
        try:
            return _plain(value)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
    raise LogxError(f"metric {name} is no number: {_shown(value)}")


def _plain(value: Any) -> Number:
    """Return the number of a scalar of NumPy, torch and the like; raises where it has none."""
    for method in ("item", "numpy"):
        if hasattr(value, method):
            value = getattr(value, method)()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (str, bytes, complex)):
        raise TypeError
    return float(value)


def _shown(value: Any) -> str:
    """Return a value for an error message: an array by its shape."""
    shape = getattr(value, "shape", ())
    kind = type(value).__name__
    return f"a {kind} of shape {tuple(shape)}" if len(shape) else f"{value!r:.60}"
