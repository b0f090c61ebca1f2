"""Runs handed to a scheduler: the map of its jobs first, then the jobs, then their ids."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runx.disk.claims import claim_text, take
from runx.errors import FarmError, RunxError
from runx.farms import Kind, kind_of
from runx.farms.kind import Batch, Limit
from runx.launching.making import Kit
from runx.plans.experiment import Experiment, Farm
from runx.processes import CommandNotFound, CommandTimeout, Finished, ran
from runx.rundir import VERSION, ExperimentDir, RunDir, append_line, to_json, write_whole
from runx.schedulers.batches import About, batches, lane
from runx.schedulers.submitting import Handover, errand, shown
from runx.types import Run, Submission

SUBMIT_SECONDS = 300.0
"""After which a submit command is given up; Slurm's own patience with its controller is 100 s."""
ASK_SECONDS = 60.0
"""After which a question to a scheduler is given up."""

Say = Callable[[str], None]


def jobs_folder(home: ExperimentDir, launch: str) -> Path:
    """Say where a launch keeps the scripts and the map of its jobs."""
    return home.launches / launch / "jobs"


def planned(
    experiment: Experiment,
    runs: Sequence[Run],
    launch: str,
    largest: int | None = None,
    after: tuple[str, ...] = (),
) -> list[Batch]:
    """Say what would be submitted: nothing is touched."""
    farm = experiment.farm
    assert farm is not None
    kind = kind_of(farm.type)
    folder = jobs_folder(experiment.dir, launch)
    about = About(experiment.name, launch, folder, experiment.dir.path, after)
    errands = [errand(experiment, run) for run in runs]
    return batches(errands, farm, kind, largest or kind.largest, about)


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


@dataclass(frozen=True, slots=True)
class _Order:
    """What all the jobs of one launch have in common."""

    kit: Kit
    farm: Farm
    kind: Kind
    attempts: Mapping[str, int]
    say: Say

    @property
    def folder(self) -> Path:
        return jobs_folder(self.kit.experiment.dir, self.kit.launch)


def hand_over(
    kit: Kit, handovers: Sequence[Handover], say: Say, after: tuple[str, ...] = ()
) -> int:
    """Submit runs that are made, in as few jobs as their farm takes; give how many runs went.

    A refusal ends it. What was not submitted is not claimed either: it stays planned.
    """
    farm = kit.experiment.farm
    assert farm is not None
    attempts = {one.run.name: one.attempt for one in handovers}
    order = _Order(kit, farm, kind_of(farm.type), attempts, say)
    runs = [one.run for one in handovers]
    largest = largest_array(farm) if len(runs) > 1 else 1
    all_batches = planned(kit.experiment, runs, kit.launch, largest, after)
    order.folder.mkdir(parents=True, exist_ok=True)
    gone, last_ids = 0, dict[int, str]()
    with _on_its_way(order.folder) as lock:
        for batch in all_batches:
            behind = lane(batch, farm.max_parallel, len(all_batches))
            before = "" if behind is None else last_ids.get(behind, "")
            claimed = _claimed(replace(batch, behind=before), order)
            if claimed.errands:
                ids = _submitted(claimed, order, lock, f"{gone} of {len(runs)} runs submitted")
                gone, last_ids[batch.number] = gone + len(ids), ids[0]
    return gone


@contextmanager
def _on_its_way(folder: Path) -> Iterator[int]:
    """Hold the lock that tells others that a submission may be on its way.

    The submit command inherits it: a launcher that is killed may leave one behind that goes on.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _claimed(batch: Batch, order: _Order) -> Batch:
    """Claim the attempts of a batch, having written which index is which run.

    What another launcher has claimed is theirs, and is left out.
    """
    text = claim_text(order.farm.name, order.kit.code, order.kit.launch)
    _write_map(batch, order)
    ours = tuple(
        one for one in batch.errands if take(RunDir(one.logdir), order.attempts[one.run], text)
    )
    if len(ours) == len(batch.errands):
        return batch
    fewer = replace(batch, errands=ours)
    if ours:
        _write_map(fewer, order)
    return fewer


def _write_map(batch: Batch, order: _Order) -> None:
    if batch.array:
        write_whole(batch.runs, "".join(f"{one.run}\n" for one in batch.errands))
    if order.kind.script:
        write_whole(batch.script, order.kind.script(batch, order.farm))
        batch.script.chmod(0o755)
    entry = {
        "version": VERSION,
        "number": batch.number,
        "name": order.kind.job_name(batch),
        **_address(order.farm),
        "array": batch.array,
        "runs": [one.run for one in batch.errands],
        "attempts": [order.attempts[one.run] for one in batch.errands],
    }
    append_line(order.folder / "jobs.jsonl", json.dumps(entry))


def _address(farm: Farm) -> dict[str, Any]:
    """Say of a job where it can be asked for."""
    return {"farm": farm.name, "type": farm.type, "options": dict(farm.options)}


def _submitted(batch: Batch, order: _Order, lock: int, so_far: str) -> list[str]:
    """Submit one batch and keep each run's id; a refusal tells how far it came."""
    command = order.kind.submission(batch, order.farm)
    for one in batch.errands:
        write_whole(RunDir(one.logdir).submit_command, shown(command) + "\n")
    finished = submit_words(command, order.farm, order.kind, lock)
    ids = order.kind.job_ids(finished.output, batch)
    if finished.status or len(ids) != len(batch.errands):
        _refused(batch, order, finished)
        words = _one_line(finished.errors.strip() or finished.output.strip())
        what = batch.script if order.kind.script else batch.name
        raise FarmError(
            f"farm {order.farm.name} refused {what}, status {finished.status}: {words}"
            f" ({so_far}; --resume submits the others)"
        )
    name = order.kind.job_name(batch)
    for one, job in zip(batch.errands, ids, strict=True):
        keep(RunDir(one.logdir), order.attempts[one.run], order.farm, job, name, finished.output)
    order.say(_told(batch, ids))
    return ids


def _refused(batch: Batch, order: _Order, finished: Finished) -> None:
    """Keep a refusal, unless the scheduler was too slow to say: then the job may be there."""
    answer = finished.errors.strip() or finished.output.strip()
    if "timed out" in answer.lower():
        return
    said = {"farm": order.farm.name, "refused": True, "answer": answer, "time": time.time()}
    for one in batch.errands:
        write_whole(RunDir(one.logdir).job(order.attempts[one.run]), to_json(said))


def keep(run: RunDir, attempt: int, farm: Farm, job: str, name: str, answer: str) -> None:
    """Keep where an attempt went."""
    said = {**_address(farm), "id": job, "name": name, "answer": answer, "time": time.time()}
    write_whole(run.job(attempt), to_json(said))


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
