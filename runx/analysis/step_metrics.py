"""What the steps of a run have measured, in one row: each step is a source of metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from runx.analysis.decode import counted_records
from runx.analysis.leftovers import locate
from runx.readers.asked import Asked, read_asked
from runx.readers.base import Row, Warn
from runx.readers.measured import Source
from runx.rundir.paths import STEPS
from runx.rundir.records import Record, rows, text_of
from runx.rundir.runfiles import RunFiles

_METRICS = re.compile(r"metrics(\.\w+)?\.csv")


def step_sources(
    look: RunFiles, steps: Iterable[str], asked: Sequence[Asked], warn: Warn
) -> list[Source]:
    """Return what logx wrote in each step of a run, and what METRICS names of its output.

    A metric that several steps have keeps its name in the first; later ones have the step's before.
    """
    sources = []
    for step in steps:
        inside = RunFiles(f"{look.path}/{STEPS}/{step}")
        found = [Source(STEPS, [*_logged(inside, warn)])]
        found += read_asked(inside.path, asked, partial(locate, inside), warn)
        for source in found:
            named = [row._replace(file=f"{STEPS}/{step}/{row.file}") for row in source.rows]
            sources.append(source._replace(rows=named, prefix=f"{step}."))
        look.include(inside, f"{STEPS}/{step}")
    return [source for source in sources if source.rows]


def _logged(look: RunFiles, warn: Warn) -> Iterator[Row]:
    """Yield the rows that logx wrote in a step and that count."""
    files = {name: look.content(name) for name in look.names("") if _METRICS.fullmatch(name)}
    records: list[Record] = []
    file_of: dict[str, str] = {}
    for name in sorted(files):
        for record in rows(text_of(files[name] or b""), partial(_damaged, warn, look, name)):
            records.append(record)
            file_of.setdefault(record.phase, name)
    for each in counted_records(records):
        yield Row(each.phase, each.epoch, each.metrics, each.timestamp, file_of[each.phase])


def _damaged(warn: Warn, look: RunFiles, name: str, line: int, reason: str) -> None:
    warn(f"{look.path}/{name}, line {line}: left out: {reason}")
