"""Jobs submitted: recorded which job is which run, claimed, submitted, and their ids kept.

Whoever is killed on the way loses no job: it is found again by its name, or left alone.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import FarmError, RunxError
from runx.farms import command
from runx.farms.base import (
    Farm,
    FarmType,
    JobArray,
    JobSpec,
    Limit,
    Submission,
    SubmittedJob,
    Words,
)
from runx.farms.jobs import job_arrays, pieces
from runx.farms.registry import farm_type_of
from runx.locks import hold
from runx.processes import CommandNotFound, CommandTimeout, Finished, ran
from runx.rundir.claims import claim_text, take
from runx.rundir.files import VERSION, append_line, to_json, write_whole
from runx.rundir.workspace import belong, parted

ASK_SECONDS = 60.0
"""After which a question to a scheduler is given up."""


_LATER = """\
#!/usr/bin/env bash
# Attempt {attempt} of this run: the job of an attempt that was called off is not taken for it.
exec bash {script} {attempt}
"""


Say = Callable[[str], None]


class _Context(NamedTuple):
    """What the submissions of one launch share."""

    farm: Farm
    type: FarmType
    folder: Path
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
    with hold(folder / "lock") as lock:
        context = _Context(farm, farm_type, folder, digest, len(jobs), lock, say, show)
        for array in arrays:
            behind = last_ids.get(array.follows, "")
            claimed = _claim(replace(array, behind=behind), context)
            if claimed.jobs:
                ids = _submit_array(claimed, context, count)
                count, last_ids[array.number] = count + len(ids), ids[-1]
    if farm_type.elsewhere:
        root = farm_type.elsewhere(jobs[0].dir, farm).parent.parent
        if not root.is_dir():
            say(f"note: what jobs write shows here once their workspace is mounted at {root}")
    return count


def _claim(array: JobArray, context: _Context) -> JobArray:
    """Claim the attempts of an array, having written which index is which run.

    What another launcher has claimed is theirs, and is left out.
    """
    # By a claim that names no launch, run.sh knows that a job of the first attempt may start late.
    launch = array.launch if context.type.answers else None
    text = claim_text(context.farm.name, context.digest, launch)
    _record(array, context)
    ours = tuple(job for job in array.jobs if take(job.dir, job.attempt, text))
    if len(ours) == len(array.jobs):
        return array
    fewer = replace(array, jobs=ours)
    if ours:
        _record(fewer, context)
    return fewer


def _record(array: JobArray, context: _Context) -> None:
    """Write the scripts of an array, and which of its indices is which run."""
    if array.is_array:
        write_whole(array.runs, "".join(f"{job.run}\n" for job in array.jobs))
    if context.type.script:
        write_whole(array.script, context.type.script(array, context.farm))
        array.script.chmod(0o755)
    for job in array.jobs:
        # A job that can't be ended may still start when its attempt was called off.
        if job.attempt > 1 and not context.type.answers:
            script = _LATER.format(attempt=job.attempt, script=shlex.quote(str(job.dir.script)))
            write_whole(job.dir.script_of(job.attempt), script)
    entry = {
        "version": VERSION,
        "number": array.number,
        "name": context.type.job_name(array),
        **_address(context.farm),
        "array": array.is_array,
        "runs": [job.run for job in array.jobs],
        "attempts": [job.attempt for job in array.jobs],
    }
    append_line(context.folder / "jobs.jsonl", json.dumps(entry))


def _address(farm: Farm) -> dict[str, Any]:
    """Return where the jobs of a farm can be asked for, as files have it."""
    return {"farm": farm.name, "type": farm.type, "options": dict(farm.options)}


def _submit_array(array: JobArray, context: _Context, count: int) -> list[str]:
    """Submit an array, or its pieces where the site takes no array so large; return the job ids.

    ``count`` is how many runs of the launch were submitted before.
    """
    farm, farm_type = context.farm, context.type
    submission = farm_type.submission(array, farm)
    for job in array.jobs:
        write_whole(job.dir.submit_command, shown(submission) + "\n")
    if context.show:
        context.show(shown(submission))
    with ExitStack() as stack:
        for job in array.jobs if farm_type.elsewhere else ():
            stack.enter_context(parted(job.dir, context.say))
        finished = execute(submission, farm, farm_type, context.lock)
    ids = farm_type.job_ids(finished.output, array)
    if not finished.status and len(ids) == len(array.jobs):
        name = farm_type.job_name(array)
        for job, id in zip(array.jobs, ids, strict=True):
            keep(SubmittedJob(job.dir, job.attempt, farm, id, name), finished.output)
        context.say(_done(array, ids))
        return ids
    if finished.status and array.is_array:
        largest = largest_array(farm)
        if largest < len(array.jobs):
            return _submit_pieces(array, largest, context, count)
    raise _refusal(array, context, finished, count)


def _submit_pieces(array: JobArray, largest: int, context: _Context, count: int) -> list[str]:
    """Submit an array in pieces; no more of its runs go on at a time than of the whole."""
    ids: list[str] = []
    for piece in pieces(array, largest):
        behind = ids[-1] if ids and piece.parallel else piece.behind
        piece = replace(piece, behind=behind)
        _record(piece, context)
        ids += _submit_array(piece, context, count + len(ids))
    return ids


def _refusal(array: JobArray, context: _Context, finished: Finished, count: int) -> FarmError:
    """Keep a refusal and return it as an error.

    Where the scheduler was too slow to answer, the job may be there: then no refusal is kept.
    """
    farm, answer = context.farm, finished.errors.strip() or finished.output.strip()
    what = array.script if context.type.script else array.name
    words = " | ".join(line.strip() for line in answer.splitlines() if line.strip())
    reason = f"{what}, status {finished.status}: {words or 'it printed nothing'}"
    done = f"{count} of {context.total} runs submitted"
    if "timed out" not in answer.lower():
        _keep_refusal(array, context, answer)
        return FarmError(f"farm {farm.name} refused {reason} ({done}; --resume submits the others)")
    if context.type.answers:
        way = "--resume asks for it by its name, and submits what is not there"
    else:
        way = (
            "runx can't ask this farm, and leaves it alone: if it isn't there, runx cancel"
            f" {array.jobs[0].run} lets --resume submit it; --resume submits the others"
        )
    return FarmError(f"farm {farm.name} may have taken {reason} ({done}; {way})")


def _keep_refusal(array: JobArray, context: _Context, answer: str) -> None:
    content = {"farm": context.farm.name, "refused": True, "answer": answer, "time": time.time()}
    for job in array.jobs:
        write_whole(job.dir.job(job.attempt), to_json(content))


def _done(array: JobArray, ids: Sequence[str]) -> str:
    if array.is_array:
        return f"{len(ids)} runs submitted as an array, jobs {ids[0]} to {ids[-1]}"
    return f"{array.jobs[0].run}: submitted" + (f" as job {ids[0]}" if ids[0] else "")


def keep(job: SubmittedJob, answer: str) -> None:
    """Write where an attempt was submitted, and where else its run's job writes."""
    id_and_name = {"id": job.id, "name": job.name}
    content = {**_address(job.farm), **id_and_name, "answer": answer, "time": time.time()}
    write_whole(job.run.job(job.attempt), to_json(content))
    elsewhere = farm_type_of(job.farm.type).elsewhere
    if elsewhere:
        belong(job.run, elsewhere(job.run, job.farm))


