"""Submission of jobs: written down, claimed, submitted, and their ids recorded.

A launcher that is killed on the way loses no job, and a submission that failed may have gone in:
its job is found by its name, or left alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runx.errors import FarmError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Wait
from runx.farms.commands import NotStarted, execute, largest_array, shell_line
from runx.farms.jobfiles import LOCK, append_array, write_job, write_refusal
from runx.farms.jobs import farm_of, job_arrays, piece_of
from runx.farms.jobscript import attempt_script, run_lines
from runx.farms.lookup import Failure, answer_line, look_for, placed, unnamed_jobs
from runx.farms.places import located
from runx.farms.registry import farm_type_of
from runx.farms.together import without_others
from runx.farms.waits import NOWHERE, Place, Places, places_of, unpaired
from runx.farms.words import is_full
from runx.locks import hold
from runx.processes import Finished
from runx.rundir.claims import claim_text, take
from runx.rundir.files import sync_disk, write_whole
from runx.rundir.paths import RunDir
from runx.rundir.workspace import without_links

Say = Callable[[str], None]


class _Launch(NamedTuple):
    """What the submissions of one launch share.

    ``digest`` names the frozen code, ``total`` is the number of runs, ``lock`` the descriptor of
    the launch's lock. ``places`` gets where the runs are that were submitted.
    """

    farm: Farm
    type: FarmType
    digest: str | None
    total: int
    lock: int
    say: Say
    show: Say | None
    places: dict[RunDir, Place]


def submit(
    farm: Farm,
    jobs: Sequence[JobSpec],
    folder: Path,
    digest: str | None,
    say: Say,
    after: tuple[Wait, ...] = (),
    show: Say | None = None,
    places: Places = NOWHERE,
) -> int:
    """Submit jobs, as few arrays as their farm takes; return how many runs were submitted.

    ``folder`` is where the launch keeps the files of its jobs, ``digest`` names the frozen code,
    ``places`` has what jobs of earlier launches execute; ``show`` is given each command before it
    is executed. FarmError where one is refused: what was not submitted by then stays planned,
    except where its submission may have gone in.
    """
    farm_type = farm_type_of(farm.type)
    if farm_type.located:
        farm = located(farm)
    # A site that takes less than what is usual is asked when it has refused.
    largest = largest_array(farm) if len(jobs) > farm_type.largest else farm_type.largest
    known = dict(places)
    arrays = job_arrays(jobs, farm, farm_type, folder, largest, after, known)
    folder.mkdir(parents=True, exist_ok=True)
    count, last_ids = 0, dict[int | None, str]()
    # The submit command inherits it: a launcher that is killed may leave one behind that goes on.
    with hold(folder / LOCK) as lock:
        launch = _Launch(farm, farm_type, digest, len(jobs), lock, say, show, known)
        for array in arrays:
            claimed = _claim(_following(array, last_ids.get(array.follows, "")), launch)
            if claimed.jobs:
                sync_disk(folder, say)
                last_ids[array.number] = _submit_array(claimed, launch, count)
                count += len(claimed.members)
    sync_disk(folder, say)
    if farm_type.workspace:
        _note_unmounted(farm_type.workspace(jobs[0].dir, farm).parent.parent, say)
    return count


def _following(array: JobArray, last: str) -> JobArray:
    """Return an array that waits for the end of that of the job ``last``, where there is one."""
    if not last:
        return array
    return replace(array, waits=(*array.waits, Wait(last, "ended", "array")))


def _claim(array: JobArray, launch: _Launch) -> JobArray:
    """Write the files of an array, claim its attempts, and return it without the jobs of others.

    Those are the jobs that another launcher has claimed.
    """
    # By a claim that names no launch, run.sh knows that a job of the first attempt may start late.
    name = array.launch if launch.type.manages_jobs else None
    texts = {
        code: claim_text(launch.farm.name, code or launch.digest, name)
        for code in {job.code for job in array.members}
    }
    _write_files(array, launch)
    mine = {job.dir for job in array.members if take(job.dir, job.attempt, texts[job.code])}
    if len(mine) == len(array.members):
        return array
    claimed = tuple(job for each in array.jobs if (job := without_others(each, mine)))
    fewer = replace(array, jobs=claimed)
    if len(claimed) < len(array.jobs):
        fewer = replace(fewer, waits=unpaired(array.waits))
    if claimed:
        _write_files(fewer, launch)
    return fewer


def _write_files(array: JobArray, launch: _Launch) -> None:
    """Write the scripts of an array, and which of its indices is which run."""
    if array.is_array:
        write_whole(array.run_list, run_lines(array))
    if launch.type.script:
        write_whole(array.script, launch.type.script(array, farm_of(array, launch.farm)))
        array.script.chmod(0o755)
    if array.shares and launch.type.executor:
        write_whole(array.executor, launch.type.executor(array, launch.farm))
    for job in array.jobs:
        # A job that can't be ended may still start when its attempt was called off.
        if job.attempt > 1 and not launch.type.manages_jobs:
            write_whole(job.dir.script_of(job.attempt), attempt_script(job))
    submission = launch.type.submission(array, farm_of(array, launch.farm))
    farm = placed(launch.farm, submission, launch.type)
    append_array(array, farm, launch.type.job_name(array))


def _submit_array(array: JobArray, launch: _Launch, count: int) -> str:
    """Submit an array, or what the site takes of it in pieces; return the id of its last job.

    Of pieces no more jobs run at a time than of the array. ``count`` is how many runs of the launch
    were submitted before. Raises FarmError where not all went in.
    """
    piece, ids, tries = array, list[str](), 0
    while True:
        result = _submit_once(piece, launch)
        if isinstance(result, Failure):
            size = _smaller(piece, result, launch.farm)
        else:
            ids += result
            size = len(piece.jobs)
        if len(ids) == len(array.jobs):
            return ids[-1]
        if isinstance(result, Failure) and not size:
            count += sum(len(job.members) for job in array.jobs[: len(ids)])
            raise _refusal(array, piece, launch, result, count)
        tries += 1
        piece = piece_of(array, len(ids), size, tries, launch.type.smallest)
        piece = _following(piece, ids[-1] if ids and array.max_parallel else "")
        _write_files(piece, launch)


def _smaller(array: JobArray, failure: Failure, farm: Farm) -> int:
    """Return the size of arrays that a site may take which has refused this one, 0 if none."""
    size = len(array.jobs)
    if failure.problem or not array.is_array or size == 1:
        return 0
    largest = largest_array(farm)
    if largest < size:
        return largest
    return math.ceil(size / 2) if is_full(failure.finished) else 0


def _submit_once(array: JobArray, launch: _Launch) -> list[str] | Failure:
    """Submit an array by one command, record the ids of its jobs, and return them."""
    submission = launch.type.submission(array, farm_of(array, launch.farm))
    for job in array.members:
        write_whole(job.dir.submit_command, shell_line(submission) + "\n")
    if launch.show:
        launch.show(shell_line(submission))
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            for job in array.members if launch.type.workspace else ():
                stack.enter_context(without_links(job.dir, launch.say))
            finished = execute(submission, launch.farm, launch.type, launch.lock)
    except NotStarted as error:
        return Failure(Finished(submission.words, 127, "", str(error)))
    ids = launch.type.job_ids(finished.output, array)
    if finished.status or len(ids) != len(array.jobs):
        farm = placed(launch.farm, submission, launch.type, finished.output)
        jobs = unnamed_jobs(array, farm, launch.type)
        found = look_for(jobs, finished, time.monotonic() - began)
        if isinstance(found, Failure):
            return found
        id_of = {job.run: id for job, id in zip(jobs, found, strict=True) if id}
        ids = [
            next((id_of[each.dir] for each in job.members if each.dir in id_of), "")
            for job in array.jobs
        ]
        launch.say(f"{_message(array, ids)}, although {answer_line(finished)}")
        launch.places.update(places_of(array, ids, launch.type))
        return ids
    farm = placed(launch.farm, submission, launch.type, finished.output)
    each = [id for job, id in zip(array.jobs, ids, strict=True) for _ in job.members]
    for unnamed, id in zip(unnamed_jobs(array, farm, launch.type), each, strict=True):
        write_job(unnamed._replace(id=id), finished.output)
    launch.places.update(places_of(array, ids, launch.type))
    launch.say(_message(array, ids))
    return ids


def _message(array: JobArray, ids: Sequence[str]) -> str:
    known = [id for id in ids if id]
    count, step = len(array.members), array.jobs[0].step
    if array.is_array:
        jobs = f", jobs {known[0]} to {known[-1]}" if known else ""
        what = f"{count} runs" if step is None else f"{step.name}: {count}"
        return f"{what} submitted as an array{jobs}"
    others = f" and {count - 1} more" if count > 1 else ""
    return f"{array.jobs[0].run}{others}: submitted" + (f" as job {known[0]}" if known else "")


def _refusal(
    array: JobArray, piece: JobArray, launch: _Launch, failure: Failure, count: int
) -> FarmError:
    """Return an error for what of an array did not go in, having recorded what is certainly not in.

    That is all from ``piece`` on, but for ``piece`` itself where nobody can say.
    """
    farm, finished = launch.farm, failure.finished
    rest = array.jobs[array.jobs.index(piece.jobs[0]) :]
    left = rest[len(piece.jobs) :] if failure.problem else rest
    for job in (member for each in left for member in each.members):
        write_refusal(job, farm, finished.errors.strip() or finished.output.strip())
    subject = piece.script if launch.type.script else piece.name
    done = f"{count} of {launch.total} runs submitted"
    if is_full(finished) and not failure.problem:
        return FarmError(
            f"farm {farm.name} takes no more of your jobs now: {answer_line(finished)} ({done};"
            " the others stay planned: --resume submits them when some have ended)"
        )
    reason = f"{subject}, {answer_line(finished)}"
    if not failure.problem:
        return FarmError(f"farm {farm.name} refused {reason} ({done}; --resume submits the others)")
    if launch.type.manages_jobs:
        remedy = f"{failure.problem}; --resume asks again, and submits what is not there"
    else:
        remedy = (
            "runx can't ask this farm, and leaves it alone: if it isn't there, runx cancel"
            f" {piece.jobs[0].run} lets --resume submit it; --resume submits the others"
        )
    return FarmError(f"farm {farm.name} may have taken {reason} ({done}; {remedy})")


def _note_unmounted(root: Path, say: Say) -> None:
    if not root.is_dir():
        say(f"note: what jobs write shows here once their workspace is mounted at {root}")
