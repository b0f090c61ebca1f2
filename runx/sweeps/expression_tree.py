"""The text of an expression as Python's tree, with errors that show where and what to write."""

from __future__ import annotations

import ast
import re
import warnings

from runx.errors import ExpressionError

COLON = "\u02d0"
"""A letter that stands for the colon of ``acc:best``, which is a name here and not in Python."""

_LONGEST, _DEEPEST, _SHOWN = 10_000, 60, 200

_LEXED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<=\w):(?=\w)""", re.DOTALL)

_FOREIGN = {"&&": "and", "||": "or", "!": "not", "=": "=="}

_FOREIGN_SIGN = re.compile(r"&&|\|\||!(?!=)|(?<![=!<>])=(?!=)")


def tree_of(text: str) -> ast.expr:
    """Return the tree of an expression; COLON stands in it for the colon of a name.

    Raises:
        ExpressionError: The text is none.
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"{text[:40]}...: {len(text)} characters are too long an expression")
    lexed = _LEXED.sub(lambda match: match[1] or COLON, text)
    indent = len(lexed) - len(lexed.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(lexed.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(
            _explanation(text, indent + error.offset if error.offset else len(text) + 1)
        ) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"{cut(text)}: can't be read; write a simpler expression") from None
    _check_depth(text, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = indent + len(lexed.strip().encode()[: node.col_offset].decode())
    return tree


def _check_depth(text: str, tree: ast.expr) -> None:
    """Raise if a tree is nested so deeply that it would run out of stack."""
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ExpressionError(f"{text[:40]}...: nested more than {_DEEPEST} deep; simplify it")


def cut(text: str) -> str:
    """Return a text as an error shows it, cut where it is long."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _explanation(text: str, column: int) -> str:
    masked = _LEXED.sub(lambda match: "." * len(match[0]), text)
    if match := _FOREIGN_SIGN.search(masked):
        sign = _FOREIGN[match[0]]
        return f"{cut(text)}: column {match.start() + 1}: write `{sign}` for `{match[0]}`"
    return f"{cut(text)}: column {column}: no expression; write it as `lr < 0.1 and opt == 'sgd'`"
