"""Where runs were sent: their jobs, as their own files and the maps of their launches tell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.errors import StoreError
from runx.files import read_json, read_lines
from runx.locks import may_be_held
from runx.plans.experiment import Farm
from runx.rundir import ExperimentDir, RunDir

Warn = Callable[[str], None]
_Map: TypeAlias = dict[str, dict[str, Any]]
"""What a launch wrote of its jobs, by the names of their runs."""


def jobs_folder(home: ExperimentDir, launch: str) -> Path:
    """Say where a launch keeps the scripts and the map of its jobs."""
    return home.launches / launch / "jobs"


class Handed(NamedTuple):
    """A run that was given to a farm: its job's id, or its name where the id was never kept.

    ``task`` is its place in an array, ``pending`` that its submission may be on its way.
    """

    run: RunDir
    attempt: int
    farm: Farm
    id: str
    name: str
    task: int | None = None
    pending: bool = False


def handed(runs: Iterable[RunDir], warn: Warn) -> Iterator[Handed]:
    """Find where those of the runs went that farms have and that have not ended well."""
    maps: dict[Path, _Map] = {}
    for run in runs:
        try:
            found = _handed(run, maps)
        except StoreError as error:
            warn(str(error))
            continue
        if found is not None:
            yield found


def _handed(run: RunDir, maps: dict[Path, _Map]) -> Handed | None:
    numbers = _attempts(run)
    if not numbers or _is_done(run, numbers[-1]):
        return None
    for attempt in reversed(numbers):
        if run.job(attempt).exists():
            job = read_json(run.job(attempt))
            if job.get("refused"):
                continue
            return Handed(
                run, attempt, _farm(job), str(job.get("id", "")), str(job.get("name", ""))
            )
        claim = read_json(run.claim(attempt)) if run.claim(attempt).exists() else {}
        if claim.get("by") != "run.sh":
            return _mapped(run, attempt, claim, maps)
    return None


def _attempts(run: RunDir) -> list[int]:
    try:
        names = os.listdir(run.attempts)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    parts = (name.partition(".") for name in names)
    return sorted({int(number) for number, _, kind in parts if number.isdecimal() and kind})


def _is_done(run: RunDir, attempt: int) -> bool:
    return any(
        '"event":"ended"' in line and '"code":0' in line for line in read_lines(run.events(attempt))
    )


def _farm(job: Mapping[str, Any]) -> Farm:
    return Farm(
        str(job.get("farm")), type=str(job.get("type", "command")), options=job.get("options", {})
    )


def _mapped(
    run: RunDir,
    attempt: int,
    claim: Mapping[str, Any],
    maps: dict[Path, _Map],
) -> Handed | None:
    """Look a run without a job's id up in the map that its launch wrote before it submitted."""
    launch = claim.get("launch")
    if not claim.get("farm") or not launch:
        return None
    folder = jobs_folder(ExperimentDir(run.path.parent), str(launch))
    if folder not in maps:
        maps[folder] = _map(folder)
    entry = maps[folder].get(run.path.name)
    if entry is None:
        return None
    return Handed(run, attempt, _farm(entry), "", entry["name"], entry["task"], entry["pending"])


def _map(folder: Path) -> _Map:
    pending = may_be_held(folder / "lock")
    entries = (json.loads(line) for line in read_lines(folder / "jobs.jsonl"))
    return {
        name: {**entry, "pending": pending, "task": task if entry["array"] else None}
        for entry in entries
        for task, name in enumerate(entry["runs"])
    }


def whole_jobs(several: Iterable[Handed], meant: Container[RunDir]) -> list[str]:
    """Name the jobs of which every run is meant."""
    maps: dict[Path, _Map] = {}
    found: dict[str, None] = {}
    for one in several:
        launch = read_json(one.run.claim(one.attempt)).get("launch")
        beside = one.run.path.parent
        folder = jobs_folder(ExperimentDir(beside), str(launch))
        if folder not in maps:
            maps[folder] = _map(folder)
        entry = maps[folder].get(one.run.path.name)
        if entry and all(RunDir(beside / name) in meant for name in entry["runs"]):
            found[entry["name"]] = None
    return list(found)


def by_farm(found: Iterable[Handed]) -> list[tuple[Farm, list[Handed]]]:
    """Put together what is to be asked, or told, at the same place."""
    farms: dict[str, tuple[Farm, list[Handed]]] = {}
    for one in found:
        key = json.dumps([one.farm.name, one.farm.type, sorted(one.farm.options.items())])
        farms.setdefault(key, (one.farm, []))[1].append(one)
    return list(farms.values())
