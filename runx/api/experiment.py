"""Experiments, of a file or of Python values, and the runs that they plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.config.experiment import Setting
from runx.config.keys import KEYS
from runx.config.load import load as load_settings
from runx.config.load import load_at
from runx.config.request import Request
from runx.errors import RunxError
from runx.launching.plan import (
    MAX_RUNS,
    RETRIABLE,
    RETRIED,
    LaunchOptions,
    LaunchPlan,
    Namer,
    PlannedAttempt,
    condition,
    namer,
    plan,
    selected,
    sweep_of,
)
from runx.nearest import suggestion
from runx.rundir.run import Run
from runx.sweeps.sweep import Sweep
from runx.sweeps.values import Node

if TYPE_CHECKING:
    from typing import SupportsIndex

    from runx.launching.preview_table import PreviewTable


class SweepPlan(NamedTuple):
    """An experiment's sweep and the names of its runs, none of which is computed yet."""

    settings: Settings
    sweep: Sweep
    new_name: Namer

    @classmethod
    def of(
        cls, settings: Settings, max_runs: int = MAX_RUNS, placeholders: bool = False
    ) -> SweepPlan:
        """Read the sweep; ``placeholders`` name runs that will not be made, which is faster.

        Raises:
            SettingsError: A setting can't be followed where the runs go.
        """
        from runx.launching.command import check_command
        from runx.launching.support import check_settings
        from runx.sweeps.naming import preview_slugs

        if not settings.candidates:  # of these only the ones that are chosen count
            check_settings(settings)
        sweep = outline = sweep_of(settings, max_runs)
        if settings.search is not None:
            from runx.launching.search_checks import check_search

            outline = check_search(settings)
        if settings.steps:
            from runx.launching.step_checks import check_steps

            check_steps(settings, outline)
        else:
            check_command(settings, outline)
        slugs = preview_slugs() if placeholders else None
        return cls(settings, sweep, namer(settings, sweep, datetime.now().astimezone(), slugs))

    def runs(self) -> Iterator[Run]:
        """Return the runs one after another, in the order of the sweep."""
        return plan(self.settings, self.sweep, self.new_name)

    def options(
        self,
        where: str | None,
        limit: int | None,
        shuffle: bool,
        resume: bool,
        again: bool = False,
        retry: Sequence[str] = RETRIED,
        restage: bool = False,
        single: bool = False,
        steps: Sequence[str] = (),
    ) -> LaunchOptions:
        """Return the options that choose which runs start.

        With ``resume``, ``where`` may ask for states, and of STEPS only ``steps`` start, again if
        they are done; without, these, ``retry`` and ``restage`` are refused.

        Raises:
            RunxError: An option is refused, or ``retry`` has an unknown state.
        """
        from runx.sweeps.summary import names

        retry = (retry,) if isinstance(retry, str) else tuple(retry)
        if unknown := [state for state in retry if state not in RETRIABLE]:
            states = ", ".join(RETRIABLE)
            raise RunxError(f"--retry {unknown[0]}: is no state to start again: {states}")
        for name in steps:
            if name not in (known := [step.name for step in self.settings.steps]):
                advice = suggestion(name, known) if known else "STEPS is not set"
                raise RunxError(f"--step {name}: there is no such step; {advice}")
        if steps and not resume:
            raise RunxError("--step goes with --resume: without, every run is new")
        if (retry != RETRIED or restage) and not resume:
            raise RunxError(f"{'--restage' if restage else '--retry'} goes with --resume")
        seed = self.settings.sweep_context.seed if shuffle else None
        holds = None if where is None else condition(where, names(self.sweep), resume)
        named = tuple(dict.fromkeys(steps))
        return LaunchOptions(resume, again, retry, restage, single, holds, limit, seed, named)

    def survey(self, options: LaunchOptions, say: Say) -> PreviewTable:
        """Return axes, counts, what varies and what is needed of the runs that would start."""
        from runx.launching.preview import starting
        from runx.launching.preview_table import preview_table

        # Names of one launch are of no use to the next, unless RUN_NAME says them; but steps lie
        # in the directories of their runs.
        is_named = self.settings.run_name or self.settings.steps
        new_name = self.new_name if is_named else lambda point: ""
        routes = starting(self.settings, plan(self.settings, self.sweep, new_name), options, say)
        return preview_table(self.settings, self.sweep, routes)


class Plan(tuple[Run, ...]):
    """The runs of an experiment, in the order of its sweep. A slice of it is one, too."""

    experiment: Experiment

    def __new__(cls, runs: Iterable[Run], experiment: Experiment) -> Plan:
        """Make a plan of runs and the experiment that they belong to."""
        plan = super().__new__(cls, runs)
        plan.experiment = experiment
        return plan

    @overload
    def __getitem__(self, place: SupportsIndex) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Plan: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Run | Plan:
        """Return a run, or a plan of some."""
        if isinstance(place, slice):
            return Plan(super().__getitem__(place), self.experiment)
        return super().__getitem__(place)

    def __repr__(self) -> str:
        return f"<{len(self)} runs of {self.experiment.name}>"