def execute(submission: Submission, farm: Farm, farm_type: FarmType, lock: int = -1) -> Finished:
    """Run a submit command to its end; one that can't be started has a shell's status for that.

    FarmError where it was ended since it took too long: what came of it is not known.
    """
    words = submission.words
    try:
        return ran(
            words,
            environment=submission.environment or None,
            stdin=submission.stdin,
            timeout=farm_type.patience,
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


def shown(submission: Submission) -> str:
    """Return a submission as a line that a shell takes."""
    if submission.words[:2] == ("bash", "-c"):
        return submission.words[2]
    variables = (f"{name}={shlex.quote(value)}" for name, value in submission.environment.items())
    return " ".join([*variables, shlex.join(submission.words)])


def largest_array(farm: Farm) -> int:
    """Ask the site for the largest array it takes; where it can't tell, return what is usual."""
    farm_type = farm_type_of(farm.type)
    limit = farm_type.limit
    while limit is not None:
        if largest := _asked_limit(limit):
            return largest
        limit = limit.otherwise
    return farm_type.largest


def _asked_limit(limit: Limit) -> int | None:
    try:
        finished = ran(limit.words, timeout=ASK_SECONDS)
    except RunxError:
        return None
    return None if finished.status else limit.read(finished.output)


def missing_program(farm: Farm, environment: Mapping[str, str]) -> str | None:
    """Return what is wrong with the program that submits, if it can't be found."""
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
