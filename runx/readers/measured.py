"""What the files of a run say together: of each metric one source, rows as metrics.csv has them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from runx.readers.base import Row, Warn
from runx.readers.files import DEEPEST, FoundFile, find
from runx.readers.jsonlog import RESULTS_READER
from runx.readers.registry import FILES
from runx.rundir.paths import metrics_of
from runx.rundir.records import encode

Key: TypeAlias = tuple[str, str]
"""The phase and the name of a metric."""


class Source(NamedTuple):
    """The rows of files of one kind that belong together, those of an attempt after the earlier.

    ``prefix`` tells its metrics from those of the same name that another source of its kind has:
    what comes before the name.
    """

    kind: str
    rows: Sequence[Row]
    prefix: str = ""


class Measured(NamedTuple):
    """What a run measured, in the order in which it was written, and the file of each metric.

    In ``sources`` the metrics of other phases than val are named as ``train.loss``.
    """

    rows: Sequence[Row] = ()
    sources: Mapping[str, str] = {}

    def content(self, phase: str) -> bytes:
        """Return the content of the metrics file that a phase would have, of logx's format.

        A start is where another file begins, or a file goes back: there another attempt's rows do.
        """
        lines: list[str] = []
        file, before = "", -math.inf
        for row in self.rows:
            if metrics_of(row.phase) != metrics_of(phase):
                continue
            at = row.epoch if row.epoch is not None else before
            if not lines or row.file != file or at < before:
                lines.append(encode("start", {"start/step": 0}, None, row.time))
            file, before = row.file, at
            lines.append(encode(row.phase, dict(row.values), row.epoch, row.time))
        return "".join(lines).encode("utf-8", "replace")

    def names(self, phase: str) -> list[str]:
        """Return the metrics of a phase: those of tests for validation where there is none."""
        phases = {row.phase for row in self.rows}
        judged = "test" if phase == "val" and "val" not in phases else phase
        return [*dict.fromkeys(n for row in self.rows if row.phase == judged for n in row.values)]


def read_files(run: str, files: Iterable[FoundFile], warn: Warn) -> list[Source]:
    """Return what files have, those that several attempts wrote to one place as one source."""
    places: dict[tuple[str, str], list[FoundFile]] = {}
    # What lies with the code may be of others; what is in the run's directory is of the run.
    for file in sorted(files, key=lambda file: (file.name.startswith("code/"), file.mtime)):
        places.setdefault((file.reader.name, file.place), []).append(file)
    order = [*FILES]
    inside = sorted(places.values(), key=lambda each: _rank(each[0].reader.name, order))
    found = [(each, [(file, [*_rows(run, file, warn)]) for file in each]) for each in inside]
    # A folder that is called train says something only beside others.
    told = {row.phase or file.hint for _, read in found for file, rows in read for row in rows}
    hints = {"val": "val", "test": "test", "train": "train" if told & {"val", "test"} else "val"}
    return [
        Source(
            each[0].reader.name,
            [
                Row(row.phase or hints.get(file.hint, "val"), *row[1:4], file.name)
                for file, rows in read
                for row in rows
            ],
            _prefix(each[0]),
        )
        for each, read in found
    ]


def rows_beneath(
    folder: Path, warn: Warn, inside: tuple[str, ...] = ("",), deepest: int = DEEPEST
) -> list[Row]:
    """Return the rows of the files below a folder, or below some that are ``inside`` of it."""
    files = find(str(folder), inside, deepest=deepest)
    return [*combined(read_files(str(folder), files, warn)).rows]


def _rank(kind: str, order: Sequence[str]) -> int:
    """Return the place of a kind of file among others; those of entry points come first."""
    return order.index(kind) if kind in order else -1


def _rows(run: str, file: FoundFile, warn: Warn) -> Iterable[Row]:
    try:
        return file.reader.read(f"{run}/{file.name}", warn)
    except OSError as error:
        warn(f"{run}/{file.name}: can't be read: {error.strerror}")
        return ()


def _prefix(file: FoundFile) -> str:
    """Return the name of a file without its end, or of the folder of event files, and a slash."""
    folder, name = os.path.split(file.name)
    return f"{os.path.basename(folder) if 'tfevents' in name else name.partition('.')[0]}/"


def combined(sources: Iterable[Source]) -> Measured:
    """Return what sources have together; of each metric the first source counts.

    Sources of one kind that have a metric of the same name both count, the later one with its
    prefix. Results of a later epoch than all else is of count, too.
    """
    owners: dict[Key, str] = {}
    reached: dict[Key, float] = {}
    counting: list[list[Row]] = []
    results: list[Row] = []
    for source in sources:
        names = _own_names(source, owners)
        owners.update((own, source.kind) for own in names.values())
        counting.append(_renamed(source.rows, names))
        if source.kind == RESULTS_READER.name:
            known = {key: key for key in reached}
            late = [row for row in _renamed(source.rows, known) if _is_later(row, reached)]
            results += late
        for row in (*counting[-1], *results):
            for name in row.values:
                key = (row.phase, name)
                at = row.epoch if row.epoch is not None else -math.inf
                reached[key] = max(reached.get(key, -math.inf), at)
    # The rows of the first source are the last ones, whose epoch is the run's.
    rows = [*(row for each in reversed(counting) for row in each), *results]
    files = {_shown(row.phase, name): row.file for row in rows for name in row.values}
    return Measured(rows, files)


def _shown(phase: str, name: str) -> str:
    return name if phase == "val" else f"{phase}.{name}"


def _own_names(source: Source, owners: Mapping[Key, str]) -> dict[Key, Key]:
    """Return the names under which those metrics of a source count that no other has."""
    names: dict[Key, Key] = {}
    for key in dict.fromkeys((row.phase, name) for row in source.rows for name in row.values):
        phase, name = key
        is_twice = owners.get(key) == source.kind
        own = (phase, f"{source.prefix}{name}") if is_twice else key
        if own not in owners:
            names[key] = own
    return names


def _is_later(row: Row, reached: Mapping[Key, float]) -> bool:
    """Return whether a row is of a later epoch than all of its metrics have reached elsewhere."""
    before = max(reached.get((row.phase, name), -math.inf) for name in row.values)
    return row.epoch is not None and -math.inf < before < row.epoch


def _renamed(rows: Sequence[Row], names: Mapping[Key, Key]) -> list[Row]:
    """Return rows with those metrics alone that have a name, under it."""
    if all(old == new for old, new in names.items()) and _are_all(rows, names):
        return [*rows]
    renamed = []
    for row in rows:
        known = {name: names.get((row.phase, name)) for name in row.values}
        values = {key[1]: row.values[name] for name, key in known.items() if key}
        renamed += [row._replace(values=values)] if values else []
    return renamed


def _are_all(rows: Sequence[Row], names: Mapping[Key, Key]) -> bool:
    return all((row.phase, name) in names for row in rows for name in row.values)
