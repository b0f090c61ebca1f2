"""What a shell completes: experiments, runs, files, the hyperparameters of a sweep."""

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
    """Give no completions where something is wrong: the command itself will tell of it."""

    @wraps(complete)
    def found(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        from runx.errors import RunxError

        try:
            names = complete(context, begun)
            return [name for name in dict.fromkeys(names) if name.startswith(begun)]
        except (RunxError, OSError):
            return []

    return found


def _files(begun: str, suffixes: tuple[str, ...]) -> Iterable[str]:
    """Name files with these suffixes and folders, in the folder that is typed so far."""
    head, slash, _ = begun.rpartition("/")
    folder = Path(head + slash).expanduser() if slash else Path()
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield f"{head}{slash}{path.name}/"
        elif path.name.endswith(suffixes):
            yield f"{head}{slash}{path.name}"


@quietly
def yaml_files(_context: click.Context, begun: str) -> Iterable[str]:
    """Complete an experiment's file."""
    return _files(begun, (".yml", ".yaml"))


@quietly
def experiments(context: click.Context, begun: str) -> Iterable[str]:
    """Complete an experiment's name."""
    from runx.rundir.experiments import known

    return known(_logroot(context))


@quietly
def runs(context: click.Context, begun: str) -> Iterable[str]:
    """Complete a run's name: of the experiments that are typed already, or any experiment."""
    from runx.rundir.experiments import is_run, known, places
    from runx.rundir.paths import ExperimentDir

    root = _logroot(context)
    every = known(root)
    typed = [word for value in context.params.values() for word in _words(value) if word in every]
    names = [] if typed else list(every)
    for experiment in typed or every:
        found = places(ExperimentDir(root / experiment))
        names += [run.path.name for run in found if is_run(run.path)]
    return names


@quietly
def overrides(context: click.Context, begun: str) -> Iterable[str]:
    """Complete a key that may be overridden: the sweep's hyperparameters, then settings."""
    from runx.config.keys import KEYS
    from runx.sweeps.merge import keys

    tree = _tree(context)
    sign = "~" if begun.startswith("~") else ""
    end = "" if sign else "="
    names = [name for name in keys(tree.get("HPARAMS", {})) if not name.startswith("RUNX.")]
    return [f"{sign}{name}{end}" for name in (*names, *KEYS)]


@quietly
def sweeps(context: click.Context, begun: str) -> Iterable[str]:
    """Complete names of SWEEPS, with commas between."""
    found = _tree(context).get("SWEEPS", {})
    before = begun.rpartition(",")
    return [f"{before[0]}{before[1]}{name}" for name in found] if isinstance(found, dict) else []


@quietly
def formats(_context: click.Context, begun: str) -> Iterable[str]:
    """Complete a way to write a table."""
    from runx.export.formats import FORMATS

    return FORMATS


@quietly
def farms(context: click.Context, begun: str) -> Iterable[str]:
    """Complete the name of a farm that some settings describe."""
    from runx.config.sources import from_file, project_file, user_file

    names = ["local"]
    for path in (project_file(Path.cwd()), user_file(os.environ), _file(context)):
        if path is not None:
            names += from_file(path, may_be_empty=True).farms
    return names


def _tree(context: click.Context) -> dict[str, Node]:
    from runx.sweeps.yaml import read

    file = _file(context)
    return read(file).tree if file else {}


def _file(context: click.Context) -> Path | None:
    """Give the experiment's file; click keeps it apart while an option waits for its value."""
    word = context.params.get("file") or next(iter(context.args), None)
    return Path(word) if word else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _logroot(context: click.Context) -> Path:
    from runx.api.inspect import logroot_of

    given = context.params.get("logroot")
    return logroot_of(given, context.params.get("config"))
