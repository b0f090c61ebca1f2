"""Expressions in RUNX.SKIP, computed values and ``--where``: Python's grammar, a few of its nodes.

A name that is known and not given is null; a comparison with null is false. What is not listed
here, attributes, methods and files before all, is not there.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass

from runx.errors import ExpressionError
from runx.language.evaluation import COLON, Compiler, Names, Step
from runx.sweeps.values import Value

_LONGEST, _DEEPEST = 10_000, 60
_LEXED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<=\w):(?=\w)""", re.DOTALL)
_FOREIGN = {"&&": "and", "||": "or", "!": "not", "=": "=="}
_FOREIGN_SIGN = re.compile(r"&&|\|\||!(?!=)|(?<![=!<>])=(?!=)")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that may be evaluated many times."""

    text: str
    names: frozenset[str]
    step: Step

    def evaluate(self, names: Names) -> Value:
        """Give the expression's value where names have these.

        >>> parse("lr < 0.1 and opt in ('sgd', 'adam')", ["lr", "opt"]).evaluate({"lr": 0.01})
        False
        """
        value: Value = self.step(names)
        return value

    def holds(self, names: Names) -> bool:
        """Tell whether the expression is true where names have these values.

        >>> parse("lr * 2 == 1", ["lr"]).holds({"lr": 0.5})
        True
        """
        return bool(self.step(names))


def parse(text: str, known: Collection[str]) -> Expression:
    """Read an expression over known names.

    >>> parse("optimizer.lr * hp['batch-size']", ["optimizer.lr", "batch-size"]).evaluate(
    ...     {"optimizer.lr": 0.1, "batch-size": 64})
    6.4
    >>> parse("x < 3", ["lr"])
    Traceback (most recent call last):
    runx.errors.ExpressionError: x < 3: column 1: x is unknown: known are: lr
    """
    line = re.sub(r"[\r\n]", " ", text)
    compiler = Compiler(line, known)
    step = compiler.step(_tree(line))
    return Expression(line, frozenset(compiler.used), step)


def _tree(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ExpressionError(f"{text[:40]}...: {len(text)} characters are too long an expression")
    lexed = _LEXED.sub(lambda found: found[1] or COLON, text)
    indent = len(lexed) - len(lexed.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(lexed.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(
            _explained(text, indent + error.offset if error.offset else len(text) + 1)
        ) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"{text}: can't be read; write a simpler expression") from None
    _check_depth(text, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = indent + len(lexed.strip().encode()[: node.col_offset].decode())
    return tree


def _check_depth(text: str, tree: ast.expr) -> None:
    """Refuse what would run out of stack, here or when it is evaluated."""
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ExpressionError(f"{text[:40]}...: nested more than {_DEEPEST} deep; simplify it")


def _explained(text: str, column: int) -> str:
    for found in _FOREIGN_SIGN.finditer(re.sub(_LEXED, lambda lexed: "." * len(lexed[0]), text)):
        meant = _FOREIGN[found[0]]
        return f"{text}: column {found.start() + 1}: write `{meant}` for `{found[0]}`"
    return f"{text}: column {column}: no expression; write it as `lr < 0.1 and opt == 'sgd'`"
