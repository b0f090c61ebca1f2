"""Values with ``{{ }}`` in them: worked out for each point from its other values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from runx.errors import ExpressionError, SweepError
from runx.language.expressions import Expression, parse
from runx.language.numbertext import spelled
from runx.sweeps.values import Hparam, Value

_CUT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ENVIRONMENT = re.compile(r"\benv\.(\w+)")
_DIGITS = 12


class Template(NamedTuple):
    """A text with expressions in it: literal pieces, each with what follows it, but the last."""

    pieces: tuple[tuple[str, Expression], ...]
    end: str

    @property
    def names(self) -> frozenset[str]:
        """The names that the expressions use."""
        return frozenset(name for _, expression in self.pieces for name in expression.names)


def template(text: str, known: Collection[str], where: str) -> Template:
    """Read a value with ``{{ }}`` in it.

    >>> template("LOGDIR/{{ arch }}.txt", ["arch"], "sweep.yml:3").end
    '.txt'
    """
    *cut, end = _CUT.split(text)
    if "{{" in end:
        raise SweepError(f"{where}: {text}: a {{{{ is never closed; write }}}} after it")
    try:
        told = [parse(inner.strip(), known) for inner in cut[1::2]]
    except ExpressionError as error:
        missing = [name for name in _ENVIRONMENT.findall(text) if f"env.{name}" not in known]
        if missing:
            raise SweepError(f"{where}: {missing[0]} is not set in the environment") from None
        raise SweepError(f"{where}: {error}") from None
    return Template(tuple(zip(cut[::2], told, strict=True)), end)


def filled(made: Template, given: Mapping[str, Any], texts: Mapping[str, Hparam]) -> Value:
    """Give the value of a template: typed where it is one expression, else text.

    >>> whole = template("{{ a / 4 }}", ["a"], "x")
    >>> filled(whole, {"a": 1}, {})
    0.25
    >>> filled(template("v{{ a }}", ["a"], "x"), {"a": 0.01}, {"a": Hparam("a", 0.01, "1e-2")})
    'v1e-2'
    """
    if len(made.pieces) == 1 and not made.pieces[0][0] and not made.end:
        return _tidy(made.pieces[0][1].evaluate(given))
    told = [before + _shown(expression, given, texts) for before, expression in made.pieces]
    return "".join(told) + made.end


def text_of(value: Value) -> str | tuple[str, ...] | None:
    """Give the text of a value that was worked out; see ``values.Hparam``.

    >>> text_of(0.25), text_of((1, 2.0)), text_of(True)
    ('0.25', ('1', '2'), None)
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, tuple):
        return tuple(spelled(item) for item in value)
    return spelled(value)


def _tidy(value: Value) -> Value:
    """Round off what binary arithmetic adds: 0.1 * 3 is 0.3 to whoever wrote it."""
    if isinstance(value, float) and abs(value) < float("inf"):
        return float(f"{value:.{_DIGITS}g}")
    return value


def _shown(expression: Expression, given: Mapping[str, Any], texts: Mapping[str, Hparam]) -> str:
    """Fill in a value; a parameter by itself with the text that it has in the file."""
    name = expression.text
    if name in texts and isinstance(texts[name].text, str):
        return str(texts[name].text)
    return spelled(_tidy(expression.evaluate(given)))
