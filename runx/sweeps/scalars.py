"""Scalars: what YAML's mean (1.2's core schema), and numbers, values and durations as text."""

from __future__ import annotations

import re

from runx.sweeps.values import Scalar, Value

TRUTH_IN_YAML_11 = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""The truth values that YAML 1.1 makes of unquoted words, in lower case."""

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")

_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")

_INT = re.compile(r"[-+]?[0-9]+\Z")

_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")

_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")

# Python refuses to make an int of more digits, and such a text is no number to anyone.
_MOST_DIGITS = 4000

# A number of so many digits is no time that anybody waits for.
_LONGEST_DURATION = 40

_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None)}

_DIGITS = 12

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def scalar(text: str) -> Scalar:
    """Return the scalar that an unquoted text is.

    >>> [scalar(text).value for text in ("1e-3", "010", "0x1F", "no", "~", "4:00:00", "1_000")]
    [0.001, 10, 31, 'no', None, '4:00:00', '1_000']
    """
    if _NULL.match(text):
        return Scalar(None, text)
    if _BOOL.match(text):
        return Scalar(text.lower() == "true", text)
    if _INT.match(text):
        return Scalar(int(text) if len(text) <= _MOST_DIGITS else text, text)
    if _BASED.match(text) and len(text) <= _MOST_DIGITS * 3 // 4:
        return Scalar(int(text[2:], 8 if text[1] == "o" else 16), text)
    if _FLOAT.match(text):
        return Scalar(float(text), text)
    if _NOT_FINITE.match(text):
        return Scalar(float(text.lower().replace(".", "")), text)
    return Scalar(text, text)


def quoted(text: str) -> Scalar:
    """Return the scalar that a quoted text is: a string, whatever it looks like.

    >>> quoted("1")
    Scalar(value='1', text='1', plain=False)
    """
    return Scalar(text, text, plain=False)


def tagged(text: str, kind: str) -> Scalar | None:
    """Return a scalar of the type that its tag names, or None where it can't be that.

    >>> tagged("1", "str"), tagged("1", "float").value, tagged("x", "int")
    (Scalar(value='1', text='1', plain=False), 1.0, None)
    """
    if kind == "str":
        return quoted(text)
    plain = scalar(text)
    if kind == "float" and type(plain.value) is int:
        return Scalar(float(plain.value), text)
    return plain if type(plain.value) is _TYPES.get(kind) else None


def written(number: float) -> str:
    """Return a number as a person writes it; reading it gives the same number.

    >>> [written(number) for number in (1e-05, 0.001, 1.0, 1e16, 2.5e-07, 3, float("inf"))]
    ['1e-5', '0.001', '1', '1e16', '2.5e-7', '3', '.inf']
    """
    text = repr(number)
    if "n" in text:
        return text.replace("inf", ".inf").replace("nan", ".nan")
    text = re.sub(r"e([-+])0*", lambda match: "e-" if match[1] == "-" else "e", text)
    return text.removesuffix(".0")


def number(value: float, digits: int = _DIGITS) -> Scalar:
    """Return the scalar that a person would write for a result of binary arithmetic.

    >>> number(0.0010000000000000002), number(100.0)
    (Scalar(value=0.001, text='0.001', plain=True), Scalar(value=100, text='100', plain=True))
    """
    return scalar(written(float(f"{value:.{digits}g}") if isinstance(value, float) else value))


def value_text(value: Value) -> str:
    """Return a value as it stands inside a text.

    >>> value_text(1e-05), value_text(True), value_text(None), value_text((1, "a"))
    ('1e-5', 'true', 'None', '[1,a]')
    """
    if value is None or isinstance(value, str):
        return value or ("" if value == "" else "None")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ",".join(map(value_text, value)) + "]"
    return written(value)


def seconds(text: str) -> float | None:
    """Return a duration in seconds, or None where the text is none.

    >>> seconds("2h"), seconds("1h30m"), seconds("90"), seconds("1:30:00"), seconds("soon")
    (7200.0, 5400.0, 90.0, 5400.0, None)
    """
    text = text.strip().lower()
    if len(text) > _LONGEST_DURATION:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if match := re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", text):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return float(days * 86400 + hours * 3600 + minutes * 60 + rest)
    if text and not _PARTS.sub("", text).strip():
        return sum(float(count) * _UNITS[unit] for count, unit in _PARTS.findall(text))
    return None


def duration_text(duration: float) -> str:
    """Return a duration in seconds as people write it.

    >>> duration_text(5), duration_text(321), duration_text(3905), duration_text(200000)
    ('5 s', '5 min', '1 h 5 min', '2 d 7 h')
    """
    for size, unit, smaller, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 0, ""),
    ):
        if duration >= size:
            rest = int(duration % size // smaller) if smaller else 0
            return f"{int(duration // size)} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{duration:.0f} s"
