"""The space of a search: its parameters, those of RUNX.CASES under a condition, and its points.

Samplers see a point as **parts**: a number of [0, 1) for each dimension, None where a dimension
isn't there in this case. Parts are what values are drawn from, so they are evenly spread where the
ranges are: by ratio for a loguniform, by likelihood for a normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeAlias

from runx.errors import SweepError
from runx.search.parameters import Parameter, choice_of, parameter_of
from runx.sweeps.axes import CASES, GROUPS, SKIP, Locator, values
from runx.sweeps.identity import canonical
from runx.sweeps.merge import several_cases
from runx.sweeps.searched import is_searched
from runx.sweeps.values import Hparam, Node, Value

Parts: TypeAlias = "tuple[float | None, ...]"
"""A point as samplers see it: a number of [0, 1) for each dimension of the space, or None."""

Values: TypeAlias = Mapping[str, Value]
"""A point as users see it: the values of the hyperparameters, by their names."""


class Condition(NamedTuple):
    """A dimension is there where another one, of cases, takes this option."""

    dimension: int
    option: int


class Dimension(NamedTuple):
    """A parameter of a space, or a choice among cases; these have no name."""

    parameter: Parameter
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """What a search chooses from. A condition's dimension stands before those that it governs.

    ``allows`` is false of the points that RUNX.SKIP drops.
    """

    dimensions: tuple[Dimension, ...]
    allows: Callable[[Values], bool] = field(default=lambda values: True, compare=False)

    def point(self, parts: Parts) -> tuple[Hparam, ...]:
        """Return the hyperparameters that parts stand for."""
        return tuple(
            dimension.parameter.value(part)
            for dimension, part in zip(self.dimensions, parts, strict=True)
            if part is not None and dimension.parameter.name
        )

    def parts(self, values: Values) -> Parts | None:
        """Return the parts of a point, or None where it isn't of this space.

        Other names among the values don't count.
        """
        parts: list[float | None] = []
        for index, dimension in enumerate(self.dimensions):
            if not self.is_there(dimension, parts):
                parts.append(None)
                continue
            name = dimension.parameter.name
            if not name:
                part = self._case_of(index, values)
            else:
                part = dimension.parameter.part(values.get(name))
            if part is None:
                return None
            parts.append(part)
        return tuple(parts)

    def filled(self, numbers: Iterator[float]) -> Parts:
        """Return parts of numbers from [0, 1), one for each dimension, whether it is there or not.

        They are moved to where the values lie that they stand for.
        """
        parts: list[float | None] = []
        for dimension, number in zip(self.dimensions, numbers, strict=False):
            there = self.is_there(dimension, parts)
            parts.append(dimension.parameter.snapped(number) if there else None)
        return tuple(parts)

    def is_open(self, parts: Parts) -> bool:
        """Return whether RUNX.SKIP lets a point be."""
        return self.allows(values_of(self.point(parts)))

    def is_there(self, dimension: Dimension, parts: list[float | None]) -> bool:
        """Return whether a dimension is there, given the parts of those before it."""
        if dimension.when is None:
            return True
        part = parts[dimension.when.dimension]
        chooser = self.dimensions[dimension.when.dimension].parameter
        return part is not None and chooser.place(part) == dimension.when.option

    @property
    def size(self) -> int | None:
        """The number of points, or None where there is no end of them."""
        return self._size(None)

    def _size(self, when: Condition | None) -> int | None:
        total = 1
        for index, (parameter, condition) in enumerate(self.dimensions):
            if condition != when:
                continue
            options = parameter.size
            if options is not None and not parameter.name:
                inner = [self._size(Condition(index, option)) for option in range(options)]
                options = None if None in inner else sum(each or 0 for each in inner)
            if options is None:
                return None
            total *= options
        return total

    def all_parts(self, before: Parts = ()) -> Iterator[Parts]:
        """Yield all points of a space that has an end."""
        if len(before) == len(self.dimensions):
            yield before
            return
        dimension = self.dimensions[len(before)]
        if not self.is_there(dimension, list(before)):
            yield from self.all_parts((*before, None))
            return
        for place in range(dimension.parameter.size or 0):
            yield from self.all_parts((*before, dimension.parameter.part_of_place(place)))

    def _case_of(self, index: int, values: Values) -> float | None:
        """Return the part of the case that has most of a point's values, if any has all its own."""
        chooser = self.dimensions[index].parameter
        matching: dict[int, int] = {}
        for option in range(chooser.size or 0):
            own = [
                parameter
                for parameter, when in self.dimensions
                if when == Condition(index, option) and parameter.name
            ]
            if all(each.part(values.get(each.name)) is not None for each in own):
                matching[option] = len(own)
        if not matching:
            return None
        return chooser.part_of_place(max(matching, key=lambda option: matching[option]))


