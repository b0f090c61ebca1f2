"""The columns of tables: what their names stand for, and their values in runs. Pure."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.errors import RunxError
from runx.nearest import suggestion
from runx.rundir.run import RunRecord

IGNORED = ("logdir", "command", "result_dir", "nbr_workers", "paths", "val_paths")
"""Hyperparameters that are never shown as differing, as with the original."""
OWN = ("experiment", "run", "tool", "state", "epoch", "epoch_time", "dir")
"""Columns that every run has."""
DETAILS = ("id", "tag", "created", "launch", "note", "git", "host", "attempt", "started", "elapsed")
"""Columns on request: they need files that are read for no other column."""
HPARAMS = "hparams."
"""The prefix that tells a hyperparameter from a metric of the same name."""
RESOURCES = "resources."
"""The prefix of resources."""


class Column(NamedTuple):
    """A column of a table: its heading, the kind of its values, and their name in a run.

    ``kind`` is hparam, resource, metric, measured, detail, or one of OWN.
    """

    heading: str
    kind: str
    name: str = ""


def value(run: RunRecord, column: Column) -> Any:
    """Return a run's value for a column, None where it has none."""
    return getter(column)(run)


def getter(column: Column) -> Callable[[RunRecord], Any]:
    """Return the function that returns a run's value for a column."""
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
    """Return the column that a name stands for; a metric goes before a hyperparameter of its name.

    Raises:
        RunxError: No run has anything of that name.
    """
    if name in OWN:
        return Column(name, name)
    if name in DETAILS:
        return Column(name, "detail", name)
    if any(name in run.metrics for run in runs):
        return Column(name, "metric", name)
    bare = name.removeprefix(HPARAMS)
    if any(bare in run.hparams for run in runs):
        return Column(name, "hparam", bare)
    for resource in resources_of(runs):
        if resource.heading == name:
            return resource
    if name in measured or any(name in run.measured for run in runs):
        return Column(name, "measured", name)
    raise RunxError(f"no run has {name}: {_advice(name, runs)}")


def _advice(name: str, runs: Sequence[RunRecord]) -> str:
    """Return advice on an unknown name: those like it, or how to write a metric at an epoch."""
    metric, *at = re.split("[:@]", name, maxsplit=1)
    if at and any(metric in run.metrics for run in runs):
        return f"{metric} is taken :best, :min, :max, :mean, :last or, at epoch 10, @10"
    return suggestion(name, fields(runs))


def fields(runs: Sequence[RunRecord]) -> list[str]:
    """Return the names of all columns that runs have."""
    names = (
        *names_of(run.hparams for run in runs),
        *names_of(run.metrics for run in runs),
        *names_of(run.measured for run in runs),
        *(column.heading for column in resources_of(runs)),
    )
    return list(dict.fromkeys((*names, *OWN, *DETAILS)))


def everything(run: RunRecord) -> dict[str, Any]:
    """Return all values of a run by the names of their columns, for expressions.

    Lists, which JSON has read, are tuples, as an expression's own are.
    """
    plain = {name: _with_tuples(hparam) for name, hparam in run.hparams.items()}
    return {
        **{f"{HPARAMS}{name}": hparam for name, hparam in plain.items()},
        **{f"{RESOURCES}{name}": resource for name, resource in run.resources.items()},
        **run.measured,
        **plain,
        **run.metrics,
        **run.details,
        **{name: value(run, Column(name, name)) for name in OWN},
        "state": run.state,
    }


def _with_tuples(hparam: Any) -> Any:
    return tuple(map(_with_tuples, hparam)) if isinstance(hparam, list) else hparam


def names_of(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all mappings, each once, in the order of their appearance."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def resources_of(runs: Iterable[RunRecord]) -> list[Column]:
    """Return the columns of all resources that runs asked of their farms."""
    names = names_of(run.resources for run in runs)
    return [Column(f"{RESOURCES}{name}", "resource", name) for name in names]


def varying_resources(runs: Sequence[RunRecord]) -> list[Column]:
    """Return the columns of resources that differ between runs."""
    return [
        column
        for column in resources_of(runs)
        if len(set(map(identity, map(getter(column), runs)))) > 1
    ]


def varying(runs: Sequence[RunRecord], ignore: Iterable[str] = ()) -> list[str]:
    """Return the names of the hyperparameters that differ between runs.

    Values that hold the run's own directory always differ and don't count; a parameter that is left
    out equals null.
    """
    ignored = {*IGNORED, *ignore}
    names = [name for name in names_of(run.hparams for run in runs) if name not in ignored]
    return [name for name in names if _differs(runs, name)]


def _differs(runs: Sequence[RunRecord], name: str) -> bool:
    values: set[Any] = set()
    for run in runs:
        hparam = run.hparams.get(name)
        if not _holds_logdir(hparam, run):
            values.add(identity(hparam))
            if len(values) > 1:
                return True
    return False


def _holds_logdir(hparam: Any, run: RunRecord) -> bool:
    if isinstance(hparam, str):
        symbolic = "LOGDIR" in hparam and re.search(r"\bLOGDIR\b", hparam) is not None
        return symbolic or f"/{run.name}/" in f"{hparam}/"
    if isinstance(hparam, (list, tuple)):
        return any(_holds_logdir(item, run) for item in hparam)
    return False


def identity(value: Any) -> Any:
    """Return a key that equal values share: 1 and 1.0 are equal, 1 and true are not.

    >>> identity(1) == identity(1.0), identity(1) == identity(True)
    (True, False)
    """
    if isinstance(value, (list, tuple)):
        return tuple(map(identity, value))
    if isinstance(value, dict):
        return tuple((name, identity(inner)) for name, inner in value.items())
    return ("bool", value) if isinstance(value, bool) else value
