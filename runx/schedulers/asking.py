"""The schedulers' word on runs that have not come to their end: one call for each farm."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.disk.facts import Word
from runx.errors import RunxError, StoreError
from runx.farms import Kind, kind_of
from runx.farms.kind import Question, Seen
from runx.farms.words import chunked
from runx.plans.experiment import Farm
from runx.processes import ran
from runx.rundir import ExperimentDir, RunDir, read_json, read_lines
from runx.schedulers.handing import ASK_SECONDS, jobs_folder, keep

Warn = Callable[[str], None]


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


def words(runs: Iterable[RunDir], warn: Warn) -> dict[tuple[str, str], Word]:
    """Ask the farms of all runs that have not ended well; give their words by farm and job id.

    A job that is only found by its name has its id kept; one that isn't found is ``gone``, under
    its run's path where it has no id. Farms that can't be asked are warned of.
    """
    said: dict[tuple[str, str], Word] = {}
    for farm, several in by_farm(handed(runs, warn)):
        said.update(_asked(farm, several, warn))
    return said


def handed(runs: Iterable[RunDir], warn: Warn) -> Iterator[Handed]:
    """Find where those of the runs went that farms have and that have not ended well."""
    maps: dict[tuple[Path, str], dict[str, dict[str, Any]]] = {}
    for run in runs:
        try:
            found = _handed(run, maps)
        except StoreError as error:
            warn(str(error))
            continue
        if found is not None:
            yield found


def _handed(run: RunDir, maps: dict[tuple[Path, str], dict[str, dict[str, Any]]]) -> Handed | None:
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
    maps: dict[tuple[Path, str], dict[str, dict[str, Any]]],
) -> Handed | None:
    """Look a run without a job's id up in the map that its launch wrote before it submitted."""
    launch = claim.get("launch")
    if not claim.get("farm") or not launch:
        return None
    key = (run.path.parent, str(launch))
    if key not in maps:
        maps[key] = _map(jobs_folder(ExperimentDir(run.path.parent), str(launch)))
    entry = maps[key].get(run.path.name)
    if entry is None:
        return None
    task = entry["runs"].index(run.path.name) if entry["array"] else None
    return Handed(run, attempt, _farm(entry), "", entry["name"], task, entry["pending"])


def _map(folder: Path) -> dict[str, dict[str, Any]]:
    pending = _is_held(folder / "lock")
    entries = (json.loads(line) for line in read_lines(folder / "jobs.jsonl"))
    return {name: {**entry, "pending": pending} for entry in entries for name in entry["runs"]}


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


def by_farm(found: Iterable[Handed]) -> list[tuple[Farm, list[Handed]]]:
    """Put together what is to be asked, or told, at the same place."""
    farms: dict[str, tuple[Farm, list[Handed]]] = {}
    for one in found:
        key = json.dumps([one.farm.name, one.farm.type, sorted(one.farm.options.items())])
        farms.setdefault(key, (one.farm, []))[1].append(one)
    return list(farms.values())


def _asked(farm: Farm, several: Sequence[Handed], warn: Warn) -> dict[tuple[str, str], Word]:
    kind = kind_of(farm.type)
    if not kind.questions:
        return {}
    ids = [one.id for one in several if one.id]
    seen = ask(kind, farm, ids, warn, unnamed=len(ids) < len(several))
    if seen is None:
        return {}
    named = {(one.name, _index(job, one)): job for job, one in seen.items() if one.name}
    said = {}
    for one in several:
        job = one.id or named.get((one.name, one.task), "")
        if job and not one.id:
            keep(one.run, one.attempt, farm, job, one.name, "found again by its name")
        if job in seen:
            said[farm.name, job] = seen[job].word
        elif not one.pending:
            said[farm.name, job or str(one.run.path)] = Word("gone")
    return said


def _index(job: str, seen: Seen) -> int | None:
    """Give the place of a job in its array, from what the farm says or from its id.

    >>> _index("12_3", Seen(Word("queued"))), _index("12", Seen(Word("queued")))
    (3, None)
    """
    if seen.task is not None:
        return seen.task
    match = re.match(r"\d+[_.\[](\d+)", job)
    return int(match[1]) if match else None


def ask(
    kind: Kind, farm: Farm, ids: Sequence[str], warn: Warn, unnamed: bool = False
) -> dict[str, Seen] | None:
    """Put a farm's questions in turn; None where none was answered.

    ``unnamed``: the first is asked of all jobs too, since one is looked for whose id is not known.
    """
    seen: dict[str, Seen] = {}
    answered, troubles = False, []
    for question in kind.questions:
        unknown = [job for job in ids if job not in seen]
        if answered and not unknown:
            break
        try:
            seen = {**_answers(question, farm, unknown, unnamed and not answered), **seen}
            answered = True
        except RunxError as error:
            troubles.append(str(error))
    if not answered:
        warn(f"farm {farm.name} can't be asked: {troubles[0]}; states are from the runs' own files")
    return seen if answered else None


def _answers(question: Question, farm: Farm, ids: Sequence[str], all: bool) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    commands = [question.words(some, farm) for some in chunked(ids)]
    if all or not commands:
        commands.append(question.words((), farm))
    for command in dict.fromkeys(commands):
        finished = ran(command, timeout=ASK_SECONDS)
        seen = question.read(finished)
        if seen is None:
            raise RunxError(f"{command[0]}: {finished.complaint}")
        found.update(seen)
    return found
