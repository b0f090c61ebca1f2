"""Where steps go: to the farm that has what each needs, those that wait for each other together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from runx.config.experiment import LOCAL, Experiment
from runx.errors import SettingsError
from runx.launching.graph import farm_of_step, step_runs
from runx.launching.plan import PlannedAttempt
from runx.launching.step_needs import Alternatives, StepNeeds
from runx.launching.targets import destination, expected, experiments_at, places_of_job
from runx.rundir.attempts import read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.step_states import step_state
from runx.rundir.steps import Choice, Step, leaders
from runx.sweeps.grid import holds_template
from runx.sweeps.values import Hparam

Say = Callable[[str], None]


def steps_of(experiment: Experiment, attempts: Iterable[PlannedAttempt]) -> list[PlannedAttempt]:
    """Return attempts of steps: as they are, or of all steps of runs."""
    listed = list(attempts)
    if all(each.run.step is not None for each in listed):
        return listed
    return [PlannedAttempt(run) for run in step_runs(experiment, [a.run for a in listed]).steps]


def by_place(
    experiment: Experiment, attempts: Iterable[PlannedAttempt]
) -> dict[str, list[PlannedAttempt]]:
    """Return attempts of steps by the farms that they go to, those of this machine first."""
    found: dict[str, list[PlannedAttempt]] = {LOCAL: []}
    for each in attempts:
        assert each.run.step is not None
        farm = farm_of_step(experiment, each.run.step)
        found.setdefault(farm.name if farm else LOCAL, []).append(each)
    return {name: own for name, own in found.items() if own}


def is_open(experiment: Experiment) -> bool:
    """Return whether it is to be decided where steps go, what they ask for, or if they fit."""
    capacities = (experiment.capacity, *(each.capacity for each in experiment.farms.values()))
    every = [experiment.alternatives, *(step.alternatives for step in experiment.steps)]
    return bool(
        any(capacities)
        or experiment.candidates
        or any(step.choices for step in experiment.steps)
        or any(len(each) > 1 for each in every)
        or any(holds_template(hparam.value) for each in every for one in each for hparam in one)
    )


def chosen_steps(
    experiment: Experiment,
    attempts: Iterable[PlannedAttempt],
    say: Say = lambda line: None,
    place: str = "",
) -> list[PlannedAttempt]:
    """Return attempts of steps, each with the farm that it goes to and what it asks for there.

    With a ``place`` all go there.

    Raises:
        SettingsError: No farm has what steps need that wait for each other; or a value of
            RESOURCES can't be computed.
    """
    listed = list(attempts)
    if not is_open(experiment):
        return listed
    chooser = _Chooser(experiment, listed)
    for job in chooser.jobs if place else ():
        job.places = (place,)
    return chooser.chosen(say)


def _farm_of_job(dir: RunDir) -> str:
    """Return the farm whose job of an earlier launch executes a step, "" where none may."""
    attempts = read_attempts(dir, time.time, lambda _: None)
    farm = attempts[-1].farm if attempts else None
    return farm if farm and step_state(attempts).name != "done" else ""


class _Job:
    """Attempts of steps that share a job: their indices, and what that may ask for, by place."""

    __slots__ = ("fit", "indices", "offers", "places")

    def __init__(self, places: tuple[str, ...]) -> None:
        self.places = places
        self.indices: list[int] = []
        self.offers: dict[str, Alternatives] = {}
        self.fit: dict[str, int] = {}


class _Chooser:
    """The places of an experiment, and the jobs of the attempts that start."""

    def __init__(self, experiment: Experiment, attempts: Sequence[PlannedAttempt]) -> None:
        self.experiment, self.attempts = experiment, attempts
        self.at = experiments_at(experiment)
        self.leaders = leaders(experiment.steps)
        self.steps = {step.name: step for step in experiment.steps}
        self.jobs: list[_Job] = []
        self.job_of: dict[RunDir, _Job] = {}
        for index, each in enumerate(attempts):
            self._add(index, each)
        self.needs = StepNeeds(experiment, self.at, self._counts())

    def _step(self, index: int) -> Step:
        step = self.attempts[index].run.step
        assert step is not None
        return step

    def _add(self, index: int, planned: PlannedAttempt) -> None:
        """Put an attempt into the job of the step before, or into one of its own."""
        step = self._step(index)
        leader = self.leaders[step.name]
        job = next(
            (
                job
                for before in planned.run.after
                if (job := self.job_of.get(before.dir))
                and self.leaders[self._step(job.indices[0]).name] == leader
            ),
            None,
        )
        if job is None:
            job = _Job(places_of_job(self.experiment, self.steps[leader]))
            self.jobs.append(job)
        job.indices.append(index)
        self.job_of[planned.run.dir] = job

    def _counts(self) -> dict[str, int]:
        """Return how many jobs there are that begin with each step."""
        counts: dict[str, int] = {}
        for job in self.jobs:
            name = self._step(job.indices[0]).name
            counts[name] = counts.get(name, 0) + 1
        return counts

    def chosen(self, say: Say) -> list[PlannedAttempt]:
        """Return the attempts with what was decided for them; tell where they go."""
        self._narrow()
        decided: dict[int, Choice] = {}
        told: dict[tuple[str, str, int], list[tuple[Hparam, ...]]] = {}
        refused: dict[str, str] = {}
        for group in self._tied():
            place = self._place(group, refused)
            for job in group:
                needed = job.offers[place][job.fit[place]]
                name = self._step(job.indices[0]).name
                told.setdefault((name, place, job.fit[place]), []).append(needed)
                decided |= dict.fromkeys(job.indices, Choice(place, needed))
        for line in self._lines(told, refused):
            say(line)
        return [self._placed(index, decided[index]) for index in range(len(self.attempts))]

    def _placed(self, index: int, choice: Choice) -> PlannedAttempt:
        planned, step = self.attempts[index], self._step(index)
        own = step.choices.get(choice.farm, step)._replace(chosen=choice)
        return planned._replace(run=planned.run._replace(step=own))

    def _before(self, job: _Job) -> Iterator[RunDir]:
        for index in job.indices:
            for before in self.attempts[index].run.after:
                yield before.dir

    def _narrow(self) -> None:
        """Leave only places where what comes before can be waited for."""
        alive = cache(_farm_of_job)
        for job in self.jobs:
            for dir in self._before(job):
                farm = alive(dir) if len(job.places) > 1 and dir not in self.job_of else ""
                if farm in job.places:
                    job.places = (farm,)
                before = self.job_of.get(dir)
                if before and LOCAL in before.places and not {*before.places} & {*job.places}:
                    before.places = (LOCAL,)

    def _tied(self) -> list[list[_Job]]:
        """Return jobs in groups of which each goes to one place: those that wait for others.

        What is executed here, at launch, ties nothing.
        """
        group_of: dict[int, list[_Job]] = {id(job): [job] for job in self.jobs}
        for job in self.jobs:
            for dir in self._before(job):
                before = self.job_of.get(dir)
                if before is None or before.places == (LOCAL,):
                    continue
                mine, theirs = group_of[id(job)], group_of[id(before)]
                if mine is not theirs:
                    small, large = sorted((mine, theirs), key=len)
                    large += small
                    group_of |= {id(each): large for each in small}
        return list({id(group): group for group in group_of.values()}.values())

    def _place(self, group: Sequence[_Job], refused: dict[str, str]) -> str:
        """Return where jobs go that wait for each other."""
        shared = [place for place in group[0].places if all(place in job.places for job in group)]
        problems: dict[str, str] = {}
        possible = []
        for place in shared:
            lacking = next(filter(None, (self._lack(job, place) for job in group)), "")
            if lacking:
                problems[place] = lacking
            else:
                possible.append(place)
        refused |= {place: line for place, line in problems.items() if place not in refused}
        if not possible:
            raise self._nowhere(group, problems)
        if len(possible) > 1 and self._is_soonest(group):
            return self._soonest(group[0], possible)
        return min(possible, key=lambda place: tuple(job.fit[place] for job in group))

    def _is_soonest(self, group: Sequence[_Job]) -> bool:
        own = [self.steps[self.leaders[self._step(job.indices[0]).name]] for job in group]
        return any(step.soonest if step.farm else self.experiment.soonest for step in own)

    def _soonest(self, job: _Job, possible: Sequence[str]) -> str:
        """Return the place where a job would start first, by those that can tell."""
        index = job.indices[0]
        starts = {}
        for place in possible:
            choice = Choice(place, job.offers[place][job.fit[place]])
            planned = self._placed(index, choice)
            alone = planned._replace(run=planned.run._replace(after=()))
            starts[place] = expected(self.at[place], alone)
        known = {place: start for place, start in starts.items() if start is not None}
        return min(known, key=lambda place: known[place]) if known else possible[0]

    def _nowhere(self, group: Sequence[_Job], problems: Mapping[str, str]) -> SettingsError:
        names = dict.fromkeys(self._step(job.indices[0]).name for job in group)
        step = self._step(group[0].indices[0])
        many = f"{' and '.join(names)}, which wait for each other: " if len(names) > 1 else ""
        reason = "; ".join(problems.values()) or "each names other farms"
        problem = f"{many}no farm has what {'they need' if len(names) > 1 else 'it needs'}"
        return SettingsError(f"{step.origin}: STEPS.{step.name}: RESOURCES: {problem}: {reason}")

    def _lack(self, job: _Job, place: str) -> str:
        """Return what a place lacks of what a job needs, "" where it fits; keep what fits."""
        job.offers[place], fit, lacking = self.needs.at_place(self.attempts[job.indices[0]], place)
        if fit is not None:
            job.fit[place] = fit
        return lacking

    def _lines(
        self,
        told: Mapping[tuple[str, str, int], Sequence[tuple[Hparam, ...]]],
        refused: Mapping[str, str],
    ) -> Iterator[str]:
        """Yield where the jobs of each step go, of those of which there is a choice, and why."""
        is_choice = False
        for (name, place, alternative), needed in told.items():
            leader = self.steps[self.leaders[name]]
            own = leader.choices.get(place, leader)
            of = len(own.alternatives or self.at[place].alternatives)
            if of == 1 and not leader.choices:
                continue
            is_choice = True
            goes = "goes" if len(needed) == 1 else "go"
            where = destination(place, alternative, of, needed)
            yield f"{len(needed):,} {name} {goes} to {where}"
        if is_choice:
            yield from refused.values()
