"""A parameter of a search: values for parts of [0, 1), and the parts of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from runx.errors import SweepError
from runx.search.exact import below, log
from runx.sweeps.axes import Locator, check_name, hparam, operated
from runx.sweeps.grid import holds_template
from runx.sweeps.identity import canonical
from runx.sweeps.operators import DRAWS, TOO_FAR
from runx.sweeps.ranges import RANGES, Range, numbers
from runx.sweeps.values import Hparam, Node, Value

_ALMOST = 1 - 2**-53
"""The last number below 1."""

_OFF = 1e-6
"""So far from a step, in steps, a value is none."""

_ORDERED = 3
"""So many options that are numbers in order are places on a line."""


class Parameter(NamedTuple):
    """A parameter: ``value`` gives the hyperparameter for a part, ``part`` the part of a value.

    ``part`` gives None for a value that it can't have. ``size`` is the number of its values, None
    where there is no end of them. What isn't ordered has options that are all equally unlike.
    """

    name: str
    value: Callable[[float], Hparam]
    part: Callable[[Value], float | None]
    size: int | None
    is_ordered: bool

    def snapped(self, part: float) -> float:
        """Return the part of the value that a part stands for."""
        if self.size is None:
            return min(max(part, 0.0), _ALMOST)
        snapped = self.part(self.value(min(max(part, 0.0), _ALMOST)).value)
        assert snapped is not None
        return snapped

    def place(self, part: float) -> int:
        """Return the place of an option among all."""
        return min(int(part * (self.size or 1)), (self.size or 1) - 1)

    def part_of_place(self, place: int) -> float:
        """Return the part in the middle of an option, or of a step."""
        return self.snapped((place + 0.5) / (self.size or 1))


def parameter_of(name: str, node: Node, at: Locator) -> Parameter:
    """Return the parameter of a key of HPARAMS that names a range, a choice or a distribution."""
    check_name(name, at)
    assert isinstance(node, dict)
    operator, argument = operated(name, node, at)
    where = f"{at(name, operator)}: {name}: {operator}"
    try:
        quantile = DRAWS[operator](argument)
        if operator == "choice":
            assert isinstance(argument, list)
            return choice_of(name, [hparam(name, item, at, name) for item in argument])
        if operator in RANGES:
            range_ = RANGES[operator](argument)
            return _numeric(name, quantile, at, part_of(range_), range_.size)
        mean, deviation = numbers(argument, "[mean, deviation]", 2)
        return _numeric(name, quantile, at, lambda value: below((value - mean) / deviation), None)
    except SweepError as error:
        raise SweepError(f"{where} {error}") from None
    except OverflowError:
        raise SweepError(f"{where} {TOO_FAR}") from None


def choice_of(name: str, options: Sequence[Hparam]) -> Parameter:
    """Return a parameter of the options, each of them once; numbers in order stay in order.

    >>> batch = choice_of("batch", [Hparam("batch", n, str(n)) for n in (16, 32, 64)])
    >>> batch.part(64), batch.value(0.9).value, batch.part(65), batch.is_ordered
    (0.8333333333333334, 64, None, True)
    """
    keys = [repr(canonical(each.value)) for each in options]
    unlike = [each for place, each in enumerate(options) if keys[place] not in keys[:place]]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    count = len(unlike)
    numeric = [each.value for each in unlike if type(each.value) in (int, float)]
    rising = [one < other for one, other in pairwise(numeric)]  # type: ignore[operator]

    computed = next(
        (place for place, each in enumerate(unlike) if holds_template(each.value)), None
    )

    def part(value: Value) -> float | None:
        # What is computed is known when the others are chosen: here it may be anything.
        place = places.get(repr(canonical(value)), computed)
        return None if place is None else (place + 0.5) / count

    return Parameter(
        name,
        value=lambda part: unlike[min(int(part * count), count - 1)],
        part=part,
        size=count,
        is_ordered=len(numeric) == count >= _ORDERED and (all(rising) or not any(rising)),
    )


def _numeric(
    name: str,
    quantile: Callable[[float], Node],
    at: Locator,
    part_of_number: Callable[[float], float | None],
    count: int | None,
) -> Parameter:
    def part(value: Value) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
            return None
        part = part_of_number(value)
        return None if part is None else min(max(part, 0.0), _ALMOST)

    return Parameter(
        name,
        value=lambda part: hparam(name, quantile(part), at, name),
        part=part,
        size=count,
        is_ordered=True,
    )


def part_of(numbers: Range) -> Callable[[float], float | None]:
    """Return a function from a number to the part of [0, 1) that it is drawn by, or None outside.

    >>> part = part_of(Range(0.01, 1, 0, True))
    >>> part(0.1), part(2)
    (0.5, None)
    """
    low, high, step, by_ratio = numbers
    if low == high:
        return lambda value: 0.5 if value == low else None
    first, last = numbers.edges() if by_ratio and step else (low, high)
    span = log(last / first) if by_ratio else high - low
    count = numbers.size

    def part(value: float) -> float | None:
        if not low <= value <= high:
            return None
        if count is None:
            return log(value / low) / span if by_ratio else (value - low) / span
        place = round((value - low) / step)
        if abs((value - low) / step - place) > _OFF:
            return None
        return log((low + place * step) / first) / span if by_ratio else (place + 0.5) / count

    return part
