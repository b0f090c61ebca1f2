"""Runs and experiments as people name them: whole, by a part, by identity, by path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runx.disk.experiments import find, is_run, known, places
from runx.errors import RunxError, StoreError
from runx.files import read_json
from runx.language.nearest import listed, nearest_first
from runx.rundir import ExperimentDir, RunDir

_SHORTEST_ID = 4


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
