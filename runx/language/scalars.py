"""What a YAML scalar means: YAML 1.2's core schema, where PyYAML alone would read YAML 1.1."""

from __future__ import annotations

import re

from runx.sweeps.values import Scalar

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
