"""An experiment and its plan, from Python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from runx.errors import RunxError
from runx.plans import experiment as decided
from runx.plans.plan import (
    MAX_RUNS,
    LaunchOptions,
    LaunchPlan,
    condition,
    namer,
    plan,
    selected,
    sweep_of,
)
from runx.settings.hparams import axis_of, node_of
from runx.settings.keys import KEYS
from runx.settings.load import Request
from runx.settings.load import load as settled
from runx.sweeps.overrides import Override
from runx.sweeps.values import Node
from runx.types import Run

if TYPE_CHECKING:
    from typing import SupportsIndex


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
        told = {"CMD": cmd, "EXP_NAME": name, **settings}
        if "EXTENDS" in told:
            raise RunxError("EXTENDS: only a file extends another; say it all here, or load a file")
        tree = {key: node_of(value, key) for key, value in told.items()}
        self._settle(_request(Path(name), tree={**tree, "HPARAMS": _grid(hparams)}))

    def _settle(self, request: Request) -> None:
        self.request, self.settings = request, settled(request)

    @property
    def name(self) -> str:
        """The name of its folder under LOGROOT."""
        return self.settings.name

    def plan(
        self,
        where: str = "",
        limit: int | None = None,
        shuffle: bool = False,
        max_runs: int = MAX_RUNS,
    ) -> Plan:
        """Name every run; nothing is made yet."""
        from runx.sweeps import survey

        sweep = sweep_of(self.settings, max_runs)
        options = LaunchOptions(
            where=condition(where, survey.names(sweep), False) if where else None,
            limit=limit,
            seed=self.settings.beside.seed if shuffle else None,
        )
        new_name = namer(self.settings, sweep, datetime.now().astimezone())
        runs = plan(self.settings, sweep, new_name)
        return Plan(selected(LaunchPlan.of_new(runs), options).runs, self)

    def __repr__(self) -> str:
        return f"<experiment {self.name}: {self.settings.cmd.strip()}>"


def load(
    file: str | Path, /, *words: str, sweep: str | Sequence[str] = (), **over: Any
) -> Experiment:
    """Read an experiment's YAML. ``words`` are overrides as on the command line, ``over`` by name.

    >>> load("sweep.yml", "~momentum", lr=[0.1, 0.2], FARM="local").plan()    # doctest: +SKIP
    <2 runs of sweep>
    """
    sweeps = (sweep,) if isinstance(sweep, str) else tuple(sweep)
    overrides: list[str | Override] = [*words]
    overrides += [_override(name, value) for name, value in over.items()]
    made = Experiment.__new__(Experiment)
    made._settle(replace(_request(Path(file)), overrides=tuple(overrides), sweeps=sweeps))
    return made


def _request(file: Path, tree: Mapping[str, Node] | None = None) -> Request:
    return Request(file, Path.cwd(), dict(os.environ), tree=tree)


def _grid(hparams: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Node:
    if isinstance(hparams, Mapping):
        return {str(key): axis_of(value, str(key)) for key, value in hparams.items()}
    return [_grid(one) for one in hparams]


def _override(name: str, value: Any) -> Override:
    plain = name.removeprefix("+")
    setting = plain.split(".")[0] in KEYS
    node = node_of(value, name) if setting else axis_of(value, name)
    return Override(f"{name}={value!r}", plain, node, setting, plain != name)
