"""Where runs lie below a path: experiments of ours, and folders of other tools."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import RunxError
from runx.readers.base import DirReader, Warn
from runx.readers.tools import dir_readers
from runx.rundir.experiments import folders_named, is_barred, is_own_run
from runx.rundir.paths import ExperimentDir

DEEPEST, MOST = 8, 20_000
"""How deep runs are looked for, and in how many folders that are none."""
SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})
"""Folders that hold no runs, and may hold many others; hidden ones aren't looked into either."""


class ToolDir(ExperimentDir):
    """A path below which other tools keep runs: each folder with the reader of its tool."""

    __slots__ = ("runs",)

    def __init__(self, path: Path, runs: Sequence[tuple[DirReader, Path]]) -> None:
        super().__init__(path)
        self.runs = tuple(runs)


def places(names: Sequence[str], logroot: Path, cwd: Path, warn: Warn) -> list[ExperimentDir]:
    """Return the places with runs that names, patterns or paths stand for, each once.

    Raises:
        RunxError: There is no such folder, or no run of any tool in it.
    """
    folders = [folder for name in names for folder in folders_named(name, logroot, cwd, warn)]
    found = [place for folder in dict.fromkeys(folders) for place in _places(folder, warn)]
    return list({(type(place), place.path): place for place in found}.values())


def _places(top: Path, warn: Warn) -> list[ExperimentDir]:
    if _is_experiment(top):
        return [ExperimentDir(top)]  # and no reader is imported
    search = Search(top, warn)
    below = search.below()
    if not below.own and not below.tools:
        raise RunxError(_nothing(top, search))
    own = [ExperimentDir(folder) for folder in below.own]
    return [*own, *([ToolDir(top, below.tools)] if below.tools else [])]


def _nothing(top: Path, search: Search) -> str:
    """Return the message that there is no run below a path, and what was looked for."""
    marks = "; ".join(f"{reader.tool}: {reader.marks}" for reader in search.readers if reader.marks)
    where = f", nor in {search.count - 1} folders below" if search.count > 1 else ""
    return (
        f"{top}: no runs here{where}; looked for runx: run.json, hparams.json, metrics.csv; {marks}"
    )


class Below(NamedTuple):
    """What lies below a path: folders with runs of ours, and runs of other tools."""

    own: tuple[Path, ...]
    tools: tuple[tuple[DirReader, Path], ...]


class Search:
    """A search for runs, which ends at each folder that is one, at a depth and at a number.

    ``count``: the folders looked at that are no runs.
    """

    def __init__(self, top: Path, warn: Warn) -> None:
        self.readers = dir_readers()
        self.count = 0
        self._top = top
        self._warn = warn

    def below(self) -> Below:
        """Return what there is, in the order of names."""
        own: dict[Path, None] = {}
        tools: list[tuple[DirReader, Path]] = []
        for reader, folder in self._found():
            if reader is None:
                own[folder] = None
            else:
                tools.append((reader, folder))
        return Below(tuple(own), tuple(tools))

    def _found(self) -> Iterator[tuple[DirReader | None, Path]]:
        """Yield the folders of runs with their readers; without one, folders with runs of ours."""
        if _is_experiment(self._top) or is_own_run(self._top):
            yield None, self._top
            return
        reader = self._reader(self._top)
        if reader and not reader.is_vague:
            yield reader, self._top
            return
        inside = list(self._inside(self._top, 1))
        yield from inside
        if reader and not inside:
            yield reader, self._top

    def _reader(self, folder: Path) -> DirReader | None:
        return next((reader for reader in self.readers if reader.recognise(folder)), None)

    def _inside(self, parent: Path, depth: int) -> Iterator[tuple[DirReader | None, Path]]:
        for folder, is_link in self._folders(parent):
            if is_own_run(folder):
                yield None, parent
            elif _is_experiment(folder):
                yield None, folder
            elif is_link:
                continue
            elif reader := self._reader(folder):
                yield reader, folder
            elif depth < DEEPEST and self.count < MOST:
                yield from self._inside(folder, depth + 1)

    def _folders(self, parent: Path) -> list[tuple[Path, bool]]:
        """Return the folders in a folder, and whether each is a link to one."""
        self.count += 1
        if self.count == MOST:
            self._warn(f"{self._top}: looked into {MOST} folders and no more; name one below")
        try:
            with os.scandir(parent) as entries:
                folders = [
                    (entry.name, entry.is_symlink())
                    for entry in entries
                    if entry.name[0] != "." and entry.name not in SKIPPED and entry.is_dir()
                ]
        except OSError as error:
            if not is_barred(parent, self._warn):
                self._warn(f"{parent}: left out: {error.strerror}")
            return []
        return [(parent / name, is_link) for name, is_link in sorted(folders)]


def _is_experiment(folder: Path) -> bool:
    """Return whether a folder is an experiment that runx launched."""
    return os.path.isdir(f"{folder}/.runx")  # noqa: PTH112
