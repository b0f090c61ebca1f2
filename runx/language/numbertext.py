"""Values as a person would write them, for those that runx works out."""

from __future__ import annotations

import re

from runx.language.scalars import scalar
from runx.sweeps.values import Scalar, Value

_DIGITS = 12


def written(number: float) -> str:
    """Write a number as a person would; reading it gives the same number.

    >>> [written(number) for number in (1e-05, 0.001, 1.0, 1e16, 2.5e-07, 3, float("inf"))]
    ['1e-5', '0.001', '1', '1e16', '2.5e-7', '3', '.inf']
    """
    text = repr(number)
    if "n" in text:
        return text.replace("inf", ".inf").replace("nan", ".nan")
    text = re.sub(r"e([-+])0*", lambda found: "e-" if found[1] == "-" else "e", text)
    return text.removesuffix(".0")


def number(value: float, digits: int = _DIGITS) -> Scalar:
    """Make the scalar that a person would write for a number that arithmetic has blurred.

    >>> number(0.0010000000000000002), number(100.0)
    (Scalar(value=0.001, text='0.001', plain=True), Scalar(value=100, text='100', plain=True))
    """
    return scalar(written(float(f"{value:.{digits}g}") if isinstance(value, float) else value))


def spelled(value: Value) -> str:
    """Write a value inside a text.

    >>> spelled(1e-05), spelled(True), spelled(None), spelled((1, "a"))
    ('1e-5', 'true', 'None', '[1,a]')
    """
    if value is None or isinstance(value, str):
        return value or ("" if value == "" else "None")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ",".join(map(spelled, value)) + "]"
    return written(value)
