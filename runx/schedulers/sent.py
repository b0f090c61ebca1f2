"""Where runs were sent: their jobs, as their own files and the maps of their launches tell."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.disk.facts import Attempts, clock, read_attempts
from runx.errors import StoreError
from runx.files import read_json, read_lines
from runx.plans.experiment import Farm
from runx.rundir import ExperimentDir, RunDir
from runx.states.attempts import Attempt

Warn = Callable[[str], None]
NOTHING: Mapping[RunDir, Attempts] = {}
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


def handed(
    runs: Iterable[RunDir], warn: Warn, known: Mapping[RunDir, Attempts] = NOTHING
) -> Iterator[Handed]:
    """Find where those of the runs went that farms have and that have not ended well.

    The attempts of the runs that are ``known`` are not read again.
    """
    maps: dict[Path, _Map] = {}
    for run in runs:
        attempts = known.get(run)
        if attempts is None:
            attempts = read_attempts(run, clock(run.path.parent), warn)
        try:
            found = _handed(run, attempts, maps)
        except StoreError as error:
            warn(str(error))
            continue
        if found is not None:
            yield found


def _handed(run: RunDir, attempts: Attempts, maps: dict[Path, _Map]) -> Handed | None:
    last = attempts[-1].event("ended") if attempts else None
    if last and last.details.get("code") == 0:
        return None
    for attempt in reversed(attempts):
        job = attempt.job
        if job and job.refused:
            continue
        if job:
            farm = Farm(job.farm, type=job.type, options=job.options)
            # Where the address is damaged, which has been warned of, nobody can be asked.
            return Handed(run, attempt.number, farm, job.id or "", job.name) if job.farm else None
        if attempt.launch is not None:
            return _mapped(run, attempt, maps)
    return None


def _farm(job: Mapping[str, Any]) -> Farm:
    return Farm(
        str(job.get("farm")), type=str(job.get("type", "command")), options=job.get("options", {})
    )


def _mapped(
    run: RunDir,
    attempt: Attempt,
    maps: dict[Path, _Map],
) -> Handed | None:
    """Look a run without a job's id up in the map that its launch wrote before it submitted."""
    if not attempt.farm or not attempt.launch:
        return None
    folder = jobs_folder(ExperimentDir(run.path.parent), attempt.launch)
    if folder not in maps:
        maps[folder] = _map(folder)
    entry = maps[folder].get(run.path.name)
    if entry is None:
        return None
    number = attempt.number
    return Handed(run, number, _farm(entry), "", entry["name"], entry["task"], entry["pending"])


def _map(folder: Path) -> _Map:
    pending = _is_held(folder / "lock")
    entries = (json.loads(line) for line in read_lines(folder / "jobs.jsonl"))
    return {
        name: {**entry, "pending": pending, "task": task if entry["array"] else None}
        for entry in entries
        for task, name in enumerate(entry["runs"])
    }


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


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
