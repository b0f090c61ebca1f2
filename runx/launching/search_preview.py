"""What is said of searches before they start: how many points, by what sampler, and what lacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from runx.config.experiment import Experiment
from runx.errors import SettingsError, SweepError
from runx.launching.search_files import warm_starts
from runx.launching.searches import PlannedSearch, searches_of
from runx.rundir.pruning import rule_of
from runx.search.lowdiscrepancy import halton_parts
from runx.search.observations import Observation, Seed
from runx.search.space import Space, values_of
from runx.search.suggest import BUILT_IN, OPTUNA, suggest
from runx.search.with_optuna import SamplerMissing
from runx.sweeps.scalars import value_text
from runx.trials.spaces import space_of

_UNINFORMED = ("random", "qmc")
"""Samplers that look at no result, so that any number of points may be tried at a time."""
_SHARE = 5
"""Of this many points one at a time is as much as a sampler can learn from."""
_ENOUGH = 12
"""Observations with which each sampler does what it does with more."""


class SearchPreview(NamedTuple):
    """The searches of a launch. ``seeds`` are the most of a point; ``runs`` those of all searches.

    ``rungs`` says when runs are stopped early, ``earlier`` which runs of ``warm_start`` count,
    ``lack`` what the sampler needs and isn't here.
    """

    searches: int
    points: int
    seeds: int
    runs: int
    sampler: str
    metrics: dict[str, str]
    rungs: str = ""
    target: float | None = None
    budget: float | None = None
    earlier: tuple[str, ...] = ()
    lack: str = ""

    def lines(self) -> Iterator[str]:
        """Yield it for the terminal.

        >>> next(SearchPreview(2, 60, 3, 360, "gp", {"acc": "maximize"}).lines())
        '2 searches of 60 points of 3 seeds: gp chooses what may maximize acc'
        """
        searches = "1 search" if self.searches == 1 else f"{self.searches:,} searches"
        points = "1 point" if self.points == 1 else f"{self.points:,} points"
        seeds = f" of {self.seeds:,} seeds" if self.seeds > 1 else ""
        aims = " and ".join(f"{goal} {metric}" for metric, goal in self.metrics.items())
        yield f"{searches} of {points}{seeds}: {self.sampler} chooses what may {aims}"
        if self.rungs:
            yield self.rungs
        if self.target is not None:
            yield f"what remains is skipped once {next(iter(self.metrics))} is {self.target:g}"
        if self.budget is not None:
            yield f"what remains is skipped once {value_text(self.budget)} GPU-hours are used"
        yield from self.earlier
        if self.lack:
            yield f"warning: {self.lack}"

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return self._asdict()


def search_preview(experiment: Experiment, executes: bool = False) -> SearchPreview:
    """Return what the searches of an experiment are.

    Only where it ``executes`` code of the project, a sampler of users is imported and tried.

    Raises:
        SettingsError: The sampler can't choose a point, for another reason than a missing library.
    """
    settings = experiment.search
    assert settings is not None
    searches = searches_of(experiment)
    earlier: list[str] = []
    warm_starts(experiment, searches, earlier.append)
    rungs = [rule_of(rule, options).plan() for rule, options in settings.prune.items()]
    seeds = [len(each.seeds) for each in searches.values()]
    return SearchPreview(
        searches=len(searches),
        points=settings.trials,
        seeds=max(seeds, default=0),
        runs=settings.trials * sum(seeds),
        sampler=settings.sampler,
        metrics=dict[str, str](zip(settings.metrics, settings.goals, strict=True)),
        rungs=rungs[0] if rungs else "",
        target=settings.target,
        budget=settings.budget,
        earlier=tuple(earlier),
        lack=_lack(experiment, searches, executes),
    )


def crowding(experiment: Experiment, at_a_time: int | None) -> str:
    """Return a warning where more runs go on at a time than a search can learn from, else ""."""
    settings = experiment.search
    if settings is None or settings.sampler in _UNINFORMED:
        return ""
    seeds = sum(len(each.seeds) for each in searches_of(experiment).values())
    most = max(settings.trials // _SHARE, 1) * seeds
    all_runs = settings.trials * seeds
    if (all_runs if at_a_time is None else min(at_a_time, all_runs)) <= most or not seeds:
        return ""
    subject = (
        f"all {all_runs:,} runs may start at once"
        if at_a_time is None
        else f"{at_a_time:,} runs at a time"
    )
    return (
        f"{subject}: more than a fifth of the points are then chosen before anything is known of"
        f" them; write MAX_PARALLEL: {most}, or less"
    )


def _lack(experiment: Experiment, searches: dict[str, PlannedSearch], executes: bool) -> str:
    """Return what the sampler of an experiment needs and isn't here, with what happens without."""
    settings = experiment.search
    assert settings is not None
    if not searches or settings.sampler in BUILT_IN:
        return ""
    is_optuna = settings.sampler.startswith(OPTUNA)
    if not is_optuna and not executes:
        return ""
    place = f"{experiment.entries['SEARCH'].at('sampler')}: SEARCH.sampler"
    planned = next(iter(searches.values()))
    space = space_of(planned.search)
    # As bind.sh has them: what is frozen, and the folder of the file.
    folders = [str(experiment.code.root), str(experiment.entries["SEARCH"].base)]
    known = _examples(space, planned, len(settings.metrics)) if is_optuna else []
    sys.path += folders
    try:
        suggest(space, known, [], Seed(planned.search.seed, 1), settings.sampler)
    except SamplerMissing as error:
        return f"{place}: {error}; without it each run takes its fallback, a point of qmc"
    except SweepError as error:
        raise SettingsError(f"{place}: {error}") from None
    finally:
        del sys.path[-len(folders) :]
    return ""


def _examples(space: Space, planned: PlannedSearch, width: int) -> list[Observation]:
    """Return observations as a sampler gets them, of points that nobody tried."""
    points = [halton_parts(space, planned.search.seed, number) for number in range(_ENOUGH)]
    return [
        Observation(number, values_of(space.point(parts)), (float(number),) * width)
        for number, parts in enumerate(points)
    ]
