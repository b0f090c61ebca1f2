"""Finding experiments and their runs on disk; the titles and notes of their launches."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import RunxError, StoreError
from runx.home import expanded
from runx.nearest import listed, nearest_first, suggestion
from runx.rundir.files import read_json
from runx.rundir.paths import (
    ATTEMPTS,
    EXPERIMENT,
    HPARAMS,
    METRICS,
    RECORD,
    ExperimentDir,
    RunDir,
)
from runx.rundir.record import CommandLine, is_read, labels_of, without_program
from runx.rundir.tensorboard import event_files

_MAY_READ = os.R_OK | os.X_OK

MARKS = (HPARAMS, RECORD, METRICS)
"""A directory with one of these is a run's; those of NVIDIA's runx have the first."""


# No metrics.csv or run.json of ours has as many bytes.
_LARGEST = 1 << 32

_PHASES = (b"start", b"train", b"val", b"test")


class Launch(NamedTuple):
    """A launch: its name, its title and note, its command line, and its experiment's labels.

    ``types`` are those of HPARAMS_TYPES, by hyperparameter.
    """

    name: str
    title: str
    note: str
    typed: CommandLine | None = None
    labels: tuple[str, ...] = ()
    types: Mapping[str, Any] = {}


Warn = Callable[[str], None]


def _ignore(_: str) -> None:
    """Drop a warning that somebody else gives."""


def find(
    names: Sequence[str], logroot: Path, cwd: Path, warn: Warn = _ignore
) -> list[ExperimentDir]:
    """Return experiments by name under LOGROOT, by pattern or by path; each once, in order.

    ``warn`` is given a line for each that may not be read, unless it is asked for by its name.
    """
    folders = [folder for name in names for folder in folders_named(name, logroot, cwd, warn)]
    paths = [path for folder in folders for path in _experiments(folder, warn)]
    return [ExperimentDir(path) for path in dict.fromkeys(paths)]


def folders_named(name: str, logroot: Path, cwd: Path, warn: Warn = _ignore) -> list[Path]:
    """Return the directories that a name under LOGROOT, a pattern or a path stands for.

    Raises:
        RunxError: There is none.
    """
    path = expanded(name)
    is_file = path.suffix in (".yml", ".yaml") and not set(name) & set("*?[")
    if is_file and not any((root / path).is_dir() for root in (logroot, cwd)):
        # The file of a sweep stands for its experiment, which is called after it.
        return folders_named(path.stem, logroot, cwd, warn)
    is_path = path.is_absolute() or name.split("/")[0] in (".", "..") or name.startswith("~")
    for root in (cwd,) if is_path else (logroot, cwd):
        if any(letter in name for letter in "*?["):
            found = [] if is_path else sorted(root.glob(name))
            matches = [
                path for path in found if not path.name.startswith(".") or "/." in f"/{name}"
            ]
        else:
            matches = [root / path]
        if folders := [match for match in matches if match.is_dir()]:
            if matches != [root / path]:
                folders = [folder for folder in folders if not is_barred(folder, warn)]
            return [_normalized(folder) for folder in folders]
    raise RunxError(_unknown(name, logroot))


def _normalized(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100


def _experiments(path: Path, warn: Warn) -> list[Path]:
    """Return the directory itself, or where that is a LOGROOT, the experiments in it."""
    if _has_runs(path) or is_run(path):
        return [path]
    inside = (inner for inner in _folders(path) if not is_barred(inner, warn))
    return [inner for inner in inside if _has_runs(inner)] or [path]


def _has_runs(path: Path) -> bool:
    """Return whether there is a run in a directory."""
    return any(entry.is_dir() and is_run(entry.path) for entry in _entries(path))


def experiment_names(logroot: Path) -> list[str]:
    """Return the names of the experiments under LOGROOT."""
    return [path.name for path in _folders(logroot)]


def all_experiments(logroot: Path, warn: Warn = _ignore) -> list[ExperimentDir]:
    """Return the experiments under LOGROOT that have runs of ours.

    Raises:
        RunxError: There is none.
    """
    found = [
        ExperimentDir(path)
        for folder in _folders(logroot)
        for path in _experiments(folder, warn)
        if any(is_own_run(os.fspath(run)) for run in run_dirs(ExperimentDir(path)))
    ]
    if not found:
        raise RunxError(f"LOGROOT {logroot}: no experiment is there; launch one, or see --logroot")
    return found


def _unknown(name: str, logroot: Path) -> str:
    """Return the message that there is no such experiment."""
    if not logroot.is_dir():
        return f"no experiment {name}: LOGROOT {logroot} isn't there; launch one, or see --logroot"
    names = experiment_names(logroot)
    if not names:
        return f"no experiment {name}: LOGROOT {logroot} is empty; launch one, or see --logroot"
    return f"no experiment {name} in {logroot}; there {listed(nearest_first(name, names))}"


def is_own_run(path: Path | str) -> bool:
    """Return whether a directory is a run of ours or of NVIDIA's runx: it has one of MARKS.

    Other tools have files of these names: Sacred a run.json, Lightning a metrics.csv.
    """
    if os.path.isfile(f"{path}/{HPARAMS}"):  # noqa: PTH113
        return True
    return is_own_record(path) or has_own_metrics(path)


def is_own_record(path: Path | str) -> bool:
    """Return whether a directory has a run.json, and not the one that Sacred writes."""
    beginning = _beginning(f"{path}/{RECORD}")
    return beginning is not None and not (
        b'"heartbeat"' in beginning and os.path.isfile(f"{path}/config.json")  # noqa: PTH113
    )


def has_own_metrics(path: Path | str) -> bool:
    """Return whether a directory has a metrics.csv in the format of logx: a phase begins a row."""
    beginning = _beginning(f"{path}/{METRICS}")
    first, comma, _ = (beginning or b"").lstrip(b'\0"').partition(b",")
    return beginning == b"" or (bool(comma) and first.rstrip(b'"') in _PHASES)


def _beginning(path: str) -> bytes | None:
    """Return the first 64 KiB of a regular file, empty if it can't be read.

    None where there is none, or one beyond any size that ours have.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        # Of a file behind a folder that is barred nobody knows whether it is there.
        is_there = isinstance(error, PermissionError) and os.path.lexists(path)
        return b"" if is_there else None
    try:
        status = os.fstat(descriptor)
        is_ours = stat.S_ISREG(status.st_mode) and status.st_size < _LARGEST
        return os.read(descriptor, 1 << 16) if is_ours else None
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def is_run(path: Path | str) -> bool:
    """Return whether a directory is a run's: of ours, or one with TensorBoard's event files."""
    if is_own_run(path):
        return True
    try:
        return bool(event_files(path))
    except OSError:
        return False


