"""Submission of jobs: written down, claimed, submitted, and their ids recorded.

A launcher that is killed on the way loses no job: it is found by its name, or left alone.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runx.errors import FarmError, RunxError
from runx.farms import command
from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    JobArray,
    JobSpec,
    Submission,
    SubmittedJob,
    Words,
)
from runx.farms.jobfiles import LOCK, append_array, write_job, write_refusal
from runx.farms.jobs import job_arrays, pieces
from runx.farms.jobscript import attempt_script
from runx.farms.registry import farm_type_of
from runx.locks import hold
from runx.processes import CommandNotFound, CommandTimeout, Finished, run_command
from runx.rundir.claims import claim_text, take
from runx.rundir.files import sync_disk, write_whole
from runx.rundir.workspace import without_links

QUERY_SECONDS = 60.0
"""Seconds until a query of a scheduler, or a command that ends jobs, is given up."""
Say = Callable[[str], None]


class _Launch(NamedTuple):
    """What the submissions of one launch share.

    ``digest`` names the frozen code, ``total`` is the number of jobs, ``lock`` the descriptor of
    the launch's lock.
    """

    farm: Farm
    type: FarmType
    digest: str | None
    total: int
    lock: int
    say: Say
    show: Say | None


def submit(
    farm: Farm,
    jobs: Sequence[JobSpec],
    folder: Path,
    digest: str | None,
    say: Say,
    after: Words = (),
    show: Say | None = None,
) -> int:
    """Submit jobs, as few arrays as their farm takes; return how many were submitted.

    ``folder`` is where the launch keeps the files of its jobs, ``digest`` names the frozen code;
    ``show`` is given each command before it is executed. FarmError where one is refused: what was
    not submitted by then is not claimed either, and stays planned.
    """
    farm_type = farm_type_of(farm.type)
    # A site that takes less than what is usual is asked when it has refused.
    largest = largest_array(farm) if len(jobs) > farm_type.largest else farm_type.largest
    arrays = job_arrays(jobs, farm, farm_type, folder, largest, after)
    folder.mkdir(parents=True, exist_ok=True)
    count, last_ids = 0, dict[int | None, str]()
    # The submit command inherits it: a launcher that is killed may leave one behind that goes on.
    with hold(folder / LOCK) as lock:
        launch = _Launch(farm, farm_type, digest, len(jobs), lock, say, show)
        for array in arrays:
            afterany = last_ids.get(array.follows, "")
            claimed = _claim(replace(array, afterany=afterany), launch)
            if claimed.jobs:
                sync_disk(folder, say)
                ids = _submit_array(claimed, launch, count)
                count, last_ids[array.number] = count + len(ids), ids[-1]
    sync_disk(folder, say)
    if farm_type.workspace:
        _note_unmounted(farm_type.workspace(jobs[0].dir, farm).parent.parent, say)
    return count


def _claim(array: JobArray, launch: _Launch) -> JobArray:
    """Write the files of an array, claim its attempts, and return it without the jobs of others.

    Those are the jobs that another launcher has claimed.
    """
    # By a claim that names no launch, run.sh knows that a job of the first attempt may start late.
    name = array.launch if launch.type.manages_jobs else None
    text = claim_text(launch.farm.name, launch.digest, name)
    _write_files(array, launch)
    claimed = tuple(job for job in array.jobs if take(job.dir, job.attempt, text))
    if len(claimed) == len(array.jobs):
        return array
    fewer = replace(array, jobs=claimed)
    if claimed:
        _write_files(fewer, launch)
    return fewer


def _write_files(array: JobArray, launch: _Launch) -> None:
    """Write the scripts of an array, and which of its indices is which run."""
    if array.is_array:
        write_whole(array.run_list, "".join(f"{job.run}\n" for job in array.jobs))
    if launch.type.script:
        write_whole(array.script, launch.type.script(array, launch.farm))
        array.script.chmod(0o755)
    for job in array.jobs:
        # A job that can't be ended may still start when its attempt was called off.
        if job.attempt > 1 and not launch.type.manages_jobs:
            write_whole(job.dir.script_of(job.attempt), attempt_script(job))
    append_array(array, launch.farm, launch.type.job_name(array))


def _submit_array(array: JobArray, launch: _Launch, count: int) -> list[str]:
    """Submit an array, or its pieces where the site takes no array so large; return the job ids.

    ``count`` is how many runs of the launch were submitted before.
    """
    farm, farm_type = launch.farm, launch.type
    submission = farm_type.submission(array, farm)
    for job in array.jobs:
        write_whole(job.dir.submit_command, shell_line(submission) + "\n")
    if launch.show:
        launch.show(shell_line(submission))
    with ExitStack() as stack:
        for job in array.jobs if farm_type.workspace else ():
            stack.enter_context(without_links(job.dir, launch.say))
        finished = execute(submission, farm, farm_type, launch.lock)
    ids = farm_type.job_ids(finished.output, array)
    if not finished.status and len(ids) == len(array.jobs):
        name = farm_type.job_name(array)
        for job, id in zip(array.jobs, ids, strict=True):
            write_job(SubmittedJob(job.dir, job.attempt, farm, id, name), finished.output)
        launch.say(_message(array, ids))
        return ids
    if finished.status and array.is_array:
        largest = largest_array(farm)
        if largest < len(array.jobs):
            return _submit_pieces(array, largest, launch, count)
    raise _refusal(array, launch, finished, count)


def _submit_pieces(array: JobArray, largest: int, launch: _Launch, count: int) -> list[str]:
    """Submit an array in pieces, of which no more jobs run at a time than of the array."""
    ids: list[str] = []
    for piece in pieces(array, largest):
        afterany = ids[-1] if ids and piece.max_parallel else piece.afterany
        piece = replace(piece, afterany=afterany)
        _write_files(piece, launch)
        ids += _submit_array(piece, launch, count + len(ids))
    return ids


def _message(array: JobArray, ids: Sequence[str]) -> str:
    if array.is_array:
        return f"{len(ids)} runs submitted as an array, jobs {ids[0]} to {ids[-1]}"
    return f"{array.jobs[0].run}: submitted" + (f" as job {ids[0]}" if ids[0] else "")


def _refusal(array: JobArray, launch: _Launch, finished: Finished, count: int) -> FarmError:
    """Return a refusal as an error, having recorded it.

    Where the scheduler was too slow to answer, the job may exist: no refusal is recorded then.
    """
    farm, answer = launch.farm, finished.errors.strip() or finished.output.strip()
    subject = array.script if launch.type.script else array.name
    lines = " | ".join(line.strip() for line in answer.splitlines() if line.strip())
    reason = f"{subject}, status {finished.status}: {lines or 'it printed nothing'}"
    done = f"{count} of {launch.total} runs submitted"
    if "timed out" not in answer.lower():
        for job in array.jobs:
            write_refusal(job, farm, answer)
        return FarmError(f"farm {farm.name} refused {reason} ({done}; --resume submits the others)")
    if launch.type.manages_jobs:
        remedy = "--resume asks for it by its name, and submits what is not there"
    else:
        remedy = (
            "runx can't ask this farm, and leaves it alone: if it isn't there, runx cancel"
            f" {array.jobs[0].run} lets --resume submit it; --resume submits the others"
        )
    return FarmError(f"farm {farm.name} may have taken {reason} ({done}; {remedy})")


def _note_unmounted(root: Path, say: Say) -> None:
    if not root.is_dir():
        say(f"note: what jobs write shows here once their workspace is mounted at {root}")


def execute(submission: Submission, farm: Farm, farm_type: FarmType, lock: int = -1) -> Finished:
    """Run a submit command to its end; where it can't be started, return the status of a shell.

    Raises FarmError where it took too long: whether the job was submitted is not known then.
    """
    words = submission.words
    try:
        return run_command(
            words,
            environment=submission.environment or None,
            stdin=submission.stdin,
            timeout=farm_type.submit_timeout,
            pass_fds=() if lock < 0 else (lock,),
        )
    except CommandTimeout as error:
        raise FarmError(
            f"farm {farm.name}: {error}; runx status tells whether the job came through"
        ) from None
    except CommandNotFound:
        return Finished(words, 127, "", f"{words[0]} is not found on PATH; {farm_type.package}")
    except RunxError as error:
        return Finished(words, 126, "", str(error))


def shell_line(submission: Submission) -> str:
    """Return the command of a submission as a line of shell."""
    if submission.words[:2] == ("bash", "-c"):
        return submission.words[2]
    variables = (f"{name}={shlex.quote(value)}" for name, value in submission.environment.items())
    return " ".join([*variables, shlex.join(submission.words)])


def largest_array(farm: Farm) -> int:
    """Return the size of the largest array that the site takes, or the usual one."""
    farm_type = farm_type_of(farm.type)
    limit = farm_type.limit
    while limit is not None:
        if largest := _largest_by(limit):
            return largest
        limit = limit.fallback
    return farm_type.largest


def _largest_by(limit: ArrayLimit) -> int | None:
    try:
        finished = run_command(limit.command, timeout=QUERY_SECONDS)
    except RunxError:
        return None
    return None if finished.status else limit.read(finished.output)


def missing_program(farm: Farm, environment: Mapping[str, str]) -> str | None:
    """Return a message if the program that submits is not found, else None."""
    farm_type = farm_type_of(farm.type)
    program = farm_type.programs[0] if farm_type.programs else command.program(farm.submit_cmd)
    if program is None or shutil.which(program, path=environment.get("PATH")):
        return None
    if farm_type.programs:
        return f"{program}: not found on PATH; {farm_type.package}, or run here with -i"
    return (
        f"{program}: not found on PATH; SUBMIT_CMD of farm {farm.name} starts it."
        " Install it, load its module, or run here with -i"
    )
