"""The worked-out values of a grid: which depends on which, and filling them in for each point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from runx.errors import ExpressionError, SweepError
from runx.language.numbertext import spelled
from runx.language.templates import Template, filled, template, text_of
from runx.sweeps.axes import INDEX, SKIP
from runx.sweeps.grid import Beside, Grid, holds_template
from runx.sweeps.values import Hparam, Value

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
