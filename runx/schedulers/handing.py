"""Runs handed to a scheduler: the map of its jobs first, then the jobs, then their ids."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from runx.disk.claims import claim_text, take
from runx.farms import kind_of
from runx.farms.kind import Batch
from runx.files import VERSION, append_line, write_whole
from runx.launching.context import LaunchContext
from runx.plans.experiment import Experiment
from runx.plans.plan import PlannedAttempt
from runx.rundir import RunDir
from runx.schedulers.batches import About, batches, lane, pieces
from runx.schedulers.delivering import Order, Say, TooLarge, address, delivered, largest_array
from runx.schedulers.sent import jobs_folder
from runx.schedulers.submitting import errand
from runx.types import Run


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


def hand_over(
    context: LaunchContext,
    handovers: Sequence[PlannedAttempt],
    say: Say,
    after: tuple[str, ...] = (),
) -> int:
    """Submit runs that are made, in as few jobs as their farm takes; give how many runs went.

    A refusal ends it. What was not submitted is not claimed either: it stays planned.
    """
    farm = context.experiment.farm
    assert farm is not None
    attempts = {one.run.name: one.attempt for one in handovers}
    order = Order(context, farm, kind_of(farm.type), attempts, say)
    runs = [one.run for one in handovers]
    # A site that takes less than what is usual is asked when it has refused.
    many = len(runs) > order.kind.largest
    largest = largest_array(farm) if many else order.kind.largest
    all_batches = planned(context.experiment, runs, context.launch, largest, after)
    order.folder.mkdir(parents=True, exist_ok=True)
    gone, last_ids = 0, dict[int, str]()
    with _on_its_way(order.folder) as lock:
        for batch in all_batches:
            behind = lane(batch, farm.max_parallel, len(all_batches))
            before = "" if behind is None else last_ids.get(behind, "")
            claimed = _claimed(replace(batch, behind=before), order)
            if claimed.errands:
                ids = _delivered(claimed, order, lock, (gone, len(runs)))
                gone, last_ids[batch.number] = gone + len(ids), ids[-1]
    _tell_unmounted(order, runs)
    return gone


def _tell_unmounted(order: Order, runs: Sequence[Run]) -> None:
    """Say why nothing will be seen of runs whose jobs write in what is not mounted here."""
    if order.kind.elsewhere is None:
        return
    root = order.kind.elsewhere(runs[0].dir, order.farm).parent.parent
    if not root.is_dir():
        order.say(f"note: what jobs write shows here once their workspace is mounted at {root}")


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


def _claimed(batch: Batch, order: Order) -> Batch:
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


def _write_map(batch: Batch, order: Order) -> None:
    if batch.array:
        write_whole(batch.runs, "".join(f"{one.run}\n" for one in batch.errands))
    if order.kind.script:
        write_whole(batch.script, order.kind.script(batch, order.farm))
        batch.script.chmod(0o755)
    entry = {
        "version": VERSION,
        "number": batch.number,
        "name": order.kind.job_name(batch),
        **address(order.farm),
        "array": batch.array,
        "runs": [one.run for one in batch.errands],
        "attempts": [order.attempts[one.run] for one in batch.errands],
    }
    append_line(order.folder / "jobs.jsonl", json.dumps(entry))


def _delivered(batch: Batch, order: Order, lock: int, so_far: tuple[int, int]) -> list[str]:
    """Deliver a batch, or its pieces where it turns out larger than the site takes.

    ``so_far`` says how many runs went before, of how many.
    """
    try:
        return delivered(batch, order, lock, so_far)
    except TooLarge as site:
        several = pieces(batch, site.largest)
    ids: list[str] = []
    gone, total = so_far
    for piece in several:
        # Their runs are claimed already; no more of them go on at a time than of the whole.
        behind = ids[-1] if ids and piece.parallel else piece.behind
        _write_map(replace(piece, behind=behind), order)
        ids += delivered(replace(piece, behind=behind), order, lock, (gone + len(ids), total))
    return ids
