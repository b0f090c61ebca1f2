"""A run whose job writes elsewhere, in a workspace that is mounted here: both parts as one.

What has come in the workspace is linked to from the run's directory, so that whoever looks there,
TensorBoard too, sees one run. ``attempts/workspace`` leads to it, mounted or not yet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runx.rundir.paths import ATTEMPTS, LOCK, WORKSPACE, RunDir

Warn = Callable[[str], None]


_WAYS = {"": f"{ATTEMPTS}/{WORKSPACE}", ATTEMPTS: f"{WORKSPACE}/{ATTEMPTS}"}
"""How a link in each folder of the run begins."""


def belong(run: RunDir, place: Path) -> None:
    """Say of a run that its job writes in another place."""
    if place != run.path:
        with suppress(FileExistsError):
            run.workspace.symlink_to(place)


def join(run: RunDir, warn: Warn) -> None:
    """Link to what has come in the workspace, and drop the links to what has gone there."""
    try:
        for folder in _WAYS:
            _join(run, folder)
    except FileNotFoundError:
        return  # It isn't mounted, or the job has not been given anything yet.
    except OSError as error:
        warn(f"{run.path}: what its job wrote can't be joined: {error}")


def _join(run: RunDir, folder: str) -> None:
    names = os.listdir(run.workspace / folder)  # noqa: PTH208
    there = {name for name in names if not _is_passing(name)} - {LOCK, WORKSPACE}
    here = set(os.listdir(run.path / folder))  # noqa: PTH208
    for name in sorted(there - here):
        with suppress(FileExistsError):  # Somebody else looks at the same moment.
            (run.path / folder / name).symlink_to(f"{_WAYS[folder]}/{name}")
    for name in {path.name for path in _links(run, folder)} - there:
        (run.path / folder / name).unlink(missing_ok=True)


def _is_passing(name: str) -> bool:
    """Say whether a file is one that is only there while another is made."""
    return name.startswith((".", "claim.")) or name.endswith(".tmp")


def _links(run: RunDir, folder: str) -> Iterator[Path]:
    with os.scandir(run.path / folder) as entries:
        paths = [Path(entry.path) for entry in entries if entry.is_symlink()]
    return (path for path in paths if _leads_there(path, _WAYS[folder]))


def _leads_there(path: Path, way: str) -> bool:
    try:
        return str(path.readlink()).startswith(f"{way}/")
    except FileNotFoundError:
        return False


@contextmanager
def parted(run: RunDir, warn: Warn) -> Iterator[None]:
    """Keep a run free of links meanwhile, so that its own part can be copied alone."""
    if not run.workspace.is_symlink():
        yield
        return
    place = run.workspace.readlink()
    for folder in _WAYS:
        for path in _links(run, folder):
            path.unlink(missing_ok=True)
    run.workspace.unlink()
    try:
        yield
    finally:
        belong(run, place)
        join(run, warn)


def elsewhere(run: RunDir) -> Path | None:
    """Say where a run's job writes, if not in its directory."""
    return run.workspace.readlink() if run.workspace.is_symlink() else None


def remove(place: Path) -> str:
    """Remove what a job wrote elsewhere; say why it stays, if it must."""
    if not place.is_dir():
        return f"{place} is not mounted here"
    try:
        shutil.rmtree(place)
    except OSError as error:
        return f"{place}: {error.strerror}"
    return ""


def remove_file(path: Path) -> None:
    """Remove a file of a run, and where that only leads to a workspace, the one there."""
    if path.is_symlink() and _leads_there(path, _WAYS[""]):
        path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
