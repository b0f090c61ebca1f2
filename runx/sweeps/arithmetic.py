"""What expressions can do with values: null passes through, and nothing grows without bound."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Function: TypeAlias = Callable[..., Any]

_MOST_BITS = 4096

_MOST_PLACES = 300


class Unfit(Exception):
    """Values that an operation does not take; the message says which."""


def _numeric(operation: Function) -> Function:
    """Let an operation see numbers alone; null makes null of it."""

    def applied(one: Any, other: Any) -> Any:
        if one is None or other is None:
            return None
        if not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
            raise Unfit(f"{shown(one)} and {shown(other)} are not both numbers")
        result = operation(one, other)
        if isinstance(result, int) and result.bit_length() > _MOST_BITS:
            raise Unfit("the result is too large")
        return result

    return applied


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, str) and isinstance(other, str):
        return one + other
    if isinstance(one, tuple) and isinstance(other, tuple):
        return one + other
    if isinstance(one, str) or isinstance(other, str):
        raise Unfit(f"{shown(one)} and {shown(other)} don't add; write str(...) around the number")
    return _numeric(operator.add)(one, other)


def _power(base: float, exponent: float) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and int(base).bit_length() * abs(exponent) > _MOST_BITS:
        raise Unfit(f"{base} ** {exponent} is too large")
    result: Any = base**exponent
    if isinstance(result, complex):
        raise Unfit(f"{base} ** {exponent} is no real number")
    return result


def _ordered(comparison: Function) -> Function:
    def compared(one: Any, other: Any) -> bool:
        if one is None or other is None:
            return False
        try:
            return bool(comparison(one, other))
        except TypeError:
            raise Unfit(f"{shown(one)} can't be compared with {shown(other)}") from None

    return compared


def _contained(one: Any, other: Any) -> bool:
    if isinstance(other, str) and not isinstance(one, str):
        raise Unfit(f"{shown(one)} is no text, so it is not looked for in {shown(other)}")
    if not isinstance(other, (str, tuple)):
        raise Unfit(f"{shown(other)} is neither a list nor text; write in (...)")
    return one in other


def _within(wanted: bool) -> Function:
    def looked_for(one: Any, other: Any) -> bool:
        return one is not None and other is not None and _contained(one, other) is wanted

    return looked_for


def _through_null(function: Function) -> Function:
    """Make null of a function of null."""

    def called(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return called


def _length(value: Any) -> int:
    if not isinstance(value, (str, tuple)):
        raise Unfit(f"{shown(value)} has no length")
    return len(value)


def _rounded(number: float, places: int | None = None) -> float:
    if places is not None and not (isinstance(places, int) and abs(places) <= _MOST_PLACES):
        raise Unfit(f"{shown(places)} is no number of places")
    return round(number, places)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


BINARY: Mapping[type[ast.operator], Function] = {
    ast.Add: _added,
    ast.Sub: _numeric(operator.sub),
    ast.Mult: _numeric(operator.mul),
    ast.Div: _numeric(operator.truediv),
    ast.FloorDiv: _numeric(operator.floordiv),
    ast.Mod: _numeric(operator.mod),
    ast.Pow: _numeric(_power),
}

COMPARISONS: Mapping[type[ast.cmpop], Function] = {
    ast.Eq: _ordered(operator.eq),
    ast.NotEq: _ordered(operator.ne),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _within(True),
    ast.NotIn: _within(False),
}

UNARY: Mapping[type[ast.unaryop], Function] = {
    ast.USub: lambda value: _numeric(operator.sub)(0, value),
    ast.UAdd: lambda value: _numeric(operator.add)(0, value),
    ast.Not: operator.not_,
}

_OF_VALUES: Mapping[str, Function] = {
    "abs": abs,
    "ceil": math.ceil,
    "exp": math.exp,
    "float": float,
    "floor": math.floor,
    "int": int,
    "isnan": math.isnan,
    "len": _length,
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "max": max,
    "min": min,
    "round": _rounded,
    "sqrt": math.sqrt,
    "str": _text,
}

FUNCTIONS: Mapping[str, Function] = {
    name: _through_null(function) for name, function in _OF_VALUES.items()
}
"""Functions that an expression may call."""


def item_of(values: Any, index: Any) -> Any:
    """Give an item of a list, or a letter of a text, by its place.

    >>> item_of((0.9, 0.999), -1)
    0.999
    """
    if values is None or index is None:
        return None
    if not isinstance(values, (str, tuple)) or not isinstance(index, int):
        raise Unfit(f"{shown(values)}[{shown(index)}] is no item of a list")
    if not -len(values) <= index < len(values):
        raise Unfit(f"{shown(values)} has no item {index}")
    return values[index]


def shown(value: Any) -> str:
    """Show a value in an error, shortened.

    >>> shown("x" * 50), shown(None), shown(0.1)
    ("'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'", 'null', '0.1')
    """
    if value is None:
        return "null"
    if isinstance(value, str) and len(value) > 30:
        return repr(value[:30] + "...")
    return repr(value)
