"""Submissions that failed: they may have gone in all the same, and are looked for by their name."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from runx.farms.base import Farm, FarmType, JobArray, Submission, SubmittedJob
from runx.farms.jobfiles import write_job
from runx.farms.query import query
from runx.farms.registry import farm_type_of
from runx.processes import Finished
from runx.rundir.files import read_json

PAUSES = (1.0, 60.0)
"""The least and most seconds from a failed submission to the last look for its jobs."""


class Failure(NamedTuple):
    """A submission of which no job was found, and what its command answered.

    ``problem`` is why nobody can say whether there is one; "" where certainly there is none.
    """

    finished: Finished
    problem: str = ""


def placed(farm: Farm, submission: Submission, farm_type: FarmType, answer: str = "") -> Farm:
    """Return a farm with where the jobs of a submission are: as it was answered, else as asked."""
    place = farm_type.place(answer, {**os.environ, **submission.environment})
    # Options of a command outweigh the environment, and what was answered both.
    known = {**submission.place, **place} if answer else {**place, **submission.place}
    return farm._replace(options={**farm.options, **known})


def unnamed_jobs(array: JobArray, farm: Farm, farm_type: FarmType) -> list[SubmittedJob]:
    """Return the jobs of an array, whose ids are not known."""
    name = farm_type.job_name(array)
    return [
        SubmittedJob(
            member.dir,
            member.attempt,
            farm,
            "",
            name,
            task if array.is_array else None,
            shares=job.shares,
        )
        for task, job in enumerate(array.jobs)
        for member in job.members
    ]


def look_for(
    jobs: Sequence[SubmittedJob], finished: Finished, seconds: float
) -> list[str] | Failure:
    """Return the ids of jobs whose submission failed, found by their name and recorded.

    ``seconds`` is how long the submission took. Until as long after it they are looked for: a
    controller that was too slow to answer may still be at it. An id is "" where it is not known.
    """
    least, most = PAUSES
    problem = ""
    for pause in (0.0, min(max(seconds, least), most)):
        time.sleep(pause if farm_type_of(jobs[0].farm.type).queries else 0)
        problems: list[str] = []
        statuses = query(jobs, problems.append)
        ids = [_recorded(job, finished) for job in jobs]
        if any(id is not None for id in ids):
            return [id or "" for id in ids]
        unseen = [status for status in statuses.values() if status.state != "gone"]
        problem = ""
        if unseen or len(statuses) < len(jobs):
            reasons = (status.reason for status in unseen if status.reason)
            problem = next(iter((*problems, *reasons)), "nobody can be asked")
    return Failure(finished, problem)


def _recorded(job: SubmittedJob, finished: Finished) -> str | None:
    """Return the id of a job that has come through, None without a sign of it.

    One that has started is there, even where nobody can be asked: then its id is "". It is not
    recorded where it can be found by the job's name later.
    """
    file = job.run.job(job.attempt)
    if file.exists():
        return str(read_json(file).get("id", ""))
    if not job.run.events(job.attempt).exists():
        return None
    if not farm_type_of(job.farm.type).queries:
        write_job(job, finished.output)
    return ""


def answer_line(finished: Finished) -> str:
    """Return what a submit command answered, in one line."""
    answer = finished.errors.strip() or finished.output.strip()
    lines = " | ".join(line.strip() for line in answer.splitlines() if line.strip())
    return f"status {finished.status}: {lines or 'it printed nothing'}"
