"""logx's metrics.csv in another folder than LOGDIR, as a script may have asked of it."""

from __future__ import annotations

import re

from runx.readers.base import FileReader, Row, Warn
from runx.readers.csvlog import is_wide
from runx.rundir.files import unblocked
from runx.rundir.records import parse
from runx.rundir.records import read as read_records

_NAME = re.compile(r"metrics(\.\w+)?\.csv")


def recognise(path: str) -> bool:
    """Return whether a file has a name of logx's and begins with a row of it."""
    if not _NAME.fullmatch(path.rpartition("/")[2]):
        return False
    with open(path, "rb", opener=unblocked) as file:
        first = file.readline(1 << 16)
    try:
        return not is_wide(first) and bool(parse(first.decode("utf-8", "replace")).metrics)
    except ValueError:
        return False


def read(path: str, warn: Warn) -> list[Row]:
    """Return the rows of a metrics file, without those that begin an execution."""

    def damaged(line: int, reason: str) -> None:
        warn(f"{path}, line {line}: left out: {reason}")

    return [
        Row(each.phase, each.epoch, each.metrics, each.timestamp)
        for each in read_records(path, damaged)
        if each.phase != "start"
    ]


READER = FileReader("logx", recognise, read)