def is_barred(path: Path | str, warn: Warn) -> bool:
    """Return whether this user may not read a directory, with a warning if so."""
    folders = [path, f"{path}/{ATTEMPTS}"]
    barred = any(
        Path(each).is_dir() and not os.access(each, _MAY_READ, effective_ids=True)
        for each in folders
    )
    if barred:
        warn(f"{path}: left out: you may not read it; its owner can give you that, see DIR_MODE")
    return barred


def run_dirs(experiment: ExperimentDir) -> Iterator[RunDir]:
    """Yield the directories that may be runs, in the order of their names; they are not read."""
    names, is_run_itself = [], False
    for entry in _entries(experiment.path):
        if entry.is_dir():
            names.append(entry.name)
        elif entry.name in MARKS or "tfevents" in entry.name:
            is_run_itself = True
    if is_run_itself:
        yield RunDir(experiment.path)
    # For ten thousand runs, a Path each would take longer than reading some of their files.
    yield from (RunDir(f"{experiment.path}/{name}") for name in sorted(names))


def _folders(path: Path) -> list[Path]:
    return [
        path / name for name in sorted(entry.name for entry in _entries(path) if entry.is_dir())
    ]


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a directory, without hidden ones; none where there is no directory."""
    try:
        with os.scandir(path) as entries:
            yield from (entry for entry in entries if entry.name[0] != ".")
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return
        raise RunxError(f"{path}: can't be read: {error.strerror}") from error


def launches(experiment: ExperimentDir, warn: Callable[[str], None]) -> list[Launch]:
    """Return an experiment's launches, oldest first; a damaged one is left out with a warning."""
    records = []
    try:
        folders = _folders(experiment.launches)
    except RunxError as error:
        warn(str(error))
        return []
    for folder in folders:
        try:
            content = read_json(folder / "launch.json")
        except StoreError as error:
            warn(str(error))
            continue
        title, note = str(content.get("title") or ""), str(content.get("note") or "")
        labels, types = labels_of(content), content.get("hparams_types")
        types = types if isinstance(types, dict) else {}
        records.append(Launch(folder.name, title, note, _typed(content, folder), labels, types))
    return records


def labels_in(experiments: Iterable[ExperimentDir], warn: Warn = _ignore) -> list[str]:
    """Return all labels that launches of some experiments have, each once."""
    each = (launches(experiment, warn) for experiment in experiments)
    return list(dict.fromkeys(label for of in each for launch in of for label in launch.labels))


def no_labelled(labels: Sequence[str], experiments: Iterable[ExperimentDir]) -> RunxError:
    """Return the error that no run of some experiments has all of some labels."""
    known = labels_in(experiments)
    unknown = next((label for label in labels if label not in known), "")
    if not unknown:
        return RunxError(f"--label {' --label '.join(labels)}: no run has all of them")
    return RunxError(f"--label {unknown}: no run has it; {suggestion(unknown, known)}")


def _typed(launch: Mapping[str, Any], folder: Path) -> CommandLine | None:
    """Return the command line in the launch.json of a folder, if there is one."""
    argv = launch.get("argv")
    if not isinstance(argv, list) or not argv:
        return None
    words, cwd = without_program(list(map(str, argv))), str(launch.get("cwd") or ".")
    source = folder / EXPERIMENT if is_read(words) else ""
    return CommandLine(words, cwd, str(source))


def launch_notes(experiment: ExperimentDir, warn: Callable[[str], None]) -> list[str]:
    """Return the titles and notes of an experiment's launches as lines of text, each once."""
    name = experiment.path.name
    records = launches(experiment, warn)
    lines = [f"{name}: {launch.title}" for launch in records if launch.title]
    for launch in records:
        if launch.note:
            lines.append(f"{name}, {launch.name[:10]}: {launch.note}")
    return list(dict.fromkeys(lines))
