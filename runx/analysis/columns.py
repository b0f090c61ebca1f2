"""The columns of tables: what their names stand for, and their values in runs. Pure."""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.codes import SHORT, code_digest, mixed
from runx.errors import RunxError
from runx.nearest import suggestion
from runx.rundir.paths import STEPS
from runx.rundir.run import RunRecord

IGNORED = ("logdir", "command", "result_dir", "nbr_workers", "paths", "val_paths")
"""Hyperparameters that are never shown as differing, as with the original."""
OWN = ("experiment", "run", "tool", "state", "epoch", "epoch_time", "dir")
"""Columns that every run has."""
LABELS = "labels"
"""A column that every run has, too; a hyperparameter of this name goes before it."""
DETAILS = (
    *("id", "tag", "created", "launch", "note", "git", "host", "attempt", "started", "elapsed"),
    *("cause", "gpu_hours", "gpu_idle"),
)
"""Columns on request: they need files that are read for no other column."""
CODE = "code"
"""The column of the first digits of the code's digest."""
AS_JSON = ("name", "logdir", "tool", "exit_code", "code_digest", "reason", CODE)
"""Columns, most of them names of a run's JSON, unless a run has something else of that name."""
SAME = ("name", "logdir")
"""Those of them that are run and dir by another name."""
HPARAMS = "hparams."
"""The prefix that tells a hyperparameter from a metric of the same name."""
METRICS = "metrics."
"""The prefix that tells a metric from a column that every run has, such as epoch."""
RESOURCES = "resources."
"""The prefix of resources."""


class Column(NamedTuple):
    """A column of a table: its heading, the kind of its values, and their name in a run.

    ``kind`` is hparam, resource, metric, measured, detail, code, or one of OWN.
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
        return lambda run: run.metrics[name] if name in run.metrics else of_steps(run).get(name)
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
    CODE: lambda run: run.code[:SHORT] or None,
    "name": lambda run: run.name,
    "logdir": lambda run: os.fspath(run.dir),
    "exit_code": lambda run: run.status.code,
    "code_digest": lambda run: code_digest(run) or None,
    "reason": lambda run: run.status.reason or None,
    "labels": lambda run: ", ".join(run.labels),
}


_AS_JSON = [(name, getter(Column(name, name))) for name in AS_JSON]
_OF_EVERY_RUN = [(name, getter(Column(name, name))) for name in OWN]


def names_with_steps(sources: Mapping[str, str]) -> dict[str, str]:
    """Return metrics by their names with their steps' before them, as eval.f1, given the files."""
    parts = [(name, file.split("/")) for name, file in sources.items() if file.count("/") > 1]
    return {
        f"{step}.{name}": name
        for name, (folder, step, *_) in parts
        if folder == STEPS and not name.startswith(f"{step}.")
    }


def of_steps(run: RunRecord) -> dict[str, Any]:
    """Return metrics of a run's steps by the names that they have with the step's before them."""
    names = names_with_steps(run.sources) if run.steps else {}
    return {other: run.metrics[name] for other, name in names.items() if name in run.metrics}


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
    metric = name.removeprefix(METRICS)
    if metric != name and any(metric in run.metrics for run in runs):
        return metric_column(metric)
    bare = name.removeprefix(HPARAMS)
    if any(bare in run.hparams for run in runs):
        return Column(name, "hparam", bare)
    if name == LABELS:
        return Column(name, name)
    for resource in resources_of(runs):
        if resource.heading == name:
            return resource
    if name in AS_JSON:
        return Column(name, name)
    if name in measured or any(name in run.measured for run in runs):
        return Column(name, "measured", name)
    if any(name in of_steps(run) for run in runs):
        return Column(name, "metric", name)
    raise RunxError(f"no run has {name}: {_advice(name, runs)}")


def metric_column(name: str) -> Column:
    """Return the column of a metric, which has another heading than those that every run has."""
    return Column(f"{METRICS}{name}" if name in OWN else name, "metric", name)


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
        *(metric_column(name).heading for name in names_of(run.metrics for run in runs)),
        *names_of(run.measured for run in runs),
        *names_of(of_steps(run) for run in runs),
        *(column.heading for column in resources_of(runs)),
    )
    return list(dict.fromkeys((*names, *OWN, LABELS, *DETAILS, *AS_JSON)))


def everything(run: RunRecord) -> dict[str, Any]:
    """Return all values of a run by the names of their columns, for expressions.

    Lists, which JSON has read, are tuples, as an expression's own are.
    """
    plain = {name: _with_tuples(hparam) for name, hparam in run.hparams.items()}
    return {
        **of_steps(run),
        **{name: get(run) for name, get in _AS_JSON},
        **{f"{HPARAMS}{name}": hparam for name, hparam in plain.items()},
        **{f"{METRICS}{name}": metric for name, metric in run.metrics.items()},
        **{f"{RESOURCES}{name}": resource for name, resource in run.resources.items()},
        CODE: run.code[:SHORT] or None,
        **run.measured,
        LABELS: run.labels,
        **plain,
        **run.metrics,
        **run.details,
        **{name: get(run) for name, get in _OF_EVERY_RUN},
        "state": run.state,
    }


def _with_tuples(hparam: Any) -> Any:
    return tuple(map(_with_tuples, hparam)) if isinstance(hparam, list) else hparam


def check_ignored(runs: Sequence[RunRecord], names: Iterable[str]) -> None:
    """Check that each name to be left out is that of a column.

    Raises:
        RunxError: No run has anything of that name.
    """
    known = {*fields(runs), *IGNORED, *(run_name for run in runs for run_name in run.measured)}
    for name in names:
        if name not in known and name.removeprefix(HPARAMS) not in known:
            raise RunxError(f"--ignore {name}: no run has it; {suggestion(name, known)}")


def names_of(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all mappings, each once, in the order of their appearance."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def resources_of(runs: Iterable[RunRecord]) -> list[Column]:
    """Return the columns of all resources that runs asked of their farms."""
    names = names_of(run.resources for run in runs)
    return [Column(f"{RESOURCES}{name}", "resource", name) for name in names]


def code_columns(runs: Sequence[RunRecord]) -> list[Column]:
    """Return the column of the code where it differs between runs of a project."""
    return [Column(CODE, CODE)] if mixed(runs) else []


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


def as_number(value: Any) -> float | None:
    """Return a number, or a truth, as a float; None for anything else.

    >>> as_number(3), as_number(True), as_number("3"), as_number(10**400)
    (3.0, 1.0, None, inf)
    """
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def finite(value: Any) -> float | None:
    """Return a number, or a truth, as a float; None for infinities, NaN and anything else.

    >>> finite(3), finite("3"), finite(10**400)
    (3.0, None, None)
    """
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def identity(value: Any) -> Any:
    """Return a key that equal values share: 1 and 1.0 are equal, 1 and true are not; NaN is NaN.

    >>> identity(1) == identity(1.0), identity(1) == identity(True), identity([]) == identity({})
    (True, False, False)
    """
    if isinstance(value, (list, tuple)):
        return tuple(map(identity, value))
    if isinstance(value, dict):
        return ("mapping", *((name, identity(inner)) for name, inner in value.items()))
    if value != value:
        return ("nan",)
    return ("bool", value) if isinstance(value, bool) else value
