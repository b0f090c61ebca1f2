"""Runs that are made, handed to a scheduler: their map first, then the jobs, then their ids."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from runx.batches import Job as Launching
from runx.batches import batches, lane
from runx.errors import FarmError, RunxError
from runx.experiment import Experiment, Farm
from runx.farms import Kind, kind_of
from runx.farms.kind import Batch
from runx.launching import errand, shown
from runx.processes import CommandNotFound, Finished, ran
from runx.rundir import VERSION, ExperimentDir, RunDir, to_json, write_whole
from runx.types import Run, Submission

SUBMIT_SECONDS = 300.0
"""After which a submit command is given up; Slurm's own patience with its controller is 100 s."""
ASK_SECONDS = 60.0
"""After which a question to a scheduler is given up."""

Say = Callable[[str], None]


class Made(NamedTuple):
    """A run whose directory is there, and the attempt that is claimed for it."""

    run: Run
    attempt: int = 1


def jobs_folder(home: ExperimentDir, launch: str) -> Path:
    """Say where a launch keeps the scripts and the map of its jobs."""
    return home.launches / launch / "jobs"


def plan_batches(
    experiment: Experiment,
    farm: Farm,
    runs: Sequence[Run],
    launch: str,
    largest: int,
    after: tuple[str, ...] = (),
) -> list[Batch]:
    """Say what would be submitted: nothing is touched."""
    folder = jobs_folder(experiment.dir, launch)
    about = Launching(experiment.name, launch, folder, experiment.dir.path, after)
    errands = [errand(experiment, run) for run in runs]
    return batches(errands, farm, kind_of(farm.type), largest, about)


def largest_array(farm: Farm) -> int:
    """Ask the site for the largest array it takes; where it doesn't tell, what is usual."""
    kind = kind_of(farm.type)
    if kind.limit is None:
        return kind.largest
    try:
        finished = ran(kind.limit.words, timeout=ASK_SECONDS)
    except RunxError:
        return kind.largest
    told = None if finished.status else kind.limit.read(finished.output)
    return told or kind.largest


def hand_over(
    experiment: Experiment,
    launch: str,
    made: Sequence[Made],
    say: Say,
    after: tuple[str, ...] = (),
) -> int:
    """Submit runs that are made and claimed; give how many jobs that took.

    What is refused ends it: runs that were not submitted stay as they are, for --resume.
    """
    farm = experiment.farm
    assert farm is not None
    attempts = {one.run.name: one.attempt for one in made}
    runs = [one.run for one in made]
    largest = largest_array(farm) if len(runs) > 1 else 1
    planned = plan_batches(experiment, farm, runs, launch, largest, after)
    folder = jobs_folder(experiment.dir, launch)
    folder.mkdir(parents=True, exist_ok=True)
    _write_map(folder, farm, planned, attempts)
    first_ids: list[str] = []
    with _submitting(folder) as lock:
        for batch in planned:
            behind = lane(batch, farm.max_parallel, len(planned))
            if behind is not None:
                batch = dataclasses.replace(batch, behind=first_ids[behind])
            ids = _submitted(batch, farm, attempts, lock, planned, say)
            first_ids.append(ids[0])
    return len(planned)


@contextmanager
def _submitting(folder: Path) -> Iterator[int]:
    """Hold the lock that tells others that a submission may be on its way.

    The submit command inherits it: a launcher that is killed may leave one behind that goes on.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _write_map(
    folder: Path, farm: Farm, planned: Sequence[Batch], attempts: Mapping[str, int]
) -> None:
    """Write which index of which job is which run, and the scripts; nothing is submitted yet."""
    kind = kind_of(farm.type)
    for batch in planned:
        if batch.array:
            lines = "".join(f"{one.run}\n" for one in batch.errands)
            write_whole(batch.runs, lines)
        if kind.script:
            write_whole(batch.script, kind.script(batch, farm))
            batch.script.chmod(0o755)
    lines = "".join(json.dumps(_entry(batch, farm, kind, attempts)) + "\n" for batch in planned)
    write_whole(folder / "jobs.jsonl", lines)


def _entry(batch: Batch, farm: Farm, kind: Kind, attempts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "number": batch.number,
        "name": kind.job_name(batch),
        **address(farm),
        "array": batch.array,
        "runs": [one.run for one in batch.errands],
        "attempts": [attempts[one.run] for one in batch.errands],
    }


def address(farm: Farm) -> dict[str, Any]:
    """Say of a job where it can be asked for."""
    return {"farm": farm.name, "type": farm.type, "options": dict(farm.options)}


def _submitted(
    batch: Batch,
    farm: Farm,
    attempts: Mapping[str, int],
    lock: int,
    planned: Sequence[Batch],
    say: Say,
) -> list[str]:
    """Submit one batch and keep each run's id; a refusal tells how far it came."""
    kind = kind_of(farm.type)
    order = kind.submission(batch, farm)
    try:
        answer = _answer(order, batch, farm, kind, lock)
    except FarmError as error:
        gone = sum(len(other.errands) for other in planned[: batch.number])
        left = sum(len(other.errands) for other in planned) - gone
        raise FarmError(
            f"{error}; {gone} runs submitted, {left} not: --resume submits those"
        ) from None
    ids = kind.job_ids(answer, batch)
    if len(ids) != len(batch.errands):
        raise FarmError(
            f"farm {farm.name}: {order.words[0]} names no job in its answer: {_one_line(answer)}"
        )
    for one, job in zip(batch.errands, ids, strict=True):
        run = RunDir(one.logdir)
        write_whole(run.submit_command, shown(order) + "\n")
        keep(run, attempts[one.run], job, answer, farm, kind.job_name(batch))
    say(_told(batch, ids))
    return ids


def keep(run: RunDir, attempt: int, job: str, answer: str, farm: Farm, name: str) -> None:
    """Keep where an attempt went."""
    content = {**address(farm), "id": job, "name": name, "answer": answer, "time": time.time()}
    write_whole(run.job(attempt), to_json(content))


def _told(batch: Batch, ids: Sequence[str]) -> str:
    if not batch.array:
        return f"{batch.errand.run}: submitted as job {ids[0]}"
    return f"{len(ids)} runs submitted as array {batch.number}, jobs {ids[0]} to {ids[-1]}"


def _answer(order: Submission, batch: Batch, farm: Farm, kind: Kind, lock: int) -> str:
    finished = submit_words(order, farm, kind, lock)
    if finished.status:
        words = _one_line(finished.errors.strip() or finished.output.strip())
        what = f"{batch.script}" if kind.script else batch.name
        raise FarmError(f"farm {farm.name} refused {what}, status {finished.status}: {words}")
    return finished.output


def submit_words(order: Submission, farm: Farm, kind: Kind, lock: int = -1) -> Finished:
    """Run a submit command; one that hangs is given up, one that isn't there is named."""
    try:
        return ran(
            order.words,
            environment=order.environment,
            stdin=order.stdin,
            timeout=SUBMIT_SECONDS,
            pass_fds=() if lock < 0 else (lock,),
        )
    except CommandNotFound:
        raise FarmError(
            f"farm {farm.name}: {order.words[0]} is not found on PATH; {kind.package}"
        ) from None
    except RunxError as error:
        raise FarmError(f"farm {farm.name}: {error}") from None


def _one_line(text: str) -> str:
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())
