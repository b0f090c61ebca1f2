"""Values with ``{{ }}`` in them: worked out for each point from its other values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from runx.errors import ExpressionError, SweepError
from runx.sweeps.axes import INDEX, SKIP
from runx.sweeps.expressions import Expression, parse
from runx.sweeps.grid import Beside, Grid, holds_template
from runx.sweeps.scalars import spelled
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


EXPERIMENT, ENVIRONMENT = "experiment.name", "env."


class Formulas(NamedTuple):
    """The templates of a grid by their text, and the parameters that have some, in order."""

    order: tuple[str, ...]
    templates: Mapping[str, Template]
    given: Mapping[str, Any]
    places: Mapping[str, str]
    needs: Mapping[str, set[str]]


def formulas(grid: Grid, beside: Beside) -> Formulas:
    """Read all templates of a grid. One that needs itself is refused, its circle shown."""
    given = {ENVIRONMENT + name: value for name, value in beside.environment.items()}
    given[EXPERIMENT] = beside.experiment
    known = {*given, INDEX, *grid.names}
    templates: dict[str, Template] = {}
    needs: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for axis in grid.axes:
        for hparam in (hparam for choice in axis.choices for hparam in choice):
            for text in filter(holds_template, _texts(hparam.value)):
                places[hparam.name] = grid.at(
                    axis.key, *([hparam.name] * (axis.key != hparam.name))
                )
                if text not in templates:
                    where = f"{places[hparam.name]}: {hparam.name}"
                    templates[text] = template(text, known, where)
                needs.setdefault(hparam.name, set()).update(templates[text].names)
    return Formulas(_ordered(needs, places), templates, given, places, needs)


def worked_out(
    made: Formulas, combinations: Iterable[tuple[Hparam, ...]], start: int
) -> Iterator[tuple[Hparam, ...]]:
    """Fill in the templates of one combination after another, numbered from ``start``."""
    for index, combination in enumerate(combinations, start):
        by_name = {hparam.name: hparam for hparam in combination}
        given = {**made.given, INDEX: index, **{name: by_name[name].value for name in by_name}}
        for name in made.order:
            if name in by_name:
                try:
                    by_name[name] = _filled(by_name[name], made, given, by_name)
                except ExpressionError as error:
                    raise SweepError(f"{made.places[name]}: {name}: {error}") from None
                given[name] = by_name[name].value
        yield tuple([by_name[hparam.name] for hparam in combination])


def _filled(
    hparam: Hparam, made: Formulas, given: Mapping[str, Any], by_name: Mapping[str, Hparam]
) -> Hparam:
    def value_of(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(map(value_of, value))
        if isinstance(value, str) and holds_template(value):
            return filled(made.templates[value], given, by_name)
        return value

    if not holds_template(hparam.value):
        return hparam
    value = value_of(hparam.value)
    if not (isinstance(value, tuple) and isinstance(hparam.text, tuple)):
        return Hparam(hparam.name, value, text_of(value))
    texts = zip(value, hparam.text, strict=True)
    told = tuple(spelled(item) if holds_template(text) else text for item, text in texts)
    return Hparam(hparam.name, value, told)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


def _ordered(needs: Mapping[str, set[str]], places: Mapping[str, str]) -> tuple[str, ...]:
    graph = {name: needed & needs.keys() for name, needed in needs.items() if name != SKIP}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = error.args[1][::-1]
        told = " needs ".join(circle)
        raise SweepError(f"{places[circle[0]]}: {told}; write out one of them") from None
