"""The grid of a mapping of HPARAMS: plain axes, zips, cases and random axes; and its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain, product
from math import prod
from typing import NamedTuple

from runx.errors import SweepError
from runx.sweeps.axes import (
    ABLATE,
    CASES,
    RESOURCE,
    SKIP,
    TAG,
    ZIP,
    Axis,
    Locator,
    check_name,
    hparam,
    operated,
    values,
)
from runx.sweeps.identity import canonical
from runx.sweeps.merge import keys, several_cases
from runx.sweeps.operators import DRAWS, TOO_FAR, drawn
from runx.sweeps.scalars import value_text
from runx.sweeps.shelltext import LOGDIR
from runx.sweeps.values import Hparam, Node, Scalar, Value


class SweepContext(NamedTuple):
    """What a sweep depends on beside HPARAMS: random draws, and what computed values may name.

    ``defaults`` are values of the script's own file (CONFIG), which are taken as they stand.
    """

    samples: int = 0
    seed: int | str = 0
    environment: Mapping[str, str] = {}
    experiment: str = ""
    defaults: Mapping[str, Node] = {}


OWN = (TAG, SKIP, ABLATE)
"""The keys of HPARAMS that a combination has as parameters, for runx alone."""


class Grid(NamedTuple):
    """The axes of a mapping, and the expressions for which its points are skipped.

    ``reserved`` are the parameters that only runx reads, ``size`` is the number of combinations,
    ``templated`` is true if some values are computed (``{{ }}``).
    """

    axes: list[Axis]
    skips: tuple[str, ...]
    at: Locator
    reserved: frozenset[str]
    size: int
    templated: bool

    @property
    def names(self) -> list[str]:
        """All parameters that some point may have."""
        return [name for axis in self.axes for name in axis.names if name not in OWN]


def grid_of(hparams: Mapping[str, Node], at: Locator, context: SweepContext) -> Grid:
    """Return the grid of one mapping.

    >>> from runx.sweeps.yaml import parse
    >>> document = parse("RUNX.ZIP: {arch: [s, l], batch: [64, 16]}\\nseed: {repeat: 3}", "x.yml")
    >>> [axis.names for axis in grid_of(document.tree, document.at, SweepContext()).axes]
    [('arch', 'batch'), ('seed',)]
    """
    random = {
        name: node
        for name, node in hparams.items()
        if isinstance(node, dict) and len(node) == 1 and next(iter(node)) in DRAWS
    }
    joint = _joint_defaults(hparams, at, context) if context.defaults else {}
    axes: list[Axis] = []
    skips: tuple[str, ...] = ()
    for name, node in hparams.items():
        if name in joint:
            continue
        if name == SKIP and _conditions(node):
            skips = _conditions(node)
        elif name == ZIP:
            axes += _zips(node, at)
        elif name == CASES:
            axes += _several_cases(node, at, context, joint)
        elif name == ABLATE:
            axes.append(_ablation(node, partial(at, ABLATE)))
        elif name not in random:
            is_default = node is context.defaults.get(name)
            choices = [_default(name, node, at)] if is_default else values(name, node, at)
            axes.append(Axis(name, (name,), [(each,) for each in choices]))
        elif name == next(iter(random)):
            axes.append(_draws(random, at, context))
    return _grid(axes, skips, at)


def _default(name: str, node: Node, at: Locator) -> Hparam:
    """Return the value that the script's own file has."""
    default = hparam(name, node[0] if isinstance(node, list) else node, at, name)
    # LOGDIR is the one word of runx there.
    return default._replace(is_default=LOGDIR not in str(default.text))


def _joint_defaults(
    hparams: Mapping[str, Node], at: Locator, context: SweepContext
) -> dict[str, Hparam]:
    """Return the values of the script's own file that zips and cases set: no axes of their own."""
    names = keys({key: hparams[key] for key in (ZIP, CASES, ABLATE) if key in hparams})
    defaults = {name: context.defaults[name] for name in names if name in context.defaults}
    return {
        name: _default(name, node, at)
        for name, node in defaults.items()
        if hparams.get(name, node) is node
    }


def _grid(axes: list[Axis], skips: tuple[str, ...], at: Locator) -> Grid:
    """Return the grid of some axes. Raise if two of them set the same parameter."""
    setters: dict[str, str] = {}
    for axis in axes:
        for name in axis.names:
            if name in setters:
                other = setters[name]
                both = f"{other} and {axis.key}" if axis.key != other else axis.key
                raise SweepError(f"{at(axis.key)}: {name} is set twice, by {both}; keep one")
            setters[name] = axis.key
    choices = [choice for axis in axes for choice in axis.choices]
    return Grid(
        axes,
        skips,
        at,
        reserved=frozenset([n for n in setters if n in OWN or n.startswith(RESOURCE)]),
        size=prod([len(axis.choices) for axis in axes]),
        templated=any(
            "{{" in str(hparam.text) and not hparam.is_default
            for choice in choices
            for hparam in choice
        ),
    )


def holds_template(value: Value) -> bool:
    """Return whether a value is computed: there is a ``{{ }}`` in it.

    >>> holds_template("{{ epochs // 10 }}"), holds_template(("{x}", 1))
    (True, False)
    """
    if isinstance(value, tuple):
        return any(map(holds_template, value))
    return isinstance(value, str) and "{{" in value


