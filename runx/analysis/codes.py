"""Runs whose code differs: which codes there are, and the files in which these differ."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import StoreError
from runx.nearest import first_of
from runx.rundir.events import Attempt
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import attempt_codes, launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.staging.difference import content, differing
from runx.staging.store import TREE

MOST_COMPARED = 5
"""Different codes whose files are compared; of more only their number is shown."""
_SWEEP = re.compile(rb"^(?:CMD|HPARAMS)[ \t]*:", re.M)
SHORT = 8
"""The digits by which people tell codes apart."""


def codes_of(runs: Iterable[RunRecord]) -> dict[str, int]:
    """Return the digests of the code of runs and how many runs have each, the most first."""
    return dict(Counter(run.code for run in runs if run.code).most_common())


def alike(runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return runs, those whose code differs in files of settings alone with one code for all.

    Who adds an axis to a sweep, or edits another sweep of the project, has changed no program.
    ``details`` keep the digest. Runs of several projects have theirs: codes are compared in each.
    """
    codes = codes_of(runs)
    if len(codes) < 2:
        return runs
    examples = {run.code: run for run in reversed(runs)}
    found = {code: _read(examples[code]) for code in codes}
    projects = {each.project for each in found.values()}
    same: dict[str, str] = {}
    for project in projects:
        same |= _same({code: each for code, each in found.items() if each.project == project})
    if len(projects) == 1 and all(code == first for code, first in same.items()):
        return runs
    return [_renamed(run, same[run.code], found[run.code]) if run.code else run for run in runs]


def _renamed(run: RunRecord, code: str, of_code: _Code) -> RunRecord:
    run = run._replace(project=of_code.project)
    if code == run.code:
        return run
    return run._replace(code=code, details={**run.details, "code_digest": run.code})


class _Code(NamedTuple):
    """A code: its project, the files of its runs' settings, its tree and its files, if there."""

    project: str
    settings: frozenset[str]
    tree: Path
    files: frozenset[tuple[str, str]] | None


def _read(run: RunRecord) -> _Code:
    record = read_or_empty(run.dir.record, _ignore)
    sources = launch_of(run.dir, record, _ignore).get("sources")
    own = map(str, sources) if isinstance(sources, list) else ()
    project = str(record.get("project", "/"))
    settings = frozenset(os.path.relpath(source, project) for source in own)
    folder = ExperimentDir(run.dir.path.parent).code / run.code
    try:
        files = frozenset(content(folder).items())
    except StoreError:
        files = None
    return _Code(project, settings, folder / TREE, files)


def _same(codes: Mapping[str, _Code]) -> dict[str, str]:
    """Return for each code of a project the first whose program it shares, itself if it's gone."""
    settings = frozenset[str]().union(*(each.settings for each in codes.values()))
    known = [each.files for each in codes.values() if each.files is not None]
    common = frozenset[tuple[str, str]]().union(*known).intersection(*known)
    first: dict[object, str] = {}
    same = {}
    for code, (_, _, tree, files) in codes.items():
        own = () if files is None else files - common
        program = frozenset(
            file for file in own if file[0] not in settings and not _is_sweep(tree / file[0])
        )
        same[code] = code if files is None else first.setdefault(program, code)
    return same


def _is_sweep(file: Path) -> bool:
    """Return whether a file is an experiment's: YAML with CMD or HPARAMS at its top."""
    if file.suffix not in (".yml", ".yaml"):
        return False
    try:
        return _SWEEP.search(file.read_bytes()) is not None
    except OSError:
        return False


def code_digest(run: RunRecord) -> str:
    """Return the digest of a run's code with its settings, "" where it has none."""
    return str(run.details.get("code_digest", run.code))


def _ignore(_: str) -> None:
    """Drop a warning: a code whose records are damaged is one of its own."""


def short_codes(runs: Iterable[RunRecord]) -> str | None:
    """Return the short digests of the code of runs, None where no run has one."""
    return ", ".join(code[:SHORT] for code in codes_of(runs)) or None


def mixed(runs: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """Return the runs of each project whose runs have different codes."""
    projects: dict[str, list[RunRecord]] = {}
    for run in runs:
        projects.setdefault(run.project, []).append(run)
    return [group for group in projects.values() if len({run.code for run in group} - {""}) > 1]


def code_files(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Return for each code but its project's most frequent the files in which it differs from that.

    Nothing where a project has more than MOST_COMPARED; no files where a code is gone.
    """
    files: dict[str, list[str]] = {}
    for group in mixed(runs):
        usual, *others = codes_of(group)
        if len(others) >= MOST_COMPARED:
            continue
        folders: dict[str, Path] = {}
        for run in sorted(group, key=lambda run: code_digest(run) == run.code):
            folders[run.code] = ExperimentDir(run.dir.path.parent).code / code_digest(run)
        for code in others:
            try:
                files[code] = differing(folders[usual], folders[code])
            except StoreError:
                files[code] = []
    return files


def code_note(runs: Sequence[RunRecord]) -> str:
    """Return a line on runs whose code differs, and on the files; an empty one where none does."""
    groups = mixed(runs)
    if len(groups) > 1:
        return f"the code of runs differs in {len(groups)} projects; --columns code shows it"
    codes = codes_of(groups[0]) if groups else {}
    if not codes:
        return ""
    if len(codes) > MOST_COMPARED:
        return f"these runs have {len(codes)} different codes; --columns code shows which"
    files = dict.fromkeys(name for names in code_files(groups[0]).values() for name in names)
    counts = ", ".join(f"{code[:SHORT]}: {n} run{'s' * (n != 1)}" for code, n in codes.items())
    where = f": {first_of(list(files))}" if files else ""
    return f"the code of these runs differs ({counts}){where}; --diff RUN RUN shows how"


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
        files = first_of(differing(store / old, store / new))
    except StoreError:
        files = ""
    return f"since attempt {number}; {old[:SHORT]} before" + (f": {files}" if files else "")
