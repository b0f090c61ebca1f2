"""Runs selected by names, parts of names, identities or paths, and by a condition."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runx.analysis.places import Search
from runx.analysis.question import Question
from runx.analysis.read import Reader, index_for, read_runs
from runx.analysis.table import chosen
from runx.errors import RunxError, StoreError
from runx.nearest import listed, nearest_first
from runx.rundir.experiments import experiment_names, find, is_barred, is_own_run, run_dirs
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord

_SHORTEST_ID = 4


def _ignore(_: str) -> None:
    """Drop a warning where there is nobody to give it to."""


def records_of(
    words: Sequence[str], logroot: Path, cwd: Path, reader: Reader, where: str = ""
) -> list[RunRecord]:
    """Read the runs that words select and ``where`` holds for; without words, all under LOGROOT."""
    question = Question(where=where)
    measures = tuple(dict.fromkeys((*reader.measures, *question.measures)))
    reader = reader._replace(measures=measures, details=reader.details | question.details)
    records = list(_read(words, logroot, cwd, reader))
    matching = {id(record) for record in chosen(records, question)}
    return [record for record in records if id(record) in matching]


def _read(words: Sequence[str], logroot: Path, cwd: Path, reader: Reader) -> Iterator[RunRecord]:
    if words:
        runs = select(words, logroot, cwd, reader.warn)
    else:
        experiments = find(["*"], logroot, cwd, reader.warn) if logroot.is_dir() else []
        runs = [run for experiment in experiments for run in run_dirs(experiment)]
    for folder, inside in itertools.groupby(runs, key=lambda run: os.path.dirname(os.fspath(run))):
        members, experiment = list(inside), ExperimentDir(Path(folder))
        index = index_for(members, experiment, reader)
        yield from read_runs(members, experiment.path.name, reader, index)


def runs_of(
    words: Sequence[str], logroot: Path, cwd: Path, where: str, warn: Callable[[str], None]
) -> list[RunDir]:
    """Return the runs that words select; they are read only if there is a condition ``where``.

    Raises:
        RunxError: There is none.
    """
    if not where:
        return select(words, logroot, cwd, warn)
    records = records_of(words, logroot, cwd, Reader(warn=warn), where)
    if not records:
        raise RunxError(f"--where {where}: no run is like that")
    return [record.dir for record in records]


def select(
    words: Sequence[str], logroot: Path, cwd: Path, warn: Callable[[str], None] = _ignore
) -> list[RunDir]:
    """Return the runs that words select; the word of an experiment selects all of its runs.

    Words after an experiment are searched for in it alone. ``warn`` is given a line for each
    directory of an experiment that may not be read.

    Raises:
        RunxError: A word selects no run, or several.
    """
    within: list[ExperimentDir] = []
    runs: list[RunDir] = []
    entire: dict[Path, ExperimentDir] = {}
    for word in words:
        if experiments := _experiments(word, logroot, cwd, warn):
            within = experiments
            entire.update((experiment.path, experiment) for experiment in experiments)
            continue
        for experiment in within:
            entire.pop(experiment.path, None)
        runs.append(run_named(word, within, logroot, cwd))
    for experiment in entire.values():
        inside = _runs_in(experiment, warn)
        if not inside:
            refuse_other_tools(experiment.path)
        runs += inside
    return list(dict.fromkeys(runs))


def refuse_other_tools(folder: Path) -> None:
    """Raise RunxError if other tools keep their runs in a folder: only sumx reads those."""
    below = Search(folder, _ignore).below()
    tools = ", ".join(dict.fromkeys(reader.tool for reader, _ in below.tools))
    if tools:
        raise RunxError(
            f"{folder}: runs of {tools}, which runx reads, but doesn't start, end or change;"
            f" sumx {folder} shows them"
        )


def _runs_in(experiment: ExperimentDir, warn: Callable[[str], None]) -> list[RunDir]:
    """Return the runs of an experiment that this user may read."""
    if is_barred(experiment.path, warn):
        return []
    runs = []
    for run in run_dirs(experiment):
        if is_own_run(os.fspath(run)):
            runs.append(run)
        else:
            is_barred(os.fspath(run), warn)  # only for its warning
    return runs


def _experiments(
    word: str, logroot: Path, cwd: Path, warn: Callable[[str], None]
) -> list[ExperimentDir]:
    """Return the experiments that a word selects, none if it selects a run."""
    if is_own_run(cwd / word) or is_own_run(logroot / word):
        return []
    try:
        return find([word], logroot, cwd, warn)
    except RunxError:
        if any(
            is_barred(root / word, _ignore) for root in (logroot, cwd) if (root / word).exists()
        ):
            raise
        return []


def run_named(word: str, within: Sequence[ExperimentDir], logroot: Path, cwd: Path) -> RunDir:
    """Return the one run that a word selects."""
    for root in (cwd, logroot):
        if is_own_run(root / word):
            return RunDir(Path((root / word).resolve()))
    experiments = within or [ExperimentDir(logroot / name) for name in experiment_names(logroot)]
    runs = [run for experiment in experiments for run in _runs_in(experiment, _ignore)]
    indices = matches(word, [run.path.name for run in runs])
    matching = [runs[index] for index in indices] or _with_identity(word, runs)
    if len(matching) == 1:
        return matching[0]
    if matching:
        several = [f"{run.path.parent.name}/{run.path.name}" for run in matching]
        raise RunxError(f"{word} stands for several runs; there {listed(several)}")
    where = " or ".join(str(experiment.path) for experiment in within) or str(logroot)
    others = [] if within else [experiment.path.name for experiment in experiments]
    names = nearest_first(word, [*others, *(run.path.name for run in runs)])
    what = "run" if within else "run or experiment"
    raise RunxError(f"no {what} {word} in {where}" + (f"; there {listed(names)}" if names else ""))


def matches(word: str, names: Sequence[str]) -> list[int]:
    """Return the indices of the names that equal a word, else begin with it, else contain it.

    >>> matches("owl", ["wise-owl", "owl-wise", "fox"])
    [1]
    """
    for fits in (str.__eq__, str.startswith, str.__contains__):
        if indices := [index for index, name in enumerate(names) if fits(name, word)]:
            return indices
    return []


def _with_identity(word: str, runs: Sequence[RunDir]) -> list[RunDir]:
    """Return the runs whose identity begins with a word; equal runs share theirs."""
    if len(word) < _SHORTEST_ID:
        return []
    return [run for run in runs if _identity(run).startswith(word)]


def _identity(run: RunDir) -> str:
    try:
        return str(read_json(run.record).get("id", ""))
    except StoreError:
        return ""
