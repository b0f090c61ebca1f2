"""Runs whose code differs: which codes there are, and the files in which these differ."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runx.errors import StoreError
from runx.rundir.events import Attempt
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import attempt_codes, launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.staging.difference import content, differing

MOST_COMPARED = 5
"""Different codes whose files are compared; of more only their number is told."""
_MOST_NAMED = 4
SHORT = 8
"""The digits by which people tell codes apart."""


def codes_of(runs: Iterable[RunRecord]) -> dict[str, int]:
    """Return the digests of the code of runs and how many runs have each, the most first."""
    return dict(Counter(run.code for run in runs if run.code).most_common())


def alike(runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return runs, those whose code differs in files of settings alone with one code for all.

    Who adds an axis to a sweep has changed its file, not the program. ``details`` keep the digest.
    """
    codes = codes_of(runs)
    if len(codes) < 2:
        return runs
    examples = {run.code: run for run in reversed(runs)}
    first: dict[object, str] = {}
    same = {code: first.setdefault(_program(examples[code]), code) for code in codes}
    return [
        run._replace(code=same[run.code], details={**run.details, "code_digest": run.code})
        if same.get(run.code, run.code) != run.code
        else run
        for run in runs
    ]


def code_digest(run: RunRecord) -> str:
    """Return the digest of a run's code with its settings, "" where it has none."""
    return str(run.details.get("code_digest", run.code))


def _program(run: RunRecord) -> object:
    """Return what is frozen for a run but the files of its settings, its digest if that is gone."""
    record = read_or_empty(run.dir.record, _ignore)
    sources = launch_of(run.dir, record, _ignore).get("sources")
    own = map(str, sources) if isinstance(sources, list) else ()
    names = {os.path.relpath(source, str(record.get("project", "/"))) for source in own}
    try:
        files = content(ExperimentDir(run.dir.path.parent).code / run.code)
    except StoreError:
        return run.code
    return frozenset(file for file in files.items() if file[0] not in names)


def _ignore(_: str) -> None:
    """Drop a warning: a code whose records are damaged is one of its own."""


def short_codes(runs: Iterable[RunRecord]) -> str | None:
    """Return the short digests of the code of runs, None where no run has one."""
    return ", ".join(code[:SHORT] for code in codes_of(runs)) or None


def code_files(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Return for each code but the most frequent the files in which it differs from that.

    Nothing where there is one code, or more than MOST_COMPARED; no files where a code is gone.
    """
    usual, *others = codes_of(runs) or {"": 0}
    if not others or len(others) >= MOST_COMPARED:
        return {}
    folders = {run.code: ExperimentDir(run.dir.path.parent).code / run.code for run in runs}
    files: dict[str, list[str]] = {}
    for code in others:
        try:
            files[code] = differing(folders[usual], folders[code])
        except StoreError:
            files[code] = []
    return files


def code_note(runs: Sequence[RunRecord]) -> str:
    """Return a line on runs whose code differs, and on the files; an empty one where none does."""
    codes = codes_of(runs)
    if len(codes) < 2:
        return ""
    if len(codes) > MOST_COMPARED:
        return f"these runs have {len(codes)} different codes; --columns code shows which"
    files = dict.fromkeys(name for names in code_files(runs).values() for name in names)
    counts = ", ".join(f"{code[:SHORT]}: {n} run{'s' * (n != 1)}" for code, n in codes.items())
    where = f": {named(list(files))}" if files else ""
    return f"the code of these runs differs ({counts}){where}; --diff RUN RUN shows how"


def named(files: Sequence[str]) -> str:
    """Return the names of files, of many the first.

    >>> named(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d and 2 more'
    """
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return ", ".join(files[:_MOST_NAMED]) + more


def marked(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Return runs, those whose code isn't that of most with the files in which it differs."""
    files: Mapping[str, list[str]] = code_files(runs)
    return [
        run._replace(details={**run.details, "code_differs": files[run.code]})
        if run.code in files
        else run
        for run in runs
    ]


def with_codes(record: RunRecord) -> list[tuple[Attempt, str]]:
    """Return the attempts of a run, each with the digest of its code, "" where there is none."""
    codes = attempt_codes(record.dir, [attempt.number for attempt in record.attempts])
    return list(zip(record.attempts, codes, strict=True))


def code_changed(record: RunRecord) -> str:
    """Return since which attempt a run has its code, and in which files the one before differs."""
    codes = with_codes(record)
    changed = [
        (now[0].number, before[1], now[1])
        for before, now in itertools.pairwise(codes)
        if before[1] and now[1] and before[1] != now[1]
    ]
    if not changed:
        return ""
    number, old, new = changed[-1]
    try:
        store = ExperimentDir(record.dir.path.parent).code
        files = named(differing(store / old, store / new))
    except StoreError:
        files = ""
    return f"since attempt {number}; {old[:SHORT]} before" + (f": {files}" if files else "")
