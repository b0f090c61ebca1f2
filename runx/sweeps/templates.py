"""Values with ``{{ }}`` in them: computed for each point from its other values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from runx.errors import ExpressionError, SweepError
from runx.sweeps.arithmetic import OperandError, bounded
from runx.sweeps.axes import INDEX, SKIP
from runx.sweeps.expressions import Expression, parse
from runx.sweeps.grid import Grid, SweepContext, holds_template
from runx.sweeps.scalars import value_text
from runx.sweeps.values import Hparam, Value

_CUT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)

_ENVIRONMENT = re.compile(r"\benv\.(\w+)")

_DIGITS = 12

_EXPERIMENT, _ENV = "experiment.name", "env."


class Template(NamedTuple):
    """A text with expressions in it: pieces, each with the expression after it, and the end."""

    pieces: tuple[tuple[str, Expression], ...]
    end: str

    @property
    def names(self) -> frozenset[str]:
        """The names that the expressions use."""
        return frozenset(name for _, expression in self.pieces for name in expression.names)


def template(text: str, known_names: Collection[str], where: str) -> Template:
    """Return the template that a value with ``{{ }}`` in it is.

    >>> template("LOGDIR/{{ arch }}.txt", ["arch"], "sweep.yml:3").end
    '.txt'
    """
    *cut, end = _CUT.split(text)
    if "{{" in end:
        raise SweepError(f"{where}: {text}: a {{{{ is never closed; write }}}} after it")
    try:
        expressions = [parse(inner.strip(), known_names) for inner in cut[1::2]]
    except ExpressionError as error:
        missing = [name for name in _ENVIRONMENT.findall(text) if _ENV + name not in known_names]
        if missing:
            raise SweepError(f"{where}: {missing[0]} is not set in the environment") from None
        raise SweepError(f"{where}: {error}") from None
    return Template(tuple(zip(cut[::2], expressions, strict=True)), end)


def evaluated(template: Template, values: Mapping[str, Any], texts: Mapping[str, Hparam]) -> Value:
    """Return the value of a template: typed where it is one expression, else text.

    >>> evaluated(template("{{ a / 4 }}", ["a"], "x"), {"a": 1}, {})
    0.25
    >>> evaluated(template("v{{ a }}", ["a"], "x"), {"a": 0.01}, {"a": Hparam("a", 0.01, "1e-2")})
    'v1e-2'
    """
    pieces = template.pieces
    if len(pieces) == 1 and not pieces[0][0] and not template.end:
        return _rounded(pieces[0][1].evaluate(values))
    filled = ""
    for before, expression in pieces:
        filled = bounded(filled + before + _text(expression, values, texts))
    return filled + template.end


def text_of(value: Value) -> str | tuple[str, ...] | None:
    """Return the text of a computed value, as ``values.Hparam`` has it.

    >>> text_of(0.25), text_of((1, 2.0)), text_of(True)
    ('0.25', ('1', '2'), None)
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, tuple):
        return tuple(value_text(item) for item in value)
    return value_text(value)


def _rounded(value: Value) -> Value:
    """Round off what binary arithmetic adds: 0.1 * 3 is meant to be 0.3."""
    if isinstance(value, float) and abs(value) < float("inf"):
        return float(f"{value:.{_DIGITS}g}")
    return value


def _text(expression: Expression, values: Mapping[str, Any], texts: Mapping[str, Hparam]) -> str:
    """Return the value of an expression as text; a parameter alone keeps its text of the file."""
    name = expression.text
    if name in texts and isinstance(texts[name].text, str):
        return str(texts[name].text)
    return value_text(_rounded(expression.evaluate(values)))


class Templates(NamedTuple):
    """The templates of a grid by their text, and what is needed to evaluate them.

    ``order`` are the parameters that have some, each after those that it ``needs``; ``values`` are
    the values that all points share, ``places`` where a parameter stands, for errors.
    """

    order: tuple[str, ...]
    by_text: Mapping[str, Template]
    values: Mapping[str, Any]
    places: Mapping[str, str]
    needs: Mapping[str, set[str]]


def templates_of(grid: Grid, context: SweepContext) -> Templates:
    """Return all templates of a grid. Raise if one needs itself."""
    values = {_ENV + name: value for name, value in context.environment.items()}
    values[_EXPERIMENT] = context.experiment
    known_names = {*values, INDEX, *grid.names}
    templates: dict[str, Template] = {}
    needs: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for axis in grid.axes:
        choices = (hparam for choice in axis.choices for hparam in choice)
        for hparam in (each for each in choices if not each.is_default):
            for text in filter(holds_template, _texts(hparam.value)):
                places[hparam.name] = grid.at(
                    axis.key, *([hparam.name] * (axis.key != hparam.name))
                )
                if text not in templates:
                    where = f"{places[hparam.name]}: {hparam.name}"
                    templates[text] = template(text, known_names, where)
                needs.setdefault(hparam.name, set()).update(templates[text].names)
    return Templates(_ordered(needs, places), templates, values, places, needs)


def computed(
    templates: Templates, combinations: Iterable[tuple[Hparam, ...]], start: int
) -> Iterator[tuple[Hparam, ...]]:
    """Yield combinations with their values computed. ``start`` is the index of the first."""
    for index, combination in enumerate(combinations, start):
        by_name = {hparam.name: hparam for hparam in combination}
        values = {**templates.values, INDEX: index}
        values |= {hparam.name: hparam.value for hparam in combination}
        for name in templates.order:
            if name in by_name:
                try:
                    by_name[name] = _computed(by_name[name], templates, values, by_name)
                except (ExpressionError, OperandError) as error:
                    raise SweepError(f"{templates.places[name]}: {name}: {error}") from None
                values[name] = by_name[name].value
        yield tuple([by_name[hparam.name] for hparam in combination])


def _computed(
    hparam: Hparam, templates: Templates, values: Mapping[str, Any], by_name: Mapping[str, Hparam]
) -> Hparam:
    def value_of(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(map(value_of, value))
        if isinstance(value, str) and holds_template(value):
            return evaluated(templates.by_text[value], values, by_name)
        return value

    if not holds_template(hparam.value):
        return hparam
    value = bounded(value_of(hparam.value))
    if not (isinstance(value, tuple) and isinstance(hparam.text, tuple)):
        return Hparam(hparam.name, value, text_of(value))
    texts = zip(value, hparam.text, strict=True)
    items = tuple(value_text(item) if holds_template(text) else text for item, text in texts)
    return Hparam(hparam.name, value, items)


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
        needed = " needs ".join(circle)
        raise SweepError(f"{places[circle[0]]}: {needed}; write out one of them") from None
