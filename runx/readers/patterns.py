"""Whether a pattern of METRICS can be used: it compiles, has one group, and can't take for ever."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

_WIDE = 3
"""Repeats of what fits nearly anything: each of them is tried at every place of a line."""
_LONG = 10
"""A repeat of at most this many can't take long."""
_FOR_EVER = "may take for ever: "


def problem(pattern: str) -> str | None:
    r"""Return what is wrong with a pattern, None where nothing is.

    >>> problem(r"val acc[:=] ([0-9.]+)")
    >>> problem("acc")
    'needs one group around the number, as ([0-9.]+)'
    >>> problem(r"(a+)+$")
    'may take for ever: a repeat within a repeat; write it without'
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled, tree = re.compile(pattern), _tree(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is no pattern: {error}"
    if compiled.groups != 1 and "value" not in compiled.groupindex:
        return (
            "has several groups; make the others (?:...), or name one (?P<value>...)"
            if compiled.groups
            else "needs one group around the number, as ([0-9.]+)"
        )
    sequences = [*_sequences(tree)]
    repeats = [node for sequence in sequences for node in sequence if _is_repeat(node, 1)]
    if any(_varies(node) for each in repeats for inner in _sequences(each[1][2]) for node in inner):
        return f"{_FOR_EVER}a repeat within a repeat; write it without"
    if any(_is_same(*pair) for sequence in sequences for pair in pairwise(sequence)):
        return f"{_FOR_EVER}two repeats of the same in a row; write one"
    if len([each for each in repeats if _is_wide(each)]) > _WIDE:
        return f"{_FOR_EVER}more than {_WIDE} of .* and the like; write it with fewer"
    return None


def _tree(pattern: str) -> Any:
    """Return a pattern as Python's own parser has it: a list of an operator and its arguments."""
    parser = getattr(re, "_parser", None) or getattr(re, "sre_parse")  # noqa: B009  before 3.11
    return parser.parse(pattern)


def _sequences(tree: Any) -> Iterator[Sequence[Any]]:
    """Yield a sequence of operators, and those within them: of groups, branches and repeats."""
    yield [*tree]
    for _, argument in tree:
        yield from _inner(argument)


def _inner(argument: Any) -> Iterator[Sequence[Any]]:
    if isinstance(argument, (list, tuple)):
        for each in argument:
            yield from _inner(each)
    elif hasattr(argument, "data"):
        yield from _sequences(argument)


def _is_repeat(node: Any, least: int) -> bool:
    """Return whether an operator repeats what is in it more often than ``least``."""
    return str(node[0]).endswith("_REPEAT") and int(node[1][1]) > least


def _varies(node: Any) -> bool:
    """Return whether an operator fits texts of several lengths, or in several ways."""
    name = str(node[0])
    return name == "BRANCH" or (name.endswith("_REPEAT") and node[1][0] != node[1][1])


def _is_same(one: Any, other: Any) -> bool:
    are_long = _is_repeat(one, _LONG) and _is_repeat(other, _LONG)
    return are_long and str(one[1][2]) == str(other[1][2])


def _is_wide(node: Any) -> bool:
    """Return whether a repeat is of what fits nearly anything, without a bound to speak of."""
    return _is_repeat(node, _LONG) and any(
        str(name) in ("ANY", "NOT_LITERAL")
        or (
            str(name) == "IN"
            and any(str(kind) == "NEGATE" or "NOT" in str(it) for kind, it in what)
        )
        for name, what in node[1][2]
    )
