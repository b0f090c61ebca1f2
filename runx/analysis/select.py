"""The runs and experiments that words stand for: whole names, parts, identities or paths; read."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runx.analysis.question import Question
from runx.analysis.read import Reader, index_for, read_runs
from runx.analysis.table import chosen
from runx.errors import RunxError, StoreError
from runx.nearest import listed, nearest_first
from runx.rundir.experiments import find, is_run, known, places
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord

_SHORTEST_ID = 4


def records_of(
    words: Sequence[str], logroot: Path, cwd: Path, reader: Reader, where: str = ""
) -> list[RunRecord]:
    """Read the runs that words stand for, without words those of all experiments.

    Of those, ``where`` keeps the ones for which it holds.
    """
    question = Question(where=where)
    measures = tuple(dict.fromkeys((*reader.measures, *question.measures)))
    reader = reader._replace(measures=measures, details=reader.details | question.details)
    records = list(_read(words, logroot, cwd, reader))
    kept = {id(record) for record in chosen(records, question)}
    return [record for record in records if id(record) in kept]


def _read(words: Sequence[str], logroot: Path, cwd: Path, reader: Reader) -> Iterator[RunRecord]:
    if words:
        runs = select(words, logroot, cwd)
    else:
        experiments = find(["*"], logroot, cwd) if logroot.is_dir() else []
        runs = [run for experiment in experiments for run in places(experiment)]
    for folder, inside in itertools.groupby(runs, key=lambda run: os.path.dirname(os.fspath(run))):
        several, experiment = list(inside), ExperimentDir(Path(folder))
        index = index_for(several, experiment, reader)
        yield from read_runs(several, experiment.path.name, reader, index)


def runs_of(
    words: Sequence[str], logroot: Path, cwd: Path, where: str, warn: Callable[[str], None]
) -> list[RunDir]:
    """Find the runs that words stand for; they are read only where ``where`` has to choose."""
    if not where:
        return select(words, logroot, cwd)
    records = records_of(words, logroot, cwd, Reader(warn=warn), where)
    if not records:
        raise RunxError(f"--where {where}: no run is like that")
    return [record.dir for record in records]


def select(words: Sequence[str], logroot: Path, cwd: Path) -> list[RunDir]:
    """Find the runs that words stand for; a word for an experiment stands for all of its runs.

    After an experiment, words are looked for in it alone.
    """
    within: list[ExperimentDir] = []
    found: list[RunDir] = []
    whole: dict[Path, ExperimentDir] = {}
    for word in words:
        if experiments := _experiments(word, logroot, cwd):
            within = experiments
            whole.update((experiment.path, experiment) for experiment in experiments)
            continue
        for experiment in within:
            whole.pop(experiment.path, None)
        found.append(run_named(word, within, logroot, cwd))
    for experiment in whole.values():
        found += [run for run in places(experiment) if is_run(os.fspath(run))]
    return list(dict.fromkeys(found))


def _experiments(word: str, logroot: Path, cwd: Path) -> list[ExperimentDir]:
    """Give the experiments that a word stands for, none where it stands for a run."""
    if is_run(cwd / word) or is_run(logroot / word):
        return []
    try:
        return find([word], logroot, cwd)
    except RunxError:
        return []


def run_named(word: str, within: Sequence[ExperimentDir], logroot: Path, cwd: Path) -> RunDir:
    """Find the one run that a word stands for."""
    for root in (cwd, logroot):
        if is_run(root / word):
            return RunDir(Path((root / word).resolve()))
    experiments = within or [ExperimentDir(logroot / name) for name in known(logroot)]
    runs = [
        run for experiment in experiments for run in places(experiment) if is_run(os.fspath(run))
    ]
    matching = matches(word, [run.path.name for run in runs])
    chosen = [runs[at] for at in matching] or _of_identity(word, runs)
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        several = [f"{run.path.parent.name}/{run.path.name}" for run in chosen]
        raise RunxError(f"{word} stands for several runs; there {listed(several)}")
    where = " or ".join(str(experiment.path) for experiment in within) or str(logroot)
    others = [] if within else [experiment.path.name for experiment in experiments]
    there = nearest_first(word, [*others, *(run.path.name for run in runs)])
    what = "run" if within else "run or experiment"
    raise RunxError(f"no {what} {word} in {where}" + (f"; there {listed(there)}" if there else ""))


def matches(word: str, names: Sequence[str]) -> list[int]:
    """Find the names that a word stands for: the whole, else a beginning, else a part.

    >>> matches("owl", ["wise-owl", "owl-wise", "fox"])
    [1]
    """
    for fits in (str.__eq__, str.startswith, str.__contains__):
        if found := [at for at, name in enumerate(names) if fits(name, word)]:
            return found
    return []


def _of_identity(word: str, runs: Sequence[RunDir]) -> list[RunDir]:
    """Find the runs whose identity begins so; equal runs share theirs."""
    if len(word) < _SHORTEST_ID:
        return []
    return [run for run in runs if _identity(run).startswith(word)]


def _identity(run: RunDir) -> str:
    try:
        return str(read_json(run.record).get("id", ""))
    except StoreError:
        return ""
