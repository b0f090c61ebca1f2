"""An experiment and its plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from runx.config import experiment as decided
from runx.config.keys import KEYS
from runx.config.load import Request
from runx.config.load import load as settled
from runx.errors import RunxError
from runx.launching.plan import (
    MAX_RUNS,
    RETRIED,
    LaunchOptions,
    LaunchPlan,
    Namer,
    condition,
    namer,
    plan,
    selected,
    sweep_of,
)
from runx.rundir.run import Run
from runx.sweeps.sweep import Sweep
from runx.sweeps.values import Node

if TYPE_CHECKING:
    from typing import SupportsIndex

    from runx.launching.preview_table import PreviewTable
    from runx.sweeps.overrides import Override


class SweepPlan(NamedTuple):
    """An experiment's sweep with what names its points; nothing of it is worked out yet."""

    settings: decided.Experiment
    sweep: Sweep
    new_name: Namer

    @classmethod
    def of(
        cls, settings: decided.Experiment, max_runs: int = MAX_RUNS, placeholders: bool = False
    ) -> SweepPlan:
        """Read a sweep; ``placeholders`` name runs that are not to be made, which is faster."""
        from runx.sweeps.naming import preview_slugs

        sweep = sweep_of(settings, max_runs)
        words = preview_slugs() if placeholders else None
        return cls(settings, sweep, namer(settings, sweep, datetime.now().astimezone(), words))

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
    ) -> LaunchOptions:
        """Return which runs shall start; with ``resume``, ``where`` may be over states.

        Raises:
            RunxError: Something goes with --resume alone.
        """
        from runx.sweeps.summary import names

        retry = (retry,) if isinstance(retry, str) else tuple(retry)
        if unknown := [state for state in retry if state not in RETRIED]:
            known = ", ".join(RETRIED)
            raise RunxError(f"--retry {unknown[0]}: is no state to start again: {known}")
        if (retry != RETRIED or restage) and not resume:
            raise RunxError(f"{'--restage' if restage else '--retry'} goes with --resume")
        seed = self.settings.beside.seed if shuffle else None
        chosen = None if where is None else condition(where, names(self.sweep), resume)
        return LaunchOptions(resume, again, retry, restage, single, chosen, limit, seed)

    def survey(self, options: LaunchOptions, say: Callable[[str], None]) -> PreviewTable:
        """Return axes, counts, what varies and what is needed of the runs that would start."""
        from runx.launching.preview import starting
        from runx.launching.preview_table import preview_table

        # Names of one launch are of no use to the next, unless RUN_NAME says them.
        new_name = self.new_name if self.settings.run_name else lambda point: ""
        runs = starting(self.settings, plan(self.settings, self.sweep, new_name), options, say)
        return preview_table(self.settings, self.sweep, runs)


class Plan(tuple[Run, ...]):
    """The runs of an experiment, in the order of its sweep. A slice of it is one, too."""

    experiment: Experiment

    def __new__(cls, runs: Iterable[Run], experiment: Experiment) -> Plan:
        """Keep with the runs the experiment that they are of."""
        made = super().__new__(cls, runs)
        made.experiment = experiment
        return made

    @overload
    def __getitem__(self, place: SupportsIndex) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Plan: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Run | Plan:
        """Give a run, or some of them."""
        if isinstance(place, slice):
            return Plan(super().__getitem__(place), self.experiment)
        return super().__getitem__(place)

    def __repr__(self) -> str:
        return f"<{len(self)} runs of {self.experiment.name}>"


