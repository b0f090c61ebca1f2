"""What a reader of other tools' files returns: rows of metrics, and runs.

A module of ``readers`` ends in a FileReader, for a file that a script left in its run, or in a
DirReader, for a directory of another tool. Both only look, and open nothing that is a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Warn: TypeAlias = Callable[[str], None]


class Row(NamedTuple):
    """Metrics of one phase that were written together.

    ``epoch``: the epoch, or the step where no epoch is known. ``time``: in seconds since 1970.
    ``file``: where they stand, relative to the run's directory.
    """

    phase: str
    epoch: int | float | None
    values: Mapping[str, float | str]
    time: float | None = None
    file: str = ""


class FileReader(NamedTuple):
    """A kind of file that holds metrics.

    ``recognise`` returns whether a file, given its path, is of that kind: by its name, then by its
    first bytes. ``read`` returns its rows in the order in which they were written; what is damaged
    costs a warning that begins with the path, and itself alone.
    """

    name: str
    recognise: Callable[[str], bool]
    read: Callable[[str, Warn], Iterable[Row]]


class FoundRun(NamedTuple):
    """A run that another tool has recorded.

    ``state``: a state of ours where the tool keeps one, else ``unknown``. ``started`` and
    ``ended``: in seconds since 1970. ``experiment``: the tool's own name of what the run is part
    of. ``reason``: what the tool has of a state that isn't believed, such as ``running``.
    ``source``: the file or folder that rows stand in where they don't say so themselves.
    """

    name: str
    path: Path
    hparams: Mapping[str, Any]
    rows: Iterable[Row]
    state: str = "unknown"
    exit_code: int | None = None
    started: float | None = None
    ended: float | None = None
    experiment: str = ""
    reason: str = ""
    source: str = ""


class DirReader(NamedTuple):
    """A tool that keeps its runs in directories.

    ``recognise`` returns whether a directory is one of the tool's, be it of one run or of many.
    ``read`` returns the runs in it, those that are damaged left out with a warning. ``marks``: in a
    few words, what it recognises them by. ``is_vague``: other tools' folders may look so, too; what
    lies below a folder then counts before it.
    """

    tool: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path, Warn], Iterable[FoundRun]]
    marks: str = ""
    is_vague: bool = False
