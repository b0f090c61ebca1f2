"""The operations and functions of expressions: null makes null, and no result grows unbounded."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Function: TypeAlias = Callable[..., Any]

_MOST_BITS = 4096

_MOST_PLACES = 300

_MOST_ITEMS, _DEEPEST = 100_000, 60


class OperandError(Exception):
    """An operation does not take its values, which the message shows."""


def _numeric(operation: Function) -> Function:
    """Return an operation that takes numbers alone, and is null for null."""

    def applied(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise OperandError(f"{shown(left)} and {shown(right)} are not both numbers")
        result = operation(left, right)
        if isinstance(result, int) and result.bit_length() > _MOST_BITS:
            raise OperandError("the result is too large")
        return result

    return applied


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        both = f"{shown(left)} and {shown(right)}"
        raise OperandError(f"{both} don't add; write str(...) around the number")
    return _numeric(operator.add)(left, right)


def _power(base: float, exponent: float) -> Any:
    integers = isinstance(base, int) and isinstance(exponent, int)
    if integers and int(base).bit_length() * abs(exponent) > _MOST_BITS:
        raise OperandError(f"{base} ** {exponent} is too large")
    result: Any = base**exponent
    if isinstance(result, complex):
        raise OperandError(f"{base} ** {exponent} is no real number")
    return result


def _comparing(comparison: Function) -> Function:
    """Return a comparison that is false with null."""

    def compared(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        try:
            return bool(comparison(left, right))
        except TypeError:
            raise OperandError(f"{shown(left)} can't be compared with {shown(right)}") from None

    return compared


def _contains(item: Any, values: Any) -> bool:
    if isinstance(values, str) and not isinstance(item, str):
        raise OperandError(f"{shown(item)} is no text, so it is not looked for in {shown(values)}")
    if not isinstance(values, (str, tuple)):
        raise OperandError(f"{shown(values)} is neither a list nor text; write in (...)")
    return item in values


def _membership(expected: bool) -> Function:
    def is_member(item: Any, values: Any) -> bool:
        return item is not None and values is not None and _contains(item, values) is expected

    return is_member


def _through_null(function: Function) -> Function:
    """Return a function that is null where an argument is."""

    def applied(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return applied


def _length(value: Any) -> int:
    if not isinstance(value, (str, tuple)):
        raise OperandError(f"{shown(value)} has no length")
    return len(value)


def _rounded(number: float, places: int | None = None) -> float:
    if places is not None and not (isinstance(places, int) and abs(places) <= _MOST_PLACES):
        raise OperandError(f"{shown(places)} is no number of places")
    return round(number, places)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


BINARY: Mapping[type[ast.operator], Function] = {
    ast.Add: _add,
    ast.Sub: _numeric(operator.sub),
    ast.Mult: _numeric(operator.mul),
    ast.Div: _numeric(operator.truediv),
    ast.FloorDiv: _numeric(operator.floordiv),
    ast.Mod: _numeric(operator.mod),
    ast.Pow: _numeric(_power),
}

COMPARISONS: Mapping[type[ast.cmpop], Function] = {
    ast.Eq: _comparing(operator.eq),
    ast.NotEq: _comparing(operator.ne),
    ast.Lt: _comparing(operator.lt),
    ast.LtE: _comparing(operator.le),
    ast.Gt: _comparing(operator.gt),
    ast.GtE: _comparing(operator.ge),
    ast.In: _membership(True),
    ast.NotIn: _membership(False),
}

UNARY: Mapping[type[ast.unaryop], Function] = {
    ast.USub: lambda value: _numeric(operator.sub)(0, value),
    ast.UAdd: lambda value: _numeric(operator.add)(0, value),
    ast.Not: operator.not_,
}

_FUNCTIONS: Mapping[str, Function] = {
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
    name: _through_null(function) for name, function in _FUNCTIONS.items()
}
"""The functions that an expression may call."""


def bounded(value: Any) -> Any:
    """Return a value that is no longer and no deeper than any needs to be.

    Raises:
        OperandError: It is; what is computed from it would soon fill the memory.

    >>> bounded(("a", 1))
    ('a', 1)
    """
    size, level = 0, [value]
    for _ in range(_DEEPEST):
        size += sum(len(item) if isinstance(item, (str, tuple)) else 1 for item in level)
        if size > _MOST_ITEMS:
            raise OperandError(f"the result is longer than {_MOST_ITEMS:,} letters or items")
        level = [inner for item in level if isinstance(item, tuple) for inner in item]
        if not level:
            return value
    raise OperandError(f"the result is a list nested more than {_DEEPEST} deep")


def item_of(values: Any, index: Any) -> Any:
    """Return an item of a list, or a letter of a text, by its index.

    >>> item_of((0.9, 0.999), -1)
    0.999
    """
    if values is None or index is None:
        return None
    if not isinstance(values, (str, tuple)) or not isinstance(index, int):
        raise OperandError(f"{shown(values)}[{shown(index)}] is no item of a list")
    if not -len(values) <= index < len(values):
        raise OperandError(f"{shown(values)} has no item {index}")
    return values[index]


def shown(value: Any) -> str:
    """Return a value as an error shows it, shortened.

    >>> shown("x" * 50), shown(None), shown(0.1)
    ("'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'", 'null', '0.1')
    """
    if value is None:
        return "null"
    if isinstance(value, str) and len(value) > 30:
        return repr(value[:30] + "...")
    return repr(value)
