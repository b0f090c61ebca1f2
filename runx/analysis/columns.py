"""What there is to show of runs: names, what they stand for, and what a run has for them. Pure."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.errors import RunxError
from runx.nearest import remedy
from runx.rundir.run import RunRecord

IGNORED = ("logdir", "command", "result_dir", "nbr_workers", "paths", "val_paths")
"""Hyperparameters that never tell runs apart, as with the original."""


OWN = ("experiment", "run", "state", "epoch", "epoch_time", "dir")
"""What every run has."""


DETAILS = ("id", "tag", "created", "launch", "note", "git", "host", "attempt", "started", "elapsed")
"""What a run has on request, since it stands in files that a table otherwise needs not."""


HPARAMS = "hparams."
"""What tells a hyperparameter from a metric of the same name."""


RESOURCES = "resources."
"""What the names of resources begin with."""


class Column(NamedTuple):
    """A column: its heading, what kind of thing it holds, and that thing's name.

    ``kind`` is hparam, resource, metric, measured, detail, or one of OWN.
    """

    heading: str
    kind: str
    name: str = ""


def value(run: RunRecord, column: Column) -> Any:
    """Give what a run has for a column, None where it has nothing."""
    return getter(column)(run)


def getter(column: Column) -> Callable[[RunRecord], Any]:
    """Give what finds a column's value in a run: one is made for all the runs of a table."""
    kind, name = column.kind, column.name
    if kind == "hparam":
        return lambda run: run.hparams.get(name)
    if kind == "resource":
        return lambda run: run.resources.get(name)
    if kind == "metric":
        return lambda run: run.metrics.get(name)
    if kind == "measured":
        return lambda run: run.measured.get(name)
    if kind == "detail":
        return lambda run: run.details.get(name)
    if kind == "state":
        return lambda run: run.state if run.metrics else f"{run.state}, no metrics"
    return _OWN.get(kind) or operator.attrgetter(kind)


_OWN: Mapping[str, Callable[[RunRecord], Any]] = {
    "run": lambda run: run.name,
    "dir": lambda run: os.fspath(run.dir),
}


def resolve(name: str, runs: Sequence[RunRecord], measured: Iterable[str] = ()) -> Column:
    """Find what a name stands for; a metric goes before a hyperparameter of its name."""
    if name in OWN:
        return Column(name, name)
    if name in DETAILS:
        return Column(name, "detail", name)
    if any(name in run.metrics for run in runs):
        return Column(name, "metric", name)
    bare = name.removeprefix(HPARAMS)
    if any(bare in run.hparams for run in runs):
        return Column(name, "hparam", bare)
    if resource := next((one for one in resources_of(runs) if one.heading == name), None):
        return resource
    if name in measured or any(name in run.measured for run in runs):
        return Column(name, "measured", name)
    raise RunxError(f"no run has {name}: {_meant(name, runs)}")


def _meant(name: str, runs: Sequence[RunRecord]) -> str:
    """Say what an unknown name probably stands for, or how one is written."""
    metric, *at = re.split("[:@]", name, maxsplit=1)
    if at and any(metric in run.metrics for run in runs):
        return f"{metric} is taken :best, :min, :max, :mean, :last or, at epoch 10, @10"
    return remedy(name, fields(runs))


def fields(runs: Sequence[RunRecord]) -> list[str]:
    """Name all that there is of runs: hyperparameters, metrics, and what every run has."""
    names = (
        *names_of(run.hparams for run in runs),
        *names_of(run.metrics for run in runs),
        *names_of(run.measured for run in runs),
        *(column.heading for column in resources_of(runs)),
    )
    return list(dict.fromkeys((*names, *OWN, *DETAILS)))


def everything(run: RunRecord) -> dict[str, Any]:
    """Return all that a run has by name, for expressions: what resolve would find.

    Lists, which JSON has read, are tuples, as an expression's own are.
    """
    plain = {name: _as_value(found) for name, found in run.hparams.items()}
    hparams = {f"{HPARAMS}{name}": found for name, found in plain.items()}
    own = {name: value(run, Column(name, name)) for name in OWN}
    resources = {f"{RESOURCES}{name}": found for name, found in run.resources.items()}
    given = {
        **hparams,
        **resources,
        **run.measured,
        **plain,
        **run.metrics,
        **run.details,
        **own,
    }
    return {**given, "state": run.state}


def _as_value(found: Any) -> Any:
    return tuple(map(_as_value, found)) if isinstance(found, list) else found


def names_of(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the keys of all mappings, each once, in the order of their appearance."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def resources_of(runs: Iterable[RunRecord]) -> list[Column]:
    """Give columns of all that runs have asked of their farms."""
    names = names_of(run.resources for run in runs)
    return [Column(f"{RESOURCES}{name}", "resource", name) for name in names]


def varying_resources(runs: Sequence[RunRecord]) -> list[Column]:
    """Give columns of what some runs have asked of their farms and others have not."""
    return [
        column
        for column in resources_of(runs)
        if len({identity(found) for found in map(getter(column), runs)}) > 1
    ]


def varying(runs: Sequence[RunRecord], ignore: Iterable[str] = ()) -> list[str]:
    """Name the hyperparameters that differ between runs.

    Values that hold the run's own directory differ of necessity and don't count; a parameter that
    is left out is the same as null.
    """
    skipped = {*IGNORED, *ignore}
    names = [name for name in names_of(run.hparams for run in runs) if name not in skipped]
    return [name for name in names if _differs(runs, name)]


def _differs(runs: Sequence[RunRecord], name: str) -> bool:
    seen: set[Any] = set()
    for run in runs:
        found = run.hparams.get(name)
        if not _holds_logdir(found, run):
            seen.add(identity(found))
            if len(seen) > 1:
                return True
    return False


def _holds_logdir(found: Any, run: RunRecord) -> bool:
    if isinstance(found, str):
        symbolic = "LOGDIR" in found and re.search(r"\bLOGDIR\b", found) is not None
        return symbolic or f"/{run.name}/" in f"{found}/"
    if isinstance(found, (list, tuple)):
        return any(_holds_logdir(item, run) for item in found)
    return False


def identity(found: Any) -> Any:
    """Give what makes two values the same: 1 and 1.0 are, 1 and true are not.

    >>> identity(1) == identity(1.0), identity(1) == identity(True)
    (True, False)
    """
    if isinstance(found, (list, tuple)):
        return tuple(map(identity, found))
    if isinstance(found, dict):
        return tuple((name, identity(inner)) for name, inner in found.items())
    return ("truth", found) if isinstance(found, bool) else found
