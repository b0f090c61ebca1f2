"""What the jobs of steps need at each farm, with what RESOURCES computes, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from runx.config.experiment import Experiment
from runx.errors import SettingsError
from runx.farms.choice import Candidate, fits, refusals
from runx.launching.computed import Computed
from runx.launching.graph import hparams_of
from runx.launching.plan import PlannedAttempt, resources_of
from runx.launching.targets import capacity_here
from runx.rundir.steps import Choice, Step, leaders
from runx.sweeps.merge import keys
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.farms.resources import Needs

Alternatives: TypeAlias = tuple[tuple[Hparam, ...], ...]


class StepNeeds:
    """The needs of steps at places; ``counts`` are how many jobs begin with each step."""

    def __init__(
        self, experiment: Experiment, at: Mapping[str, Experiment], counts: Mapping[str, int]
    ) -> None:
        self.at, self.counts = at, counts
        self.steps = {step.name: step for step in experiment.steps}
        self.leaders = leaders(experiment.steps)
        self.computed = Computed.of_steps(experiment, at.values())
        self.names = {*keys(experiment.hparams)}
        self.capacity: dict[str, Needs | None] = {}
        self.known: dict[object, tuple[Alternatives, int | None, str]] = {}

    def at_place(self, planned: PlannedAttempt, place: str) -> tuple[Alternatives, int | None, str]:
        """Return what the job needs that begins with a step, which of it fits, or what lacks.

        Raises:
            SettingsError: A value can't be computed.
        """
        step = planned.run.step
        assert step is not None
        key: object = (step.name, place, planned.run.point.resources)
        if self.computed.templates:
            key = (key, planned.attempt, hparams_of(step, planned.run.point))
        if key not in self.known:
            offers = self._offers(planned, place)
            candidate = self._candidate(step, place, offers)
            found, lines = fits([candidate]), refusals([candidate])
            self.known[key] = offers, found[0].alternative if found else None, lines.get(place, "")
        return self.known[key]

    def _candidate(self, step: Step, place: str, offers: Alternatives) -> Candidate:
        if place not in self.capacity:
            self.capacity[place] = capacity_here(self.at[place])
        farm = self.at[place].farm
        count = min(farm.runs_per_job, self.counts[step.name]) if farm else 1
        return Candidate(place, self.capacity[place], offers, count)

    def _offers(self, planned: PlannedAttempt, place: str) -> Alternatives:
        """Return the alternatives of what a step needs at a place, computed."""
        step, there = planned.run.step, self.at[place]
        assert step is not None
        leader = self.steps[self.leaders[step.name]]
        own = leader.choices.get(place, leader)
        where = f"{there.entries['STEPS'].at(own.name, 'RESOURCES')}: STEPS.{own.name}.RESOURCES"
        if not own.alternatives:
            where = f"{there.settings['RESOURCES'].origin}: RESOURCES"
        offers = []
        for alternative in own.alternatives or there.alternatives:
            self._check_shared(where, alternative, step)
            needed = self.computed.resources_at(where, alternative, planned)
            run = planned.run._replace(step=step._replace(chosen=Choice(place, needed)))
            offers.append(resources_of(there, run))
        return tuple(offers)

    def _check_shared(self, where: str, alternative: Sequence[Hparam], step: Step) -> None:
        """Raise where a value is computed of what isn't the same for all runs that share a step."""
        if step.per.is_run:
            return
        others = self.names - {*step.per.names}
        if step.per.without:
            others = self.names & {*step.per.names}
        for each in alternative:
            for name in sorted(self.computed.names_in(each) & others):
                raise SettingsError(
                    f"{where}.{each.name}: {name} isn't the same for all runs that share"
                    f" {step.name}; give it RESOURCES of its own, or add {name} to PER"
                )
