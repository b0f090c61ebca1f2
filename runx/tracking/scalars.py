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
    is_plain = type(metrics) is dict and PLAIN.issuperset(map(type, metrics.values()))
    if is_plain and TEXT.issuperset(map(type, metrics)):
        return dict(metrics)
    try:
        pairs = [(text_name(name), value) for name, value in metrics.items()]
    except Exception as error:  # an object of the script's own may raise anything
        shown = _shown(metrics)
        raise LogxError(f"metrics are a mapping of names to numbers, not {shown}") from error
    return {name: number(value, name) for name, value in pairs}


def text_name(name: Any) -> str:
    """Return a name as text: of a str that is a member of an enum its value."""
    return str.__str__(name) if isinstance(name, str) else str(name)


def number(value: Any, name: str, call: str = "") -> Number:
    """Return a scalar as a Python number, which copies a tensor from its GPU.

    ``name`` is that of a metric, or of an argument where ``call`` names the function.

    >>> number("high", "acc")
    Traceback (most recent call last):
    runx.errors.LogxError: metric acc is no number: 'high'
    """
    if type(value) in PLAIN:
        return value  # type: ignore[no-any-return]
    if not isinstance(value, (str, bytes, complex)):
        try:
            return plain_number(value)
        except Exception:  # noqa: BLE001  Its own __float__ may raise anything.
            pass
    if call:
        raise LogxError(f"{call}: {name}= takes a number, not {_shown(value)}")
    raise LogxError(f"metric {name} is no number: {_shown(value)}")


def epoch_number(value: Any, what: str) -> int | float:
    """Return an epoch or step, also of text or a tensor: whole ones as integers.

    Raises LogxError unless it is finite.

    >>> epoch_number("3", "epoch"), epoch_number(2.0, "epoch"), epoch_number(1.5, "epoch")
    (3, 2, 1.5)
    """
    if type(value) is int:
        return value
    try:
        found = plain_number(float(value) if isinstance(value, str) else value)
        # Names of files and the steps of TensorBoard take no more than this.
        if abs(found) < 1e15:
            return int(found) if found == int(found) else round(float(found), 9)
    except Exception as error:  # its own __float__ may raise anything
        raise LogxError(f"{what} is no number: {_shown(value)}") from error
    raise LogxError(f"{what} can't be {_shown(value)}; give a finite number")


def plain_number(value: Any) -> Number:
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
    kind = type(value).__name__
    try:
        shape = getattr(value, "shape", ())
        return f"a {kind} of shape {tuple(shape)}" if len(shape) else f"{value!r:.60}"
    except Exception:  # noqa: BLE001  Its own __repr__ may raise anything.
        return f"a {kind}"
