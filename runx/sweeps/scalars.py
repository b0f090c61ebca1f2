"""What a YAML scalar means: YAML 1.2's core schema, where PyYAML alone would read YAML 1.1."""

from __future__ import annotations

import re

from runx.sweeps.values import Scalar, Value

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")


_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")


_INT = re.compile(r"[-+]?[0-9]+\Z")


_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")


_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")


_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


# Python refuses to make an int of more digits, and such a thing is no number to anyone.
_MOST_DIGITS = 4000


_YAML_11 = {"yes": "true", "on": "true", "no": "false", "off": "false"}


_KINDS = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None)}


def scalar(text: str) -> Scalar:
    """Read an unquoted scalar.

    >>> [scalar(text).value for text in ("1e-3", "010", "0x1F", "no", "~", "4:00:00", "1_000")]
    [0.001, 10, 31, 'no', None, '4:00:00', '1_000']
    """
    if _NULL.match(text):
        return Scalar(None, text)
    if _BOOL.match(text):
        return Scalar(text.lower() == "true", text)
    return Scalar(_number(text), text)


def quoted(text: str) -> Scalar:
    """Make the scalar that a quoted text is: a string, whatever it looks like.

    >>> quoted("1")
    Scalar(value='1', text='1', plain=False)
    """
    return Scalar(text, text, plain=False)


def tagged(text: str, kind: str) -> Scalar | None:
    """Read a scalar whose tag says what it is; None where it can't be that.

    >>> tagged("1", "str"), tagged("1", "float").value, tagged("x", "int")
    (Scalar(value='1', text='1', plain=False), 1.0, None)
    """
    if kind == "str":
        return quoted(text)
    found = scalar(text)
    if kind == "float" and type(found.value) is int:
        return Scalar(float(found.value), text)
    return found if type(found.value) is _KINDS.get(kind) else None


def meant_in_yaml_11(found: Scalar) -> str | None:
    """Name the truth value that YAML 1.1 would have made of an unquoted word.

    >>> meant_in_yaml_11(scalar("no")), meant_in_yaml_11(quoted("no"))
    ('false', None)
    """
    return _YAML_11.get(found.text.lower()) if found.plain else None


def _number(text: str) -> int | float | str:
    if _INT.match(text):
        return int(text) if len(text) <= _MOST_DIGITS else text
    if _BASED.match(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        return float(text)
    if _NOT_FINITE.match(text):
        return float(text.lower().replace(".", ""))
    return text


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
