"""Schedulers asked of runs that have been read and that they may know more of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runx.rundir.attempts import UNASKED, Words, is_open, state_said
from runx.rundir.run import RunRecord

Warn = Callable[[str], None]


def ask(records: Iterable[RunRecord], warn: Warn) -> Words:
    """Ask the schedulers of those of the runs that have not ended well, each farm once."""
    waiting = {record.dir: record.attempts for record in records if is_open(record.attempts)}
    if not waiting:
        return UNASKED
    from runx.farms.query import query, submitted_jobs  # not at start: most are past asking

    return query(submitted_jobs(waiting.items(), warn), warn)


def answered(record: RunRecord, said: Words, now: Callable[[], float]) -> RunRecord:
    """Return a run with the state that it has by what schedulers said."""
    if not said or not is_open(record.attempts):
        return record
    status, attempts = state_said(record.dir, record.attempts, said, now)
    return record._replace(status=status, attempts=attempts)


def asked(
    records: Iterator[RunRecord], warn: Warn, now: Callable[[], float]
) -> Iterator[RunRecord]:
    """Return runs with what schedulers say; from the first that is asked of, all are read."""
    for record in records:
        if is_open(record.attempts):
            rest = [record, *records]
            said = ask(rest, warn)
            yield from (answered(each, said, now) for each in rest)
            return
        yield record