class Experiment:
    """What is to be run: as a YAML file says it, see ``load``, or as is said here.

    In ``hparams`` a list is an axis, a tuple one value, a mapping an operator; further settings go
    by their keys.

    >>> found = Experiment("python train.py", {"lr": [0.1, 0.2], "out": "LOGDIR"}, RESUME=True)
    >>> [run.hparams for run in found.plan()]
    [{'lr': 0.1, 'out': 'LOGDIR'}, {'lr': 0.2, 'out': 'LOGDIR'}]
    """

    __slots__ = ("request", "settings")

    request: Request
    settings: decided.Experiment

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
        self._settle(_request(Path(name), tree={**nodes, "HPARAMS": _grid(hparams)}))

    @classmethod
    def of(cls, request: Request) -> Experiment:
        """Return the experiment that a request is about."""
        made = cls.__new__(cls)
        made._settle(request)
        return made

    def _settle(self, request: Request) -> None:
        self.request, self.settings = request, settled(request)

    def here(self) -> Experiment:
        """Return the same for runs on this machine, whatever FARM says."""
        return self if self.request.here else Experiment.of(replace(self.request, here=True))

    @property
    def name(self) -> str:
        """The name of its folder under LOGROOT."""
        return self.settings.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful in its files."""
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
        """Name every run; nothing is made yet.

        ``tag`` is what the names begin with; without ``cooldir`` they are the tag alone.
        """
        tagged = self._tagged(tag, cooldir)
        sweep = SweepPlan.of(tagged.settings, max_runs)
        options = sweep.options(where or None, limit, shuffle, resume=False)
        return Plan(selected(LaunchPlan.of_new(sweep.runs()), options).runs, tagged)

    def _tagged(self, tag: str | None, cooldir: bool | None) -> Experiment:
        if tag is None and cooldir is None:
            return self
        tag = self.request.tag if tag is None else tag
        cooldir = self.request.cooldir if cooldir is None else cooldir
        return Experiment.of(replace(self.request, tag=tag, cooldir=cooldir))

    def survey(self, where: str = "", resume: bool | None = None) -> PreviewTable:
        """Return axes, counts, what varies and what is needed of the runs that would start."""
        resume = self.settings.resume if resume is None else resume
        sweep = SweepPlan.of(self.settings)
        return sweep.survey(sweep.options(where or None, None, False, resume), _quiet)

    def check(self, max_runs: int = MAX_RUNS) -> int:
        """Go as far as can be without making anything; return the number of runs.

        Raises:
            RunxError: A launch would stop at it.
        """
        from runx.launching.preview import check_first, lines

        sweep = SweepPlan.of(self.settings, max_runs, placeholders=True)
        runs = list(sweep.runs())
        if runs:
            check_first(self.settings, runs)
        for _ in lines(self.settings, runs):
            pass  # each can be written
        return len(runs)

    def config(self) -> dict[str, decided.Setting | None]:
        """Return every setting by its key, with what said it; None where nobody did."""
        return {key: self.settings.settings.get(key) for key in KEYS}

    def __repr__(self) -> str:
        return f"<experiment {self.name}: {self.settings.cmd.strip()}>"


def load(
    file: str | Path,
    /,
    *words: str,
    sweep: str | Sequence[str] = (),
    runx_file: str | Path | None = None,
    **over: Any,
) -> Experiment:
    """Read an experiment's YAML. ``words`` are overrides as on the command line, ``over`` by name.

    ``sweep`` names those of SWEEPS to add, ``runx_file`` is read instead of .runx.

    >>> load("sweep.yml", "~momentum", lr=[0.1, 0.2], FARM="local").plan()    # doctest: +SKIP
    <2 runs of sweep>
    """
    sweeps = (sweep,) if isinstance(sweep, str) else tuple(sweep)
    overrides: list[str | Override] = [*words]
    overrides += [_override(name, value) for name, value in over.items()]
    config = Path(runx_file) if runx_file is not None else None
    request = replace(_request(Path(file)), config=config)
    return Experiment.of(replace(request, overrides=tuple(overrides), sweeps=sweeps))


def _quiet(line: str) -> None:
    """Drop a remark on what there is already, which the answer has, too."""


def _request(file: Path, tree: Mapping[str, Node] | None = None) -> Request:
    return Request(file, Path.cwd(), dict(os.environ), tree=tree)


def _grid(hparams: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Node:
    from runx.config.hparams import axis_of

    if isinstance(hparams, Mapping):
        return {str(key): axis_of(value, str(key)) for key, value in hparams.items()}
    return [_grid(grid) for grid in hparams]


def _override(name: str, value: Any) -> Override:
    from runx.config.hparams import axis_of, node_of
    from runx.sweeps.overrides import Override

    plain = name.removeprefix("+")
    setting = plain.split(".")[0] in KEYS
    node = node_of(value, name) if setting else axis_of(value, name)
    return Override(f"{name}={value!r}", plain, node, setting, plain != name)