def key_of(space: Space, values: Values) -> frozenset[tuple[str, str]]:
    """Return what two equal points have in common: 1 and 1.0 are one, 1 and true two."""
    names = {parameter.name for parameter, _ in space.dimensions}
    return frozenset(
        (name, repr(canonical(value)))
        for name, value in values.items()
        if name in names and value is not None
    )


def values_of(point: tuple[Hparam, ...]) -> dict[str, Value]:
    """Return the values of a point by name."""
    return {each.name: each.value for each in point}


def space_of(hparams: Mapping[str, Node], at: Locator) -> Space:
    """Return the space of the keys of HPARAMS that a search chooses.

    >>> from runx.sweeps.yaml import parse
    >>> text = "lr: {loguniform: [0.01, 1]}\\nRUNX.CASES: [{opt: sgd}, {opt: adam, b: [1, 2]}]"
    >>> document = parse(text, "x.yml")
    >>> space = space_of(document.tree, document.at)
    >>> values_of(space.point(space.parts({"opt": "adam", "b": 2, "lr": 0.1})))
    {'lr': 0.1, 'opt': 'adam', 'b': 2}
    """
    dimensions: list[Dimension] = []
    _add(dimensions, hparams, at, None)
    _check_names(dimensions, at)
    return Space(tuple(dimensions))


def _add(
    dimensions: list[Dimension],
    hparams: Mapping[str, Node],
    at: Locator,
    when: Condition | None,
) -> None:
    for name, node in hparams.items():
        if name == CASES:
            several = several_cases(node)
            for nth, cases in enumerate(several):
                path = (CASES,) if several == [node] else (CASES, nth)
                _add_cases(dimensions, cases, partial(at, *path), when)
        elif name in GROUPS or name == SKIP:
            raise SweepError(f"{at(name)}: {name} can't stand in a case of a search")
        elif is_searched(name, node):
            dimensions.append(Dimension(parameter_of(name, node, at), when))
        else:
            options = values(name, node, at)
            dimensions.append(Dimension(choice_of(name, options), when))


def _add_cases(
    dimensions: list[Dimension], cases: Node, at: Locator, when: Condition | None
) -> None:
    if not isinstance(cases, list) or not cases:
        raise SweepError(f"{at()}: {CASES} takes a list of mappings, `- key: value`")
    index = len(dimensions)
    numbers = [Hparam("", place, str(place)) for place in range(len(cases))]
    dimensions.append(Dimension(choice_of("", numbers)._replace(is_ordered=False), when))
    for option, case in enumerate(cases):
        if not isinstance(case, dict):
            raise SweepError(f"{at(option)}: {CASES} takes mappings, `- key: value`")
        _add(dimensions, case, partial(at, option), Condition(index, option))


def _check_names(dimensions: list[Dimension], at: Locator) -> None:
    """Raise if two dimensions that are there together have one name."""
    seen: dict[str, list[Condition | None]] = {}
    for parameter, when in dimensions:
        for other in seen.setdefault(parameter.name, []):
            if parameter.name and not _exclude(dimensions, when, other):
                raise SweepError(f"{at(CASES)}: {parameter.name} is set twice; keep one")
        seen[parameter.name].append(when)


def _exclude(dimensions: list[Dimension], one: Condition | None, other: Condition | None) -> bool:
    """Return whether two conditions can't hold together: they need two options of one choice."""
    chosen = dict(_needed(dimensions, one))
    return any(
        chosen.get(dimension, option) != option for dimension, option in _needed(dimensions, other)
    )


def _needed(dimensions: list[Dimension], when: Condition | None) -> Iterator[Condition]:
    while when is not None:
        yield when
        when = dimensions[when.dimension].when
