"""The next point of a search: a pure function of the space, what is known and what runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import chain, islice
from random import Random
from typing import TypeAlias

from runx.errors import SweepError
from runx.nearest import suggestion
from runx.search.gp_sampler import gp_parts
from runx.search.lowdiscrepancy import halton_parts
from runx.search.observations import Failed, Known, Observation, Seed, known, ordered
from runx.search.space import Parts, Space, Values, values_of
from runx.search.tpe import tpe_parts
from runx.sweeps.values import Hparam

Sampler: TypeAlias = "Callable[[Space, Sequence[Observation], Sequence[Values], Seed], Values]"
"""A sampler of users, ``module:function``: returns a point by the names of its parameters."""

OPTUNA = "optuna."
"""What the name of a sampler of Optuna begins with."""

DEFAULT = "gp"

_ELSEWHERE = re.compile(r"optuna\.\w+|(?:\w+\.)*\w+:\w+")

_TRIES = 100
_MOST_LISTED = 20_000

_MOST_FOR_GP = 250
"""From so many trials on a Gaussian process takes longer than it gains."""


_OTHERWISE = 4
"""Each so manieth trial is asked for otherwise, since a process may be wrong about a function."""


class SpaceExhausted(SweepError):
    """Every point of the space has been asked for, or RUNX.SKIP leaves none."""


def suggest(
    space: Space,
    observations: Sequence[Observation],
    running: Sequence[Values],
    seed: Seed,
    sampler: str | Sampler = DEFAULT,
    failed: Failed = "worst",
) -> tuple[Hparam, ...]:
    """Return the next point, one that is neither observed nor running.

    The order of the observations and of what runs doesn't count. Those outside of the space are
    left out.

    Raises:
        SpaceExhausted: There is no other point.
        SweepError: The sampler is unknown, isn't installed here, or gave what is no point.

    >>> from runx.search.space import space_of, values_of
    >>> from runx.sweeps.yaml import parse
    >>> document = parse("opt: {choice: [sgd, adam]}", "x.yml")
    >>> space = space_of(document.tree, document.at)
    >>> point = suggest(space, [Observation(0, {"opt": "sgd"}, (0.5,))], [], Seed("0", 1))
    >>> values_of(point)
    {'opt': 'adam'}
    """
    observations = ordered(observations)
    running = sorted(running, key=lambda values: repr(sorted(values.items())))
    seen = {space.parts(each.values) for each in observations} | set(map(space.parts, running))
    asked = _asked(space, observations, running, seed, sampler, failed)
    source = seed.random()
    anything = (_drawn(space, source) for _ in range(_TRIES))
    for parts in chain(asked, anything, _unseen(space, seen, source)):
        point = space.point(parts)  # whose values are rounded, as those of all that was seen
        if space.parts(values_of(point)) not in seen and space.is_open(parts):
            return point
    if space.size is not None and len(seen) >= space.size:
        raise SpaceExhausted(
            f"all {space.size} points of the search are taken; end it, or widen it"
        )
    raise SpaceExhausted(
        f"none of {_TRIES} points was new and not dropped by RUNX.SKIP; narrow that"
    )


def outside(space: Space, observations: Sequence[Observation]) -> int:
    """Return how many observations lie outside of a space, for a message."""
    return sum(space.parts(each.values) is None for each in observations)


def check_sampler(name: str) -> None:
    """Raise a SweepError where there is no sampler of this name; nothing is imported."""
    if name not in BUILT_IN and not _ELSEWHERE.fullmatch(name):
        others = [*BUILT_IN, "optuna.TPESampler", "module:function"]
        raise SweepError(f"{name} is no sampler: {suggestion(name, others)}")


def _asked(
    space: Space,
    observations: Sequence[Observation],
    running: Sequence[Values],
    seed: Seed,
    sampler: str | Sampler,
    failed: Failed,
) -> Iterator[Parts]:
    """Yield what a sampler asks for, the most promising first."""
    if isinstance(sampler, str):
        check_sampler(sampler)
    if isinstance(sampler, str) and sampler in BUILT_IN:
        trials = known(space, observations, seed, failed)
        parts = [each for values in running if (each := space.parts(values)) is not None]
        yield from islice(BUILT_IN[sampler](space, trials, parts, seed), _TRIES)
    elif isinstance(sampler, str) and sampler.startswith(OPTUNA):
        from runx.search.with_optuna import optuna_parts

        name = sampler.removeprefix(OPTUNA)
        for attempt in range(_TRIES):
            yield optuna_parts(space, observations, running, seed, name, failed, attempt)
    else:
        function = _imported(sampler) if isinstance(sampler, str) else sampler
        values = function(space, observations, running, seed)
        chosen = space.parts(values) if isinstance(values, Mapping) else None
        if chosen is None:
            raise SweepError(f"sampler {sampler} gave {values!r}, which is no point of the search")
        yield chosen


def _imported(sampler: str) -> Sampler:
    module, _, name = sampler.partition(":")
    try:
        function: Sampler = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SweepError(f"sampler {sampler}: {error}") from error
    return function


def _drawn(space: Space, source: Random) -> Parts:
    return space.filled(iter([source.random() for _ in space.dimensions]))


def _unseen(space: Space, seen: set[Parts | None], source: Random) -> Iterator[Parts]:
    """Yield all points of a small space that weren't seen, from anywhere on."""
    if space.size is None or space.size > _MOST_LISTED:
        return
    rest = [parts for parts in space.all_parts() if parts not in seen]
    start = int(source.random() * len(rest))
    yield from rest[start:] + rest[:start]


def _random(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], seed: Seed
) -> Iterator[Parts]:
    source = seed.random()
    while True:
        yield _drawn(space, source)


def _qmc(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], seed: Seed
) -> Iterator[Parts]:
    yield halton_parts(space, seed.search, seed.trial)


def _tpe(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], seed: Seed
) -> Iterator[Parts]:
    if _is_early(space, trials):
        return _qmc(space, trials, running, seed)
    return tpe_parts(space, trials, running, seed.random())


def _gp(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], seed: Seed
) -> Iterator[Parts]:
    if _is_early(space, trials):
        return _qmc(space, trials, running, seed)
    if len(trials) > _MOST_FOR_GP or seed.trial % _OTHERWISE == 0:
        return tpe_parts(space, trials, running, seed.random())
    return gp_parts(space, trials, running, seed.random())


def _is_early(space: Space, trials: Sequence[Known]) -> bool:
    """Return whether too little is known yet, or nothing differs."""
    free = sum(dimension.parameter.size != 1 for dimension in space.dimensions)
    return len(trials) < min(free + 2, 12) or len({trial.loss for trial in trials}) < 2


BUILT_IN: Mapping[
    str, Callable[[Space, Sequence[Known], Sequence[Parts], Seed], Iterator[Parts]]
] = {"gp": _gp, "qmc": _qmc, "random": _random, "tpe": _tpe}
"""The samplers that need nothing but Python."""
