"""Where experiments lie, which directories in them may be runs, and what was said at launches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import RunxError, StoreError
from runx.nearest import listed, nearest_first
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import Typed, words_of
from runx.rundir.tensorboard import event_files

MARKS = ("hparams.json", "run.json", "metrics.csv")
"""A directory that holds one of these is a run's; the original's have the first."""


class Launch(NamedTuple):
    """What somebody said when they launched: title and note; and what they typed."""

    name: str
    title: str
    note: str
    typed: Typed | None = None


def find(names: Sequence[str], logroot: Path, cwd: Path) -> list[ExperimentDir]:
    """Find experiments by name under LOGROOT, by pattern, or by path; each once, in order."""
    places = [place for name in names for place in _places(name, logroot, cwd)]
    return [ExperimentDir(path) for path in dict.fromkeys(places)]


def _places(name: str, logroot: Path, cwd: Path) -> list[Path]:
    named = Path(name).expanduser()
    here = named.is_absolute() or name.split("/")[0] in (".", "..") or name.startswith("~")
    for root in (cwd,) if here else (logroot, cwd):
        if any(letter in name for letter in "*?["):
            found = [path for path in sorted(root.glob(name)) if path.is_dir()] if not here else []
        else:
            found = [root / named] if (root / named).is_dir() else []
        if found:
            return [inner for path in found for inner in _experiments(_plain(path))]
    raise RunxError(_unknown(name, logroot))


def _plain(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100


def _experiments(path: Path) -> list[Path]:
    """Give the directory itself, or, of a LOGROOT, those in it that hold runs."""
    if _holds_runs(path) or is_run(path):
        return [path]
    return [inner for inner in _folders(path) if _holds_runs(inner)] or [path]


def _holds_runs(path: Path) -> bool:
    """Say whether there is a run in a directory; the first one will do."""
    return any(entry.is_dir() and is_run(entry.path) for entry in _entries(path))


def known(logroot: Path) -> list[str]:
    """Name the experiments under LOGROOT."""
    return [path.name for path in _folders(logroot)]


def _unknown(name: str, logroot: Path) -> str:
    if not logroot.is_dir():
        return f"no experiment {name}: LOGROOT {logroot} isn't there; launch one, or see --logroot"
    there = known(logroot)
    if not there:
        return f"no experiment {name}: LOGROOT {logroot} is empty; launch one, or see --logroot"
    return f"no experiment {name} in {logroot}; there {listed(nearest_first(name, there))}"


def is_run(path: Path | str) -> bool:
    """Say whether a directory is a run's: TensorBoard's files alone make it one, too."""
    if any(os.path.isfile(f"{path}/{mark}") for mark in MARKS):  # noqa: PTH113
        return True
    return bool(event_files(path))


def places(experiment: ExperimentDir) -> Iterator[RunDir]:
    """Give the directories that may be runs, by name: most are, and who reads them finds out."""
    names, is_one = [], False
    for entry in _entries(experiment.path):
        if entry.is_dir():
            names.append(entry.name)
        elif entry.name in MARKS or "tfevents" in entry.name:
            is_one = True
    if is_one:
        yield RunDir(experiment.path)
    # Of ten thousand runs, a Path each would cost more than a look at some of their files.
    yield from (RunDir(f"{experiment.path}/{name}") for name in sorted(names))


def _folders(path: Path) -> list[Path]:
    return [path / name for name in _names(path)]


def _names(path: Path) -> list[str]:
    return sorted(entry.name for entry in _entries(path) if entry.is_dir())


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    """Give what is in a directory, in no order, without what is hidden."""
    try:
        with os.scandir(path) as entries:
            yield from (entry for entry in entries if entry.name[0] != ".")
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return
        raise RunxError(f"{path}: can't be read: {error.strerror}") from error


def launches(experiment: ExperimentDir, warn: Callable[[str], None]) -> list[Launch]:
    """Give an experiment's launches, oldest first, where anything was said of them."""
    found = []
    for folder in _folders(experiment.launches):
        try:
            told = read_json(folder / "launch.json")
        except StoreError as error:
            warn(str(error))
            continue
        title, note = str(told.get("title") or ""), str(told.get("note") or "")
        found.append(Launch(folder.name, title, note, _typed(told)))
    return found


def _typed(launch: Mapping[str, Any]) -> Typed | None:
    argv = launch.get("argv")
    if not isinstance(argv, list) or not argv:
        return None
    return Typed(words_of(list(map(str, argv))), str(launch.get("cwd") or "."))


def said(experiment: ExperimentDir, warn: Callable[[str], None]) -> list[str]:
    """Write what was said at an experiment's launches as lines for people, each once."""
    name = experiment.path.name
    told = launches(experiment, warn)
    lines = [f"{name}: {launch.title}" for launch in told if launch.title]
    for launch in told:
        if launch.note:
            lines.append(f"{name}, {launch.name[:10]}: {launch.note}")
    return list(dict.fromkeys(lines))
