"""Samplers of Optuna: a study is made anew of the observations each time, and asked once."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runx.errors import SweepError
from runx.nearest import suggestion
from runx.search.observations import Failed, Observation, Seed, is_counted, objectives
from runx.search.space import Parts, Space, Values

if TYPE_CHECKING:
    import optuna


_LEAST_SOURCES = 10
"""CMA-ES begins with the best tenth of the trials of another study."""


class SamplerMissing(SweepError):
    """The library of a sampler isn't installed here."""


def optuna_parts(
    space: Space,
    observations: Sequence[Observation],
    running: Sequence[Values],
    seed: Seed,
    name: str,
    failed: Failed,
    attempt: int = 0,
) -> Parts:
    """Return the parts of the point that a sampler of Optuna asks for.

    Optuna sees parts, not values: a number of [0, 1), or the place of a step or an option. Its
    sampler has another seed for each trial, since it would begin each time with the same points.
    """
    try:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        trials = _trials(space, observations, running, failed)
        width = objectives(observations)
        sampler = _sampler(name, _number_of(seed, attempt), _always_there(space, trials))
        study = optuna.create_study(sampler=sampler, directions=["minimize"] * width)
        study.add_trials(trials)
        trial = study.ask()
        parts: list[float | None] = []
        for index, dimension in enumerate(space.dimensions):
            there = space.is_there(dimension, parts)
            parts.append(_part(trial, space, index) if there else None)
        return tuple(parts)
    except ImportError as error:
        missing = (error.name or "optuna").partition(".")[0]
        extra = "runx-sweeps[search]" if missing in ("optuna", "cmaes") else missing
        raise SamplerMissing(
            f"sampler optuna.{name}: {missing} isn't installed here: pip install '{extra}'"
        ) from error
    except ValueError as error:
        raise SweepError(f"sampler optuna.{name}: {error}") from error


def _sampler(
    name: str, seed: int, ended: Sequence[optuna.trial.FrozenTrial]
) -> optuna.samplers.BaseSampler:
    import optuna

    names = [each for each in dir(optuna.samplers) if each.endswith("Sampler")]
    if name not in names:
        raise SweepError(f"optuna.{name} is unknown: {suggestion(name, names)}")
    make = getattr(optuna.samplers, name)
    known = inspect.signature(make).parameters
    given: dict[str, Any] = {"seed": seed} if "seed" in known else {}
    # CMA-ES learns from trials that carry its state, or from those of another study.
    if "source_trials" in known and len(ended) >= _LEAST_SOURCES:
        given["source_trials"] = ended
    try:
        sampler: optuna.samplers.BaseSampler = make(**given)
    except TypeError as error:
        raise SweepError(f"sampler optuna.{name} can't be made of a seed alone: {error}") from None
    return sampler


def _always_there(
    space: Space, trials: Sequence[optuna.trial.FrozenTrial]
) -> list[optuna.trial.FrozenTrial]:
    """Return trials that have ended, with the numbers alone that every point has: CMA-ES's part."""
    from optuna.trial import TrialState, create_trial

    names = {
        str(index)
        for index, dimension in enumerate(space.dimensions)
        if dimension.parameter.is_ordered and dimension.when is None
    }
    return [
        create_trial(
            params={name: each.params[name] for name in names},
            distributions={name: each.distributions[name] for name in names},
            values=each.values,
        )
        for each in trials
        if names and each.state == TrialState.COMPLETE
    ]


def _number_of(seed: Seed, attempt: int) -> int:
    text = f"{seed.search}:{seed.trial}:{attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _trials(
    space: Space, observations: Sequence[Observation], running: Sequence[Values], failed: Failed
) -> list[optuna.trial.FrozenTrial]:
    """Return trials of what lies in the space. NaN, which Optuna refuses, is as the worst."""
    from optuna.trial import TrialState

    inside = [(each, space.parts(each.values)) for each in observations]
    width = objectives(observations)
    good = [each.losses for each in observations if is_counted(each, width)]
    worst = [max(column) for column in zip(*good, strict=True)]
    trials = []
    for each, parts in inside:
        if parts is None:
            continue
        if is_counted(each, width):
            rung = int(each.rung or 0) if each.state == "pruned" and width == 1 else None
            trials.append(_trial(space, parts, TrialState.COMPLETE, list(each.losses), rung))
        elif failed == "worst" and worst:
            trials.append(_trial(space, parts, TrialState.COMPLETE, worst))
    runs = [parts for values in running if (parts := space.parts(values)) is not None]
    return trials + [_trial(space, parts, TrialState.RUNNING) for parts in runs]


def _trial(
    space: Space,
    parts: Parts,
    state: optuna.trial.TrialState,
    losses: list[float] | None = None,
    rung: int | None = None,
) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    there = [index for index, part in enumerate(parts) if part is not None]
    ranges = {str(index): _distribution(space, index) for index in there}
    params = {str(index): _param(space, index, parts[index]) for index in there}
    if rung is not None and losses:
        return create_trial(
            state=TrialState.PRUNED,
            params=params,
            distributions=ranges,
            intermediate_values={rung: losses[0]},
        )
    return create_trial(state=state, params=params, distributions=ranges, values=losses)


def _distribution(space: Space, index: int) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    parameter = space.dimensions[index].parameter
    if not parameter.is_ordered:
        return distributions.CategoricalDistribution(range(parameter.size or 1))
    return distributions.FloatDistribution(0, 1)


def _param(space: Space, index: int, part: float | None) -> float:
    parameter = space.dimensions[index].parameter
    assert part is not None
    return part if parameter.is_ordered else parameter.place(part)


def _part(trial: optuna.trial.Trial, space: Space, index: int) -> float:
    parameter = space.dimensions[index].parameter
    if parameter.is_ordered:
        return parameter.snapped(trial.suggest_float(str(index), 0, 1))
    return parameter.part_of_place(
        int(trial.suggest_categorical(str(index), range(parameter.size or 1)))
    )
