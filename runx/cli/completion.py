"""Completion of arguments: files, experiments, runs, hyperparameters, formats, farms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from runx.sweeps.values import Node

Completer: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[str]]"


def quietly(complete: Callable[..., Iterable[str]]) -> Completer:
    """Return a completer that completes nothing on an error: the command itself will print it."""

    @wraps(complete)
    def completer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from runx.errors import RunxError

        try:
            names = complete(context, incomplete)
            return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
        except (RunxError, OSError):
            return []

    return completer


def _files(incomplete: str, suffixes: tuple[str, ...]) -> Iterable[str]:
    """Return folders, and files with these suffixes, of the folder typed so far."""
    head, slash, _ = incomplete.rpartition("/")
    from runx.home import expanded

    folder = expanded(head + slash) if slash else Path()
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield f"{head}{slash}{path.name}/"
        elif path.name.endswith(suffixes):
            yield f"{head}{slash}{path.name}"


@quietly
def yaml_files(_context: click.Context, incomplete: str) -> Iterable[str]:
    """Complete an experiment's file."""
    return _files(incomplete, (".yml", ".yaml"))


@quietly
def experiments(context: click.Context, _incomplete: str) -> Iterable[str]:
    """Complete an experiment's name."""
    from runx.rundir.experiments import experiment_names

    return experiment_names(_logroot(context))


@quietly
def runs(context: click.Context, _incomplete: str) -> Iterable[str]:
    """Complete a run of the experiments typed already; else an experiment, or any run."""
    from runx.rundir.experiments import experiment_names, is_run, run_dirs
    from runx.rundir.paths import ExperimentDir

    root = _logroot(context)
    experiments = experiment_names(root)
    typed = [name for name in _typed(context) if name in experiments]
    names = [] if typed else list(experiments)
    for experiment in typed or experiments:
        runs = run_dirs(ExperimentDir(root / experiment))
        names += [run.path.name for run in runs if is_run(run.path)]
    return names


@quietly
def labels(context: click.Context, _incomplete: str) -> Iterable[str]:
    """Complete a label that some experiment has."""
    from runx.rundir.experiments import experiment_names, labels_in
    from runx.rundir.paths import ExperimentDir

    root = _logroot(context)
    return labels_in(ExperimentDir(root / name) for name in experiment_names(root))


@quietly
def overrides(context: click.Context, incomplete: str) -> Iterable[str]:
    """Complete a key that may be overridden, the sweep's hyperparameters first; or its values."""
    from runx.config.keys import KEYS
    from runx.sweeps.merge import keys

    name, equals, _ = incomplete.partition("=")
    if equals:
        head = incomplete[: max(incomplete.rfind(","), len(name)) + 1]
        return [f"{head}{value}" for value in _values(context, name.lstrip("+"))]
    tree = _tree(context)
    sign = "~" if incomplete.startswith("~") else ""
    end = "" if sign else "="
    names = [name for name in keys(tree.get("HPARAMS", {})) if not name.startswith("RUNX.")]
    return [f"{sign}{name}{end}" for name in (*names, *KEYS)]


@quietly
def sweeps(context: click.Context, incomplete: str) -> Iterable[str]:
    """Complete names of SWEEPS, with commas between."""
    names = _tree(context).get("SWEEPS", {})
    head, comma, _ = incomplete.rpartition(",")
    return [f"{head}{comma}{name}" for name in names] if isinstance(names, dict) else []


@quietly
def formats(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Complete the name of a format of tables."""
    from runx.export.formats import FORMATS

    return FORMATS


@quietly
def columns(context: click.Context, incomplete: str) -> Iterable[str]:
    """Complete, with commas between, what the runs of the experiments typed so far have to show."""
    from runx.analysis.question import TableOptions
    from runx.api.tables import experiments_of, fields_of, read

    typed = _typed(context) or context.args
    options = TableOptions(tuple(typed), _logroot(context), Path.cwd())
    runs = read(experiments_of(options, _silent), options, _silent, _silent)
    head, comma, _ = incomplete.rpartition(",")
    return [f"{head}{comma}{field.name}" for field in fields_of(list(runs))]


@quietly
def statistics(_context: click.Context, incomplete: str) -> Iterable[str]:
    """Complete names of statistics, with commas between."""
    from runx.analysis.groups import AGGREGATES

    head, comma, _ = incomplete.rpartition(",")
    return [f"{head}{comma}{name}" for name in AGGREGATES]


def _silent(_message: str) -> None:
    """Say nothing: what is printed would stand in the line that is typed."""


@quietly
def farms(context: click.Context, _incomplete: str) -> Iterable[str]:
    """Complete the name of a farm that the settings describe."""
    from runx.config.sources import from_file, host_files, project_file

    names = ["local"]
    for path in (project_file(Path.cwd()), *host_files(os.environ), _file(context)):
        if path is not None:
            names += from_file(path, may_be_empty=True).farms
    return names


def _values(context: click.Context, name: str) -> list[str]:
    """Return the values that HPARAMS_TYPES, or else the sweep, has for a hyperparameter."""
    from runx.config.keys import KEYS
    from runx.config.layers import merged
    from runx.config.sources import from_file, project_file
    from runx.sweeps.hparam_types import completions, is_word
    from runx.sweeps.merge import values_of

    files = [file for file in (_file(context), project_file(Path.cwd())) if file is not None]
    entries = merged([from_file(file, may_be_empty=True) for file in files], "")
    types = KEYS["HPARAMS_TYPES"].value("", entries.get("HPARAMS_TYPES"), Path.cwd(), os.environ)
    if name in types:
        return completions(types[name])
    texts = [each.text for each in values_of(_tree(context).get("HPARAMS", {}), name)]
    return [text for text in texts if is_word(text)]


def _tree(context: click.Context) -> dict[str, Node]:
    from runx.sweeps.yaml import read

    file = _file(context)
    return read(file).tree if file else {}


def _file(context: click.Context) -> Path | None:
    """Return the experiment's file; click keeps it in args while an option waits for its value."""
    name = context.params.get("file") or next(iter(context.args), None)
    return Path(name) if name else None


def _typed(context: click.Context) -> list[str]:
    """Return the arguments typed so far."""
    values = context.params.values()
    return [str(name) for value in values if isinstance(value, tuple) for name in value]


def _logroot(context: click.Context) -> Path:
    from runx.api.project import logroot_of

    return logroot_of(context.params.get("logroot"), context.params.get("config"))
