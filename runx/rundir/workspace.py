"""Runs whose job writes to a directory in a mounted workspace: both directories shown as one.

The run's directory gets a symbolic link to each file in the workspace, so that all readers of the
run, TensorBoard too, find them. ``attempts/workspace`` is a link to the directory there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runx.rundir.paths import ATTEMPTS, LOCK, WORKSPACE, RunDir

Warn = Callable[[str], None]
_TARGETS = {"": f"{ATTEMPTS}/{WORKSPACE}", ATTEMPTS: f"{WORKSPACE}/{ATTEMPTS}"}
"""For each folder of the run, the target of its links up to the file's name."""


def link_workspace(run: RunDir, place: Path) -> None:
    """Link a run to the directory that its job writes to, unless that is its own."""
    if place != run.path:
        with suppress(FileExistsError):
            run.workspace.symlink_to(place)


def join(run: RunDir, warn: Warn) -> None:
    """Link to new files in a run's workspace, and remove the links to files that are gone."""
    try:
        for folder in _TARGETS:
            _join(run, folder)
    except FileNotFoundError:
        return  # It isn't mounted, or nothing was copied to it yet.
    except OSError as error:
        warn(f"{run.path}: what its job wrote can't be joined: {error}")


def _join(run: RunDir, folder: str) -> None:
    names = os.listdir(run.workspace / folder)  # noqa: PTH208
    remote = {name for name in names if not _is_temporary(name)} - {LOCK, WORKSPACE}
    local = set(os.listdir(run.path / folder))  # noqa: PTH208
    for name in sorted(remote - local):
        with suppress(FileExistsError):  # Another reader has just linked it.
            (run.path / folder / name).symlink_to(f"{_TARGETS[folder]}/{name}")
    for name in {path.name for path in _links(run, folder)} - remote:
        (run.path / folder / name).unlink(missing_ok=True)


def _is_temporary(name: str) -> bool:
    """Return whether a file is a temporary one, to be renamed or linked to another."""
    return name.startswith((".", "claim.")) or name.endswith(".tmp")


def _links(run: RunDir, folder: str) -> Iterator[Path]:
    """Return the links to the workspace in a folder of the run."""
    with os.scandir(run.path / folder) as entries:
        paths = [Path(entry.path) for entry in entries if entry.is_symlink()]
    return (path for path in paths if _is_link_to(path, _TARGETS[folder]))


def _is_link_to(path: Path, target: str) -> bool:
    try:
        return str(path.readlink()).startswith(f"{target}/")
    except FileNotFoundError:
        return False


@contextmanager
def without_links(run: RunDir, warn: Warn) -> Iterator[None]:
    """Remove a run's links to its workspace for the context, so that it is copied without them."""
    if not run.workspace.is_symlink():
        yield
        return
    place = run.workspace.readlink()
    for folder in _TARGETS:
        for path in _links(run, folder):
            path.unlink(missing_ok=True)
    run.workspace.unlink()
    try:
        yield
    finally:
        link_workspace(run, place)
        join(run, warn)


def workspace_of(run: RunDir) -> Path | None:
    """Return the directory that a run's job writes to, None where that is the run's own."""
    return run.workspace.readlink() if run.workspace.is_symlink() else None


def remove(place: Path) -> str:
    """Remove a directory that a job wrote to; return why it could not be, or an empty string."""
    if not place.is_dir():
        return f"{place} is not mounted here"
    try:
        shutil.rmtree(place)
    except OSError as error:
        return f"{place}: {error.strerror}"
    return ""


def remove_file(path: Path) -> None:
    """Remove a file of a run; where it is a link to the workspace, the file there, too."""
    if path.is_symlink() and _is_link_to(path, _TARGETS[""]):
        path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
