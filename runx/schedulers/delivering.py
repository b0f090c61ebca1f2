"""A batch delivered to its scheduler: the answer kept beside its runs, a refusal told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runx.disk.joining import belong, parted
from runx.errors import FarmError, RunxError
from runx.farms import Kind, kind_of
from runx.farms.kind import Batch, Limit
from runx.files import to_json, write_whole
from runx.launching.context import LaunchContext
from runx.plans.experiment import Farm
from runx.processes import CommandNotFound, CommandTimeout, Finished, ran
from runx.rundir import RunDir
from runx.schedulers.sent import jobs_folder
from runx.schedulers.submitting import shown
from runx.types import Submission

SUBMIT_SECONDS = 300.0
"""After which a submit command is given up; Slurm's own patience with its controller is 100 s."""
ASK_SECONDS = 60.0
"""After which a question to a scheduler is given up."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What all the jobs of one launch have in common."""

    kit: LaunchContext
    farm: Farm
    kind: Kind
    attempts: Mapping[str, int]
    say: Say

    @property
    def folder(self) -> Path:
        """Where scripts and the map of the jobs lie."""
        return jobs_folder(self.kit.experiment.dir, self.kit.launch)


def address(farm: Farm) -> dict[str, Any]:
    """Say of a job where it can be asked for."""
    return {"farm": farm.name, "type": farm.type, "options": dict(farm.options)}


def largest_array(farm: Farm) -> int:
    """Ask the site for the largest array it takes; where it doesn't tell, give what is usual."""
    kind = kind_of(farm.type)
    limit = kind.limit
    while limit is not None:
        if told := _told_limit(limit):
            return told
        limit = limit.otherwise
    return kind.largest


def _told_limit(limit: Limit) -> int | None:
    try:
        finished = ran(limit.words, timeout=ASK_SECONDS)
    except RunxError:
        return None
    return None if finished.status else limit.read(finished.output)


class TooLarge(Exception):
    """An array was refused, and the site says that it takes no more than ``largest``."""

    def __init__(self, largest: int) -> None:
        super().__init__(largest)
        self.largest = largest


def delivered(batch: Batch, order: Order, lock: int, so_far: tuple[int, int]) -> list[str]:
    """Submit one batch and keep each run's id; a refusal tells how far it came.

    TooLarge where it was refused for its size: then nothing is kept of that.
    """
    command = order.kind.submission(batch, order.farm)
    for one in batch.errands:
        write_whole(RunDir(one.logdir).submit_command, shown(command) + "\n")
    with ExitStack() as alone:
        for one in batch.errands if order.kind.elsewhere else ():
            alone.enter_context(parted(RunDir(one.logdir), order.say))
        finished = submit_words(command, order.farm, order.kind, lock)
    ids = order.kind.job_ids(finished.output, batch)
    if finished.status or len(ids) != len(batch.errands):
        if finished.status and batch.array:
            most = largest_array(order.farm)
            if most < len(batch.errands):
                raise TooLarge(most)
        _refused(batch, order, finished)
        words = _one_line(finished.errors.strip() or finished.output.strip())
        what = batch.script if order.kind.script else batch.name
        raise FarmError(
            f"farm {order.farm.name} refused {what}, status {finished.status}: {words}"
            f" ({so_far[0]} of {so_far[1]} runs submitted; --resume submits the others)"
        )
    name = order.kind.job_name(batch)
    for one, job in zip(batch.errands, ids, strict=True):
        keep(RunDir(one.logdir), order.attempts[one.run], order.farm, job, name, finished.output)
    order.say(_told(batch, ids))
    return ids


def _refused(batch: Batch, order: Order, finished: Finished) -> None:
    """Keep a refusal, unless the scheduler was too slow to say: then the job may be there."""
    answer = finished.errors.strip() or finished.output.strip()
    if "timed out" in answer.lower():
        return
    said = {"farm": order.farm.name, "refused": True, "answer": answer, "time": time.time()}
    for one in batch.errands:
        write_whole(RunDir(one.logdir).job(order.attempts[one.run]), to_json(said))


def keep(run: RunDir, attempt: int, farm: Farm, job: str, name: str, answer: str) -> None:
    """Keep where an attempt went, and where else its run's job writes."""
    said = {**address(farm), "id": job, "name": name, "answer": answer, "time": time.time()}
    write_whole(run.job(attempt), to_json(said))
    kind = kind_of(farm.type)
    if kind.elsewhere:
        belong(run, kind.elsewhere(run, farm))


def _told(batch: Batch, ids: Sequence[str]) -> str:
    if not batch.array:
        return f"{batch.errand.run}: submitted as job {ids[0]}"
    return f"{len(ids)} runs submitted as an array, jobs {ids[0]} to {ids[-1]}"


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
    except CommandTimeout as error:
        raise FarmError(
            f"farm {farm.name}: {error}; runx status tells whether the job came through"
        ) from None
    except RunxError as error:
        raise FarmError(f"farm {farm.name}: {error}") from None


def _one_line(text: str) -> str:
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())
