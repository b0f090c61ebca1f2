"""The searches of an experiment, as launches write them and runs read them: files alone."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from runx.errors import StoreError
from runx.rundir.files import read_json, to_json, write_whole
from runx.rundir.paths import ExperimentDir
from runx.sweeps.values import Node, Scalar, Value

Goal: TypeAlias = Literal["minimize", "maximize"]

ENVIRONMENT = "RUNX_SEARCH"
"""The variable that names the directory of a run's search to its script."""


class Prior(NamedTuple):
    """An earlier run that counts as an observation: its values, and its metrics."""

    values: Mapping[str, Value]
    metrics: tuple[float, ...]
    run: str = ""


class Search(NamedTuple):
    """A search: what is chosen, and by what it is judged.

    ``name``: that of its directory. ``metrics``: in sumx's words, one for each objective, each with
    its ``goals``. ``trials``: how many points. ``searched``: the names that a point has.
    ``hparams``: HPARAMS whole, as a launch composed it. ``seed``, ``environment``, ``experiment``
    and ``defaults``, the values of CONFIG, are what a sweep depends on besides. ``fixed``: the
    values of crossing lists, by which searches of one launch differ.
    ``prune``: the name of the rule and its options, empty without. ``budget``: in GPU-hours.
    ``warm``: earlier runs.
    """

    name: str
    metrics: tuple[str, ...]
    goals: tuple[Goal, ...]
    trials: int
    searched: tuple[str, ...]
    hparams: Node
    sampler: str
    seed: str
    fixed: Mapping[str, Value] = {}
    failed: Literal["worst", "ignore"] = "worst"
    prune: Mapping[str, Mapping[str, int]] = {}
    target: float | None = None
    budget: float | None = None
    experiment: str = ""
    environment: Mapping[str, str] = {}
    defaults: Mapping[str, Node] = {}
    warm: tuple[Prior, ...] = ()


class SearchDir(NamedTuple):
    """The directory of a search."""

    path: Path

    @property
    def record(self) -> Path:
        """What is searched, and how it is judged."""
        return self.path / "search.json"

    @property
    def program(self) -> Path:
        """The script by which run.sh binds a point."""
        return self.path / "bind.sh"

    @property
    def lock(self) -> Path:
        """Held while a point is chosen."""
        return self.path / "lock"

    @property
    def points(self) -> Path:
        """The points that are bound, and their fallbacks."""
        return self.path / "points"

    def point(self, number: int) -> Path:
        """Return the file of a point."""
        return self.points / f"{number}.json"

    def fallback(self, number: int) -> Path:
        """Return the file of the point that is taken where none can be chosen."""
        return self.points / f"{number}.fallback.json"

    @property
    def held(self) -> Path:
        """For which ends it was held."""
        return self.path / "held.json"

    def pruned(self, number: int) -> Path:
        """Return the file that is there once a seed of a point was stopped early, and why."""
        return self.points / f"{number}.pruned"

    def rung(self, epoch: int) -> Path:
        """Return the folder of what runs had at an epoch."""
        return self.path / "rungs" / str(epoch)


_TREES = ("hparams", "defaults")


def search_dir(experiment: ExperimentDir, name: str) -> SearchDir:
    """Return the directory of a search of an experiment."""
    return SearchDir(experiment.path / ".runx" / "search" / name)


def write_search(folder: SearchDir, search: Search) -> None:
    """Write what a search is; a later launch writes it anew."""
    trees = {name: _encoded(getattr(search, name)) for name in _TREES}
    warm = [each._asdict() for each in search.warm]
    folder.points.mkdir(parents=True, exist_ok=True)
    write_whole(folder.record, to_json({**search._asdict(), **trees, "warm": warm}))


def write_program(folder: SearchDir, base: Path) -> None:
    """Write the script by which run.sh binds a point: this Python, with what it imports.

    ``base`` is a folder of the project, where its own sampler lies.
    """
    program = "from runx.trials.main import main; sys.exit(main(sys.argv[1:]))"
    path = f"import sys; sys.path[:] = {[*sys.path, str(base)]!r}; {program}"
    words = shlex.join([sys.executable, "-I", "-c", path])
    write_whole(folder.program, f'#!/bin/sh\nexec {words} "$@"\n')
    folder.program.chmod(0o755)


def read_search(folder: SearchDir) -> Search:
    """Return what a search is.

    Raises:
        StoreError: It can't be read.
    """
    content: dict[str, Any] = read_json(folder.record)
    try:
        fields = {name: content[name] for name in Search._fields if name in content}
        fields |= {name: _decoded(fields[name]) for name in _TREES}
        fields["warm"] = tuple(
            Prior(each["values"], tuple(each["metrics"]), each["run"]) for each in fields["warm"]
        )
        for name in ("metrics", "goals", "searched"):
            fields[name] = tuple(fields[name])
        return Search(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder.record}: is no search of runx: {error}") from error


def _encoded(node: Node) -> Any:
    """Return a YAML tree as JSON, with the texts of its scalars."""
    if isinstance(node, Scalar):
        return {"": node.value, "text": node.text, "plain": node.plain}
    if isinstance(node, dict):
        return {"map": {name: _encoded(child) for name, child in node.items()}}
    return [_encoded(child) for child in node]


def _decoded(content: Any) -> Node:
    if isinstance(content, list):
        return [_decoded(child) for child in content]
    if "map" in content:
        return {name: _decoded(child) for name, child in content["map"].items()}
    return Scalar(content[""], content["text"], content["plain"])


def point_text(values: Mapping[str, Value], sampler: str, observations: int) -> str:
    """Return the content of a point's file; ``observations`` are what its sampler knew."""
    content = {"version": 1, "values": dict(values), "sampler": sampler, "known": observations}
    return json.dumps(content) + "\n"


def read_point(file: Path) -> dict[str, Any] | None:
    """Return the content of a point's file, None where it isn't bound.

    Raises:
        StoreError: It can't be read.
    """
    try:
        return read_json(file)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def read_points(folder: SearchDir) -> dict[int, dict[str, Any]]:
    """Return the contents of the files of all points that are bound, by their numbers.

    Raises:
        StoreError: One can't be read.
    """
    try:
        names = [file.name for file in folder.points.iterdir()]
    except OSError:
        return {}
    numbers = sorted(int(name[:-5]) for name in names if _POINT.fullmatch(name))
    found = {number: read_point(folder.point(number)) for number in numbers}
    return {number: content for number, content in found.items() if content is not None}


def held_ends(folder: SearchDir) -> frozenset[str]:
    """Return the keys of the ends that a search was held for; a person has let it go on since.

    Raises:
        StoreError: They can't be read.
    """
    if not folder.held.exists():
        return frozenset()
    try:
        return frozenset(read_json(folder.held)["ends"])
    except (KeyError, TypeError) as error:
        raise StoreError(f"{folder.held}: names no ends: {error}") from error


_POINT = re.compile(r"\d{1,9}\.json", re.ASCII)