class Experiment:
    """A command and its hyperparameters; ``load`` reads one from a YAML file.

    In ``hparams`` a list is an axis, a tuple one value, a mapping an operator; further settings go
    by their keys.

    >>> experiment = Experiment("python train.py", {"lr": [0.1, 0.2], "out": "LOGDIR"}, RESUME=True)
    >>> [run.hparams for run in experiment.plan()]
    [{'lr': 0.1, 'out': 'LOGDIR'}, {'lr': 0.2, 'out': 'LOGDIR'}]
    """

    __slots__ = ("request", "settings")

    request: Request
    settings: Settings

    def __init__(
        self,
        cmd: str,
        hparams: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        name: str = "experiment",
        **settings: Any,
    ) -> None:
        from runx.config.hparams import node_of

        tree = {"CMD": cmd, "EXP_NAME": name, **settings}
        if "EXTENDS" in tree:
            raise RunxError("EXTENDS: only a file extends another; say it all here, or load a file")
        nodes = {key: node_of(value, key) for key, value in tree.items()}
        self.request = request_of(Path(name), tree={**nodes, "HPARAMS": _grid(hparams)})
        self.settings = load_settings(self.request)

    @classmethod
    def of(cls, request: Request) -> Experiment:
        """Return the experiment that a request reads."""
        experiment = cls.__new__(cls)
        experiment.request, experiment.settings = request, load_settings(request)
        return experiment

    def here(self) -> Experiment:
        """Return the same experiment with its runs on this machine, whatever FARM says."""
        return self if self.request.here else Experiment.of(self.request._replace(here=True))

    def at(self, farm: str) -> Settings:
        """Return the settings of the same experiment with its runs at a farm, here for none."""
        origin = self.settings.settings["SMOKE"].origin
        return load_at(self.request, farm, f"{origin}: SMOKE.farm")

    def best(self, count: int, of: str | Sequence[str]) -> Experiment:
        """Return the experiment with the best points of earlier runs, by SEARCH's metric.

        ``of`` names experiments or runs. What HPARAMS has of seeds, and overrides, hold for each.

        >>> load("search.yml", seed=[0, 1, 2, 3]).best(3, of="search").plan()    # doctest: +SKIP
        <12 runs of search>
        """
        from runx.config.overrides import read_overrides
        from runx.launching.best import best_of

        words = (of,) if isinstance(of, str) else tuple(of)
        overrides = read_overrides(self.request.overrides) if self.request.overrides else ()
        names = [each.name for each in overrides if not each.is_setting]
        best = best_of(self.settings, words, count, names)
        return Experiment.of(self.request._replace(best=best))

    @property
    def name(self) -> str:
        """The name, which is that of its folder under LOGROOT."""
        return self.settings.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks like a mistake in its files."""
        return self.settings.warnings

    def plan(
        self,
        where: str = "",
        limit: int | None = None,
        shuffle: bool = False,
        max_runs: int = MAX_RUNS,
        tag: str | None = None,
        cooldir: bool | None = None,
    ) -> Plan:
        """Return the runs, each with its name; nothing is made yet.

        Names begin with ``tag``, and are the tag alone with ``cooldir=False``.
        """
        experiment = self._tagged(tag, cooldir)
        sweep = SweepPlan.of(experiment.settings, max_runs)
        options = sweep.options(where or None, limit, shuffle, resume=False)
        return Plan(selected(LaunchPlan.of_new(sweep.runs()), options).runs, experiment)

    def _tagged(self, tag: str | None, cooldir: bool | None) -> Experiment:
        if tag is None and cooldir is None:
            return self
        tag = self.request.tag if tag is None else tag
        cooldir = self.request.cooldir if cooldir is None else cooldir
        return Experiment.of(self.request._replace(tag=tag, cooldir=cooldir))

    def survey(self, where: str = "", resume: bool | None = None) -> PreviewTable:
        """Return axes, counts, what varies and what is needed of the runs that would start."""
        resume = self.settings.resume if resume is None else resume
        sweep = SweepPlan.of(self.settings)
        options = sweep.options(where or None, None, False, resume)
        return sweep.survey(options, say=lambda line: None)  # the counts are in the answer, too

    def check(self, max_runs: int = MAX_RUNS, say: Say = lambda line: None) -> int:
        """Plan every run and write its command, make nothing; return the number of runs.

        ``say`` is told where they go, where that is chosen.

        Raises:
            RunxError: A launch would be refused.
        """
        from runx.launching.preview import check_first, lines
        from runx.launching.routes import Route, routes

        sweep = SweepPlan.of(self.settings, max_runs, placeholders=True)
        attempts = list(map(PlannedAttempt, sweep.runs()))
        if self.settings.smoke:
            self.at(self.settings.smoke.farm)
        for experiment, own in routes(self.settings, attempts, say):
            runs = [attempt.run for attempt in own]
            if runs:
                check_first(experiment, runs)
            for _ in lines([Route(experiment, own)]):
                pass  # each can be written
        return len(attempts)

    def config(self) -> dict[str, Setting | None]:
        """Return every setting by its key, with the file or flag that set it, or None."""
        return {key: self.settings.settings.get(key) for key in KEYS}

    def __repr__(self) -> str:
        return f"<experiment {self.name}: {self.settings.cmd.strip()}>"


def request_of(file: Path, tree: Mapping[str, Node] | None = None) -> Request:
    """Return the request of a file, or of its content, in this folder and environment."""
    return Request(file, Path.cwd(), dict(os.environ), tree=tree)


def _grid(hparams: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Node:
    from runx.config.hparams import axis_of

    if isinstance(hparams, Mapping):
        return {str(key): axis_of(value, str(key)) for key, value in hparams.items()}
    return [_grid(grid) for grid in hparams]
