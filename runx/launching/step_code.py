"""The code of steps: what a shared one rests on, and which runs take today's when they go on."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from runx.config.experiment import Experiment
from runx.errors import SettingsError
from runx.launching.context import LaunchContext
from runx.launching.graph import StepRuns, step_runs
from runx.launching.plan import LaunchOptions, PlannedAttempt
from runx.launching.progress import left_nothing
from runx.launching.restage import code_changes, takes_today
from runx.nearest import first_of
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.staging.git import blobs
from runx.staging.store import WORKTREE


def graph_of(experiment: Experiment, runs: Sequence[Run]) -> StepRuns:
    """Return the steps of runs; a shared one that says CODE is another one when that changes.

    Raises:
        SettingsError: CODE names what isn't there.
    """
    codes = {step.name: _digest(experiment, step.name) for step in experiment.steps if step.code}
    return step_runs(experiment, runs, codes)


def _digest(experiment: Experiment, name: str) -> str:
    """Return a digest of the names and the content of the files that CODE of a step names."""
    step = next(each for each in experiment.steps if each.name == name)
    code, place = experiment.code, experiment.entries["STEPS"].at(name, "CODE")
    texts: list[str] = []
    for named in step.code or ():
        found = (
            sorted(_contents(code.root / named, code.ignore))
            if code.source == WORKTREE
            else blobs(code.root, code.source, named)
        )
        if not found:
            raise SettingsError(
                f"{place}: STEPS.{name}: CODE: {named}: there is no such file below {code.root}"
            )
        texts += [named, *found]
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _contents(path: Path, ignore: Sequence[str]) -> Iterator[str]:
    """Yield the name and the digest of a file, or of each file in a folder."""
    if path.is_file():
        yield f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(each for each in folders if not _is_ignored(each, ignore))
        for name in files:
            if not _is_ignored(name, ignore):
                file = Path(folder) / name
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                yield f"{file.relative_to(path)} {digest}"


def _is_ignored(name: str, ignore: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in ignore)


def restaged_runs(
    experiment: Experiment,
    attempts: Sequence[PlannedAttempt],
    alive: frozenset[RunDir],
    options: LaunchOptions,
) -> frozenset[RunDir]:
    """Return the directories, of runs and of shared steps, whose code is replaced by today's.

    Each is one of whose steps some starts that was mended, or is new; ``alive`` are those in which
    one is still going on with the code that is there.
    """
    restaged = set()
    for attempt in attempts:
        owner = code_owner(attempt.run)
        if owner in alive or owner in restaged or not owner.code.exists():
            continue
        if experiment.restage == "never" and not options.restage:
            continue
        if attempt.is_other or attempt.is_new or _takes_today(experiment, attempt, owner, options):
            restaged.add(owner)
    return frozenset(restaged)


def _takes_today(
    experiment: Experiment, attempt: PlannedAttempt, owner: RunDir, options: LaunchOptions
) -> bool:
    """Return whether a step that starts again takes today's code by RESTAGE or --restage.

    What others have left in LOGDIR before it is no reason to keep the code.
    """
    folder = attempt.run.dir.path.parent
    is_first = all(each.dir.path.parent != folder for each in attempt.run.after)
    if is_first and owner != attempt.run.dir and experiment.restage == "auto":
        return takes_today(attempt, options, experiment.restage) and left_nothing(owner)
    return takes_today(attempt, options, experiment.restage)


def code_owner(run: Run) -> RunDir:
    """Return the directory that has the code of a step: its run's, or its own."""
    assert run.step is not None
    return RunDir(run.dir.path.parent.parent) if run.step.per.is_run else run.dir


def reuse_warnings(graph: StepRuns, left: Sequence[RunDir], context: LaunchContext) -> list[str]:
    """Return warnings on shared steps that are used again though the project's files differ."""
    kept, used = set(left), dict[str, list[RunDir]]()
    for run in graph.steps:
        step = run.step
        if step and not step.per.is_run and step.code is None and run.dir in kept:
            used.setdefault(step.name, []).append(run.dir)
    lines = []
    for name, dirs in used.items():
        if names := code_changes(dirs, context):
            what = f"{dirs[0].name} is" if len(dirs) == 1 else f"{len(dirs)} {name} are"
            lines.append(
                f"{what} used again, though {first_of(names, most=3)} changed since; --step {name}"
                f" makes {'it' if len(dirs) == 1 else 'them'} anew, CODE in STEPS.{name} says what"
                " counts"
            )
    return lines
