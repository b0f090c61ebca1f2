"""Expressions in RUNX.SKIP, computed values and ``--where``: Python's grammar, a few of its nodes.

A known name without a value is null; a comparison with null is false. Whatever is not listed here
is refused: attributes, methods and files before all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from runx.errors import ExpressionError
from runx.nearest import suggestion
from runx.sweeps.arithmetic import (
    BINARY,
    COMPARISONS,
    FUNCTIONS,
    UNARY,
    OperandError,
    bounded,
    item_of,
)
from runx.sweeps.expression_tree import COLON, cut, tree_of
from runx.sweeps.values import Value

Names: TypeAlias = Mapping[str, Any]
"""The values of names."""

Step: TypeAlias = Callable[[Names], Any]
"""A compiled part of an expression."""

_CONSTANTS = {"none": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that may be evaluated many times."""

    text: str
    names: frozenset[str]
    step: Step
    known_names: Collection[str] = ()

    def evaluate(self, names: Names) -> Value:
        """Return the value of the expression for values of its names.

        >>> parse("lr < 0.1 and opt in ('sgd', 'adam')", ["lr", "opt"]).evaluate({"lr": 0.01})
        False
        """
        value: Value = self.step(names)
        return value

    def holds(self, names: Names) -> bool:
        """Return whether the expression is true for values of its names.

        >>> parse("lr * 2 == 1", ["lr"]).holds({"lr": 0.5})
        True
        """
        return bool(self.step(names))

    def choose(self, candidates: Iterable[Names]) -> list[bool]:
        """Return for each of some candidates, such as runs, whether the expression holds.

        One whose values don't fit, such as text where others have numbers, stops nothing: what
        can't be computed of it is null, and a comparison of what can't be compared is false.

        Raises:
            ExpressionError: The values of no candidate fit.

        >>> parse("lr > 0.05", ["lr"]).choose([{"lr": 0.1}, {"lr": "auto"}, {"lr": None}])
        [True, False, False]
        """
        lenient: Step | None = None
        errors, chosen = [], []
        for names in candidates:
            try:
                holds = self.step(names)
            except ExpressionError as error:
                errors.append(error)
                if lenient is None:
                    compiler = _Compiler(self.text, self.known_names, lenient=True)
                    lenient = compiler.step(tree_of(self.text))
                holds = lenient(names)
            chosen.append(bool(holds))
        if errors and len(errors) == len(chosen) and not any(chosen):
            raise errors[0]
        return chosen


def parse(text: str, known_names: Collection[str]) -> Expression:
    """Return the expression that a text is, over known names.

    Raises:
        ExpressionError: The text is none, or has an unknown name.

    >>> parse("optimizer.lr * hp['batch-size']", ["optimizer.lr", "batch-size"]).evaluate(
    ...     {"optimizer.lr": 0.1, "batch-size": 64})
    6.4
    >>> parse("x < 3", ["lr"])
    Traceback (most recent call last):
    runx.errors.ExpressionError: x < 3: column 1: x is unknown: known are: lr
    """
    line = re.sub(r"[\r\n]", " ", text)
    compiler = _Compiler(line, known_names)
    step = compiler.step(tree_of(line))
    return Expression(line, frozenset(compiler.used), step, known_names)


