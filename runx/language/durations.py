"""Lengths of time as people write them."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def seconds(text: str) -> float | None:
    """Read a length of time, in seconds; None where it is none.

    >>> seconds("2h"), seconds("1h30m"), seconds("90"), seconds("1:30:00"), seconds("soon")
    (7200.0, 5400.0, 90.0, 5400.0, None)
    """
    word = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", word):
        return float(word)
    if match := re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", word):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return float(days * 86400 + hours * 3600 + minutes * 60 + rest)
    if word and not _PARTS.sub("", word).strip():
        return sum(float(number) * _UNITS[unit] for number, unit in _PARTS.findall(word))
    return None


def spoken(length: float) -> str:
    """Write a length of time for people.

    >>> spoken(5), spoken(321), spoken(3905), spoken(200000)
    ('5 s', '5 min', '1 h 5 min', '2 d 7 h')
    """
    for size, unit, smaller, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 0, ""),
    ):
        if length >= size:
            rest = int(length % size // smaller) if smaller else 0
            return f"{int(length // size)} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{length:.0f} s"