def _conditions(node: Node) -> tuple[str, ...]:
    """Return the expressions of a RUNX.SKIP, or none if it is an axis of true and false."""
    items = node if isinstance(node, list) else [node]
    if any(isinstance(item, Scalar) and isinstance(item.value, str) for item in items):
        return tuple(item.text for item in items if isinstance(item, Scalar))
    return ()


def _zips(node: Node, at: Locator) -> list[Axis]:
    if not isinstance(node, list):
        return [_zip(node, partial(at, ZIP))]
    return [_zip(item, partial(at, ZIP, index)) for index, item in enumerate(node)]


def _zip(node: Node, at: Locator) -> Axis:
    """Return an axis of several keys: their first values together, their second ones and so on."""
    if not isinstance(node, dict) or not node:
        raise SweepError(f"{at()}: {ZIP} takes a mapping of lists, or a list of such mappings")
    columns = {name: values(name, child, at) for name, child in node.items()}
    first, length = next((name, len(column)) for name, column in columns.items())
    for name, column in columns.items():
        if len(column) != length:
            raise SweepError(
                f"{at(name)}: {ZIP}: {first} has {length} values, {name} has {len(column)};"
                " give each as many"
            )
    return Axis(ZIP, tuple(columns), list(zip(*columns.values(), strict=True)))


def _several_cases(
    node: Node, at: Locator, context: SweepContext, defaults: Mapping[str, Hparam]
) -> list[Axis]:
    """Return an axis of cases; of a list of such lists one for each, which cross."""
    several = several_cases(node)
    if several == [node]:
        return [_cases(node, partial(at, CASES), context, defaults)]
    return [
        _cases(each, partial(at, CASES, nth), context, defaults) for nth, each in enumerate(several)
    ]


def _cases(node: Node, at: Locator, context: SweepContext, defaults: Mapping[str, Hparam]) -> Axis:
    """Return an axis whose choices are cases; a case with lists is a grid of its own.

    A case without one of the ``defaults`` that others set has the default.
    """
    if not isinstance(node, list) or not node:
        raise SweepError(f"{at()}: {CASES} takes a list of mappings, `- key: value`")
    choices: list[tuple[Hparam, ...]] = []
    for index, case in enumerate(node):
        where = partial(at, index)
        if not isinstance(case, dict):
            raise SweepError(f"{where()}: {CASES} takes mappings, `- key: value`")
        inner = grid_of(case, where, context)
        if inner.skips:
            raise SweepError(f"{where(SKIP)}: an expression in {SKIP} stands beside {CASES}")
        choices += map(flat, product(*(axis.choices for axis in inner.axes)))
    names = dict.fromkeys(hparam.name for choice in choices for hparam in choice)
    choices = [(*choice, *_missing(choice, names, defaults)) for choice in choices]
    return Axis(CASES, tuple(names), choices)


def _missing(
    choice: tuple[Hparam, ...], names: Iterable[str], defaults: Mapping[str, Hparam]
) -> list[Hparam]:
    own = {hparam.name for hparam in choice}
    return [defaults[name] for name in names if name in defaults and name not in own]


def _ablation(node: Node, at: Locator) -> Axis:
    """Return an axis of the first values of several keys, and of these with one value changed.

    A choice has what it changes, and all first values, as a parameter that point_of reads.
    """
    if not isinstance(node, dict) or not node:
        raise SweepError(f"{at()}: {ABLATE} takes a mapping of lists, the baseline's values first")
    columns = {name: _tried(name, values(name, child, at), at) for name, child in node.items()}
    first = tuple([column[0] for column in columns.values()])
    choices = [(_changing("", first), *first)]
    for place, (name, column) in enumerate(columns.items()):
        for other in column[1:]:
            changed = (*first[:place], other, *first[place + 1 :])
            choices.append((_changing(name, first), *changed))
    return Axis(ABLATE, (ABLATE, *columns), choices)


def _tried(name: str, column: list[Hparam], at: Locator) -> list[Hparam]:
    """Return the values of a key of RUNX.ABLATE; raise if there is none to try."""
    if len({repr(canonical(each.value)) for each in column}) < max(len(column), 2):
        raise SweepError(
            f"{at(name)}: {ABLATE}: {name} takes the baseline's value and others to try, all unlike"
        )
    return column


def _changing(name: str, baseline: tuple[Hparam, ...]) -> Hparam:
    value: tuple[Value, ...] = (name, *((each.name, each.value) for each in baseline))
    return Hparam(ABLATE, value, tuple(map(value_text, value)))


def _draws(random: Mapping[str, Node], at: Locator, context: SweepContext) -> Axis:
    """Return one axis of all random keys, drawn SAMPLES times."""
    first = next(iter(random))
    if context.samples < 1:
        raise SweepError(f"{at(first)}: {first} is drawn at random; write SAMPLES: 20 by HPARAMS")
    columns = []
    for name, node in random.items():
        check_name(name, at)
        assert isinstance(node, dict)
        operator, argument = operated(name, node, at)
        try:
            nodes = drawn(name, operator, argument, context.samples, context.seed)
        except SweepError as error:
            raise SweepError(f"{at(name, operator)}: {name}: {operator} {error}") from None
        except OverflowError:
            raise SweepError(f"{at(name, operator)}: {name}: {operator} {TOO_FAR}") from None
        columns.append([hparam(name, item, at, name) for item in nodes])
    return Axis(first, tuple(random), list(zip(*columns, strict=True)))


def flat(choices: Iterable[tuple[Hparam, ...]]) -> tuple[Hparam, ...]:
    """Return a choice of each axis as one combination."""
    return tuple(chain.from_iterable(choices))
