"""What the files of a run say together: of each metric one source, rows as metrics.csv has them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from runx.readers.base import Row, Warn
from runx.readers.files import FoundFile
from runx.readers.registry import FILES
from runx.rundir.paths import metrics_of
from runx.rundir.records import encode


class Source(NamedTuple):
    """The rows of files of one kind that belong together, those of an attempt after the earlier.

    ``prefix`` tells its metrics from those of the same name that another source of its kind has.
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
    for file in sorted(files, key=lambda file: file.mtime):
        places.setdefault((file.reader.name, file.place), []).append(file)
    order = [*FILES]
    inside = sorted(places.values(), key=lambda each: _rank(each[0].reader.name, order))
    found = [
        (each, [row._replace(file=file.name) for file in each for row in _rows(run, file, warn)])
        for each in inside
    ]
    # A folder that is called train says something only beside others.
    told = {row.phase or each[0].hint for each, rows in found for row in rows}
    hints = {"val": "val", "test": "test", "train": "train" if told & {"val", "test"} else "val"}
    return [
        Source(
            each[0].reader.name,
            [row._replace(phase=row.phase or hints.get(each[0].hint, "val")) for row in rows],
            _prefix(each[0]),
        )
        for each, rows in found
    ]


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
    """Return the name of a file without its end, or of the folder of event files."""
    folder, name = os.path.split(file.name)
    return os.path.basename(folder) if "tfevents" in name else name.partition(".")[0]


def combined(sources: Iterable[Source]) -> Measured:
    """Return what sources have together; of each metric the first source counts.

    Sources of one kind that have a metric of the same name both count, the later one with its
    prefix.
    """
    owners: dict[tuple[str, str], str] = {}
    counting: list[list[Row]] = []
    files: dict[str, str] = {}
    for kind, rows, prefix in sources:
        names: dict[tuple[str, str], str] = {}
        for phase, name in dict.fromkeys((row.phase, name) for row in rows for name in row.values):
            own = f"{prefix}/{name}" if owners.get((phase, name)) == kind else name
            if (phase, own) not in owners:
                names[phase, name] = own
        owners.update({(phase, own): kind for (phase, _), own in names.items()})
        counting.append([kept for row in rows if (kept := _renamed(row, names)).values])
        for row in counting[-1]:
            prefix = "" if row.phase == "val" else f"{row.phase}."
            files.update((prefix + name, row.file) for name in row.values)
    # The rows of the first source are the last ones, whose epoch is the run's.
    return Measured([row for rows in reversed(counting) for row in rows], files)


def _renamed(row: Row, names: Mapping[tuple[str, str], str]) -> Row:
    values = {
        names[row.phase, name]: value
        for name, value in row.values.items()
        if (row.phase, name) in names
    }
    return row._replace(values=values)
