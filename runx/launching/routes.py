"""Where runs go: the farm that has what each needs, with the values that RESOURCES computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from runx.errors import SettingsError
from runx.launching.computed import Computed
from runx.launching.plan import PlannedAttempt, resources_of
from runx.launching.support import check_settings
from runx.launching.targets import capacity_here, destination, expected
from runx.sweeps.grid import holds_template
from runx.sweeps.values import Hparam, Value

if TYPE_CHECKING:
    from datetime import datetime

    from runx.config.experiment import Experiment
    from runx.farms.choice import Candidate, Fit
    from runx.rundir.run import Run

Say = Callable[[str], None]


class Route(NamedTuple):
    """Runs that go to one farm: the experiment as it is there, and the attempts that start."""

    experiment: Experiment
    attempts: Iterable[PlannedAttempt]

    @property
    def runs(self) -> Iterator[Run]:
        """The runs, which have what was computed and chosen for them among their resources."""
        return (planned.run for planned in self.attempts)


def is_open(experiment: Experiment) -> bool:
    """Return whether it depends on a run where it goes, or what it asks for there."""
    return bool(
        experiment.candidates
        or experiment.capacity
        or len(experiment.alternatives) > 1
        or any(holds_template(each.value) for each in experiment.resources)
    )


def routes(
    experiment: Experiment, attempts: Iterable[PlannedAttempt], say: Say = lambda line: None
) -> list[Route]:
    """Return the farms that attempts go to, each with those; ``say`` is told of what was chosen.

    Raises:
        SettingsError: No farm has what a run needs, or RESOURCES can't be computed.
    """
    if experiment.steps:
        return _of_steps(experiment, attempts, say)
    if not is_open(experiment):
        return [Route(experiment, attempts)]
    planned = list(attempts)
    chooser = _Chooser(experiment, planned)
    chosen: dict[int, list[tuple[PlannedAttempt, int, tuple[Hparam, ...]]]] = {}
    for each in planned:
        offers = chooser.offers(each)
        fit = chooser.fit(each, offers)
        resources = offers[fit.candidate][fit.alternative]
        chosen.setdefault(fit.candidate, []).append((each, fit.alternative, resources))
    for line in chooser.lines(chosen):
        say(line)
    found = [chooser.route(number, group) for number, group in chosen.items()]
    for route in found if experiment.candidates else ():
        check_settings(route.experiment)
    return found


def _of_steps(experiment: Experiment, attempts: Iterable[PlannedAttempt], say: Say) -> list[Route]:
    """Return where steps go, or all steps of runs: those of this machine first."""
    from runx.launching.step_routes import by_place, chosen_steps, steps_of
    from runx.launching.targets import experiments_at

    steps = chosen_steps(experiment, steps_of(experiment, attempts), say)
    at, found = experiments_at(experiment), by_place(experiment, steps)
    if experiment.candidates:
        for name in found:
            check_settings(at[name])
    return [Route(at[name], own) for name, own in found.items()]


def anew(experiment: Experiment, planned: PlannedAttempt) -> Route:
    """Return an attempt of a run, or a step, on this machine with what RESOURCES is for it now.

    Raises:
        SettingsError: It can't be computed, or nothing of it fits.
    """
    from runx.config.experiment import LOCAL
    from runx.launching.targets import experiments_at
    from runx.sweeps.axes import RESOURCE
    from runx.sweeps.merge import keys

    here, run = experiments_at(experiment)[LOCAL], planned.run
    if run.step is not None:
        from runx.launching.step_routes import chosen_steps

        named = next(each for each in here.steps if each.name == run.step.name)
        again = planned._replace(run=run._replace(step=named))
        return Route(here, chosen_steps(here, [again], place=LOCAL))
    # What was computed for another attempt is among its own: only HPARAMS' stays.
    own = {name.removeprefix(RESOURCE).lower() for name in keys(here.hparams)}
    resources = tuple(each for each in run.point.resources if each[0].lower() in own)
    point = run.point._replace(resources=resources)
    [route] = routes(here, [planned._replace(run=run._replace(point=point))])
    return route


_Offers = tuple[tuple[tuple[Hparam, ...], ...], ...]
"""For each candidate the alternatives of what a run needs there."""
_Group = Sequence[tuple[PlannedAttempt, int, tuple[Hparam, ...]]]
"""Attempts, each with the number of its alternative, and what that is."""


class _Chooser:
    """The candidates of an experiment, and what was decided of runs that need the same."""

    def __init__(self, experiment: Experiment, attempts: Sequence[PlannedAttempt]) -> None:
        self.candidates = experiment.candidates or (experiment,)
        self.capacities = [capacity_here(each) for each in self.candidates]
        self.together = [
            min(each.farm.runs_per_job, len(attempts)) if each.farm else 1
            for each in self.candidates
        ]
        self.is_choice, self.soonest = bool(experiment.candidates), experiment.soonest
        self.computed = Computed.of(experiment, attempts)
        self.decided: dict[_Offers, Fit] = {}
        self.refused: dict[str, str] = {}

    def offers(self, planned: PlannedAttempt) -> _Offers:
        """Return what a run needs on each farm: RESOURCES, computed, replaced by its own."""
        return tuple(
            tuple(
                resources_of(
                    each._replace(resources=self.computed.resources(each, alternative, planned)),
                    planned.run,
                )
                for alternative in each.alternatives
            )
            for each in self.candidates
        )

    def fit(self, planned: PlannedAttempt, offers: _Offers) -> Fit:
        """Return where a run goes that needs one of the offers."""
        from runx.farms.choice import fits, refusals

        if offers not in self.decided:
            candidates = self._candidates(offers)
            found, refused = fits(candidates), refusals(candidates)
            if not found:
                raise self._too_much(planned, refused)
            self.refused = {**refused, **self.refused}
            self.decided[offers] = self._soonest(planned, found) if self.soonest else found[0]
        return self.decided[offers]

    def _candidates(self, offers: _Offers) -> list[Candidate]:
        from runx.farms.choice import Candidate

        rows = zip(self.candidates, self.capacities, offers, self.together, strict=True)
        return [Candidate(each.place, capacity, offer, n) for each, capacity, offer, n in rows]

    def _too_much(self, planned: PlannedAttempt, refused: Mapping[str, str]) -> SettingsError:
        entries = self.candidates[0].entries
        origin = entries["RESOURCES" if "RESOURCES" in entries else "CAPACITY"].origin
        attempt = f" at attempt {planned.attempt}" if planned.attempt > 1 else ""
        problem = (
            "no farm has what a run needs" if self.is_choice else "a run needs more than there is"
        )
        return SettingsError(
            f"{origin}: RESOURCES: {problem}{attempt}: {'; '.join(refused.values())}"
        )

    def _soonest(self, planned: PlannedAttempt, found: Sequence[Fit]) -> Fit:
        """Return where a run would start first, by the farms that can tell."""
        first: dict[int, Fit] = {}
        for fit in found:
            first.setdefault(fit.candidate, fit)
        starts = {fit: self._start(planned, fit) for fit in first.values()}
        known = {fit: start for fit, start in starts.items() if start is not None}
        for fit in starts.keys() - known.keys():
            self.refused.setdefault(
                place := self.candidates[fit.candidate].place,
                f"{place} can't tell when a run would start",
            )
        return min(known, key=lambda fit: known[fit]) if known else found[0]

    def _start(self, planned: PlannedAttempt, fit: Fit) -> datetime | None:
        group = [(planned, fit.alternative, self.offers(planned)[fit.candidate][fit.alternative])]
        route = self.route(fit.candidate, group)
        return expected(route.experiment, *route.attempts)

    def route(self, number: int, group: _Group) -> Route:
        """Return the route of attempts to a candidate.

        Where they differ in what they need, each has all of it among its own resources.
        """
        experiment = self.candidates[number]._replace(candidates=(), capacity=None)
        numbers = {alternative for _, alternative, _ in group}
        if len(numbers) == 1 and not self.computed.templates:
            resources = experiment.alternatives[numbers.pop()]
            return Route(
                experiment._replace(resources=resources, alternatives=(resources,)),
                tuple(planned for planned, _, _ in group),
            )
        return Route(
            experiment._replace(resources=(), alternatives=((),)),
            tuple(_with_resources(planned, resources) for planned, _, resources in group),
        )

    def lines(self, chosen: Mapping[int, _Group]) -> Iterator[str]:
        """Yield a line for each farm on the runs that go there, or on why it has none of some."""
        if not self.is_choice and len(self.candidates[0].alternatives) == 1:
            return
        for number, group in chosen.items():
            experiment = self.candidates[number]
            by_alternative: dict[int, list[tuple[Hparam, ...]]] = {}
            for _, alternative, resources in group:
                by_alternative.setdefault(alternative, []).append(resources)
            for alternative, needed in sorted(by_alternative.items()):
                yield _line(experiment, alternative, needed)
        yield from self.refused.values()


def _line(experiment: Experiment, alternative: int, needed: Sequence[tuple[Hparam, ...]]) -> str:
    runs = "1 run goes" if len(needed) == 1 else f"{len(needed):,} runs go"
    of = len(experiment.alternatives)
    return f"{runs} to {destination(experiment.place, alternative, of, needed)}"


def _with_resources(planned: PlannedAttempt, resources: Sequence[Hparam]) -> PlannedAttempt:
    """Return an attempt whose run has all that it needs among its own resources."""
    own = tuple((each.name, _plain(each)) for each in resources if each.value is not None)
    point = planned.run.point._replace(resources=own)
    return planned._replace(run=planned.run._replace(point=point))


def _plain(resource: Hparam) -> Value:
    """Return the value of a resource, or its text where that is spelt otherwise."""
    if isinstance(resource.value, tuple) and isinstance(resource.text, tuple):
        items = zip(resource.value, resource.text, strict=True)
        return tuple(value if str(value) == text else text for value, text in items)
    is_other = isinstance(resource.text, str) and str(resource.value) != resource.text
    return resource.text if is_other else resource.value