class _Compiler:
    """Compiles trees over known names, and collects those that are used. Errors show the column.

    A ``lenient`` one makes steps that are null, or false, where values don't fit.
    """

    def __init__(self, text: str, known_names: Collection[str], lenient: bool = False) -> None:
        self.text = text
        self.known_names = known_names
        self.lenient = lenient
        self.used: set[str] = set()

    def step(self, node: ast.expr) -> Step:
        """Return the compiled node."""
        name = self._name(node)
        if name is not None:
            return self._lookup(name, node)
        for kind, compiled in self._KINDS.items():
            if isinstance(node, kind):
                return compiled(self, node)
        raise self._error(
            node, f"{type(node).__name__} is not part of an expression; see docs/sweeps.md"
        )

    def _name(self, node: ast.expr) -> str | None:
        """Return the name that a node is, dotted or in ``hp['...']``, or None."""
        if isinstance(node, ast.Name):
            return node.id.replace(COLON, ":")
        if isinstance(node, ast.Attribute):
            before = self._name(node.value)
            return None if before is None else f"{before}.{node.attr.replace(COLON, ':')}"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            index = node.slice
            if node.value.id == "hp" and isinstance(index, ast.Constant):
                return str(index.value)
        return None

    def _lookup(self, name: str, node: ast.expr) -> Step:
        if name in self.known_names:
            self.used.add(name)
            return lambda names: names.get(name)
        if name.lower() in _CONSTANTS:
            constant = _CONSTANTS[name.lower()]
            return lambda names: constant
        # Of the environment, the nearest alone.
        listed = [each for each in self.known_names if not each.startswith("env.")]
        raise self._error(node, f"{name} is unknown: {suggestion(name, listed, self.known_names)}")

    def _constant(self, node: ast.Constant) -> Step:
        value = node.value
        if not (value is None or isinstance(value, (bool, int, float, str))):
            raise self._error(node, f"{value!r} is no value here")
        return lambda names: value

    def _logical(self, node: ast.BoolOp) -> Step:
        first, *others = [self.step(operand) for operand in node.values]
        decisive = isinstance(node.op, ast.Or)

        def evaluated(names: Names) -> Any:
            value = first(names)
            for other in others:
                if bool(value) is decisive:
                    return value
                value = other(names)
            return value

        return evaluated

    def _binary(self, node: ast.BinOp) -> Step:
        operation = BINARY.get(type(node.op))
        if operation is None:
            raise self._error(
                node, f"{type(node.op).__name__} is no operation here; + - * / // % ** are"
            )
        return self._applied(node, operation, [node.left, node.right])

    def _unary(self, node: ast.UnaryOp) -> Step:
        operation = UNARY.get(type(node.op))
        if operation is None:
            raise self._error(node, "~ is no operation here; write `not`")
        return self._applied(node, operation, [node.operand])

    def _call(self, node: ast.Call) -> Step:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name not in FUNCTIONS or node.keywords:
            raise self._error(node, f"{name}() can't be called so: {suggestion(name, FUNCTIONS)}")
        return self._applied(node, FUNCTIONS[name], node.args)

    def _comparison(self, node: ast.Compare) -> Step:
        links = zip([node.left, *node.comparators[:-1]], node.ops, node.comparators, strict=True)
        steps = [self._link(node, left, kind, right) for left, kind, right in links]
        return lambda names: all(step(names) for step in steps)

    def _link(self, node: ast.expr, left: ast.expr, kind: ast.cmpop, right: ast.expr) -> Step:
        """Return one compiled comparison of a chain. With a literal null, == is Python's ``is``."""
        is_null = self._is_null(left) or self._is_null(right)
        if is_null and isinstance(kind, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            first, second = self.step(left), self.step(right)
            expected = isinstance(kind, (ast.Is, ast.Eq))
            return lambda names: (first(names) is second(names)) is expected
        if isinstance(kind, (ast.Is, ast.IsNot)):
            raise self._error(node, "`is` compares with none alone; write == or !=")
        return self._applied(node, COMPARISONS[type(kind)], [left, right])

    def _is_null(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant):
            return node.value is None
        return (
            isinstance(node, ast.Name)
            and node.id not in self.known_names
            and node.id in ("none", "null")
        )

    def _choice(self, node: ast.IfExp) -> Step:
        test, body, otherwise = (self.step(part) for part in (node.test, node.body, node.orelse))
        return lambda names: body(names) if test(names) else otherwise(names)

    def _items(self, node: ast.Tuple | ast.List) -> Step:
        return self._applied(node, lambda *items: items, list(node.elts))

    def _item(self, node: ast.Subscript) -> Step:
        return self._applied(node, item_of, [node.value, node.slice])

    def _applied(
        self, node: ast.expr, operation: Callable[..., Any], operands: list[ast.expr]
    ) -> Step:
        """Return a compiled operation, whose errors show the column, or are null or false."""
        steps = [self.step(operand) for operand in operands]
        instead = False if isinstance(node, ast.Compare) else None

        def applied(names: Names) -> Any:
            values = [step(names) for step in steps]
            try:
                result = operation(*values)
                return bounded(result) if isinstance(result, (str, tuple)) else result
            except (OperandError, ArithmeticError, ValueError, TypeError) as error:
                if self.lenient:
                    return instead
                raise self._error(node, str(error)) from None

        return applied

    def _error(self, node: ast.expr, problem: str) -> ExpressionError:
        return ExpressionError(f"{cut(self.text)}: column {node.col_offset + 1}: {problem}")

    _KINDS: Mapping[type[ast.expr], Callable[..., Step]] = {
        ast.Constant: _constant,
        ast.BoolOp: _logical,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Call: _call,
        ast.Compare: _comparison,
        ast.IfExp: _choice,
        ast.Tuple: _items,
        ast.List: _items,
        ast.Subscript: _item,
    }
