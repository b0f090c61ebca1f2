"""Farms, the jobs that they have, and FarmType: what a type of farm can do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from runx.farms.jobspecs import JobArray, JobSpec, Wait
from runx.farms.resources import Limit, Needs
from runx.processes import Finished
from runx.rundir.events import JobStatus, place_of
from runx.rundir.handback import WARNING
from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.rundir.handback import Requeue, Retries

__all__ = [
    "SUBMIT_SECONDS",
    "ArrayLimit",
    "Farm",
    "FarmType",
    "Handback",
    "JobArray",
    "JobCommands",
    "JobSpec",
    "Place",
    "StatusQuery",
    "Submission",
    "SubmittedJob",
    "Wait",
    "Warn",
    "Words",
]

Words: TypeAlias = tuple[str, ...]
"""A command, or words of one."""
Warn: TypeAlias = Callable[[str], None]
SUBMIT_SECONDS = 300.0
"""Seconds until a submit command is ended; Slurm's own limit with its controller is 100 s."""


class Farm(NamedTuple):
    """A farm: a section of ``.runx`` that says where and how runs are submitted.

    ``array`` is None where the number of runs decides; ``options`` are keys that some types read.
    ``runs_per_job`` run side by side in one job.
    ``priority`` is from -10 to 10; ``limits`` are the resources that LIMITS names. ``capacity`` is
    the most that it has for one run, None where nobody says so.
    ``avoid`` names machines that jobs are to be kept from.
    """

    name: str
    submit_cmd: str = ""
    type: str = "command"
    array: bool | None = None
    max_parallel: int | None = None
    requeue: Requeue | None = None
    directives: tuple[str, ...] = ()
    options: Mapping[str, str] = {}
    runs_per_job: int = 1
    priority: int = 0
    limits: Mapping[str, Limit] = {}
    capacity: Needs | None = None
    retries: Retries | None = None
    avoid: tuple[str, ...] = ()

    @property
    def takes_back(self) -> bool:
        """Whether its jobs may start again, by REQUEUE or RETRIES."""
        return self.requeue is not None or self.retries is not None

    @property
    def warning(self) -> int | None:
        """How many seconds before its end a job is to be warned, None where it needn't be."""
        if self.requeue is not None:
            return self.requeue.before
        return WARNING if self.retries and "timeout" in self.retries.on else None


@dataclass(frozen=True, slots=True)
class Submission:
    """The exact command that submits jobs, with what is added to its environment, and its stdin.

    ``place`` is where the jobs go as far as the command says: see FarmType. ``script`` is the file
    that holds the stdin, too, where there is one.
    """

    words: Words
    environment: Mapping[str, str]
    stdin: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    script: Path | None = None


class SubmittedJob(NamedTuple):
    """The job of a run's attempt: its farm, id and name; the id is "" where it was not recorded.

    ``task`` is its index in an array; ``is_pending`` is true while its submit command may run.
    ``owner`` is the login that submitted it, "" where that was not recorded. It ``shares`` its job
    with other runs.
    """

    run: RunDir
    attempt: int
    farm: Farm
    id: str
    name: str
    task: int | None = None
    is_pending: bool = False
    owner: str = ""
    shares: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Its place and id, or its farm and run where the id is not known: one key for one job."""
        if self.id:
            return place_of(self.farm.name, self.farm.options), self.id
        return self.farm.name, str(self.run.path)


class StatusQuery(NamedTuple):
    """How a scheduler is asked for the status of many jobs at once, and how its answer is read.

    ``command`` returns the command for job ids, for all jobs where there are none. ``read`` returns
    None where the answer is that of a scheduler that can't be asked. ``query_id`` returns the id
    to ask for instead of a job's own, such as that of its array. ``sees``: whether the answer has
    the jobs of all users, whatever the site's settings; else what it lacks may be somebody else's.
    ``live``: whether it alone has jobs that have not ended, as the first query always does, so that
    without its answer nothing counts as gone. ``instead``: whether it is made only where no query
    before it was answered, and makes up for these.
    """

    command: Callable[[Sequence[str], Farm], Words]
    read: Callable[[Finished], Mapping[str, JobStatus] | None]
    query_id: Callable[[str], str] = str
    sees: Literal["own", "all"] = "own"
    live: bool = False
    instead: bool = False


class Place(NamedTuple):
    """How this machine is asked where jobs of a farm go: the answer is added to its options.

    ``command`` is empty where nothing need be asked. ``read`` raises a FarmError where they can't
    go anywhere.
    """

    command: Callable[[Farm], Words]
    read: Callable[[Finished, Farm], Mapping[str, str]]


class ArrayLimit(NamedTuple):
    """How a site is asked for its largest array; ``fallback`` is asked where it gives none."""

    command: Words
    read: Callable[[str], int | None]
    fallback: ArrayLimit | None = None


class Handback(NamedTuple):
    """How run.sh puts its job back into the queue: a shell command, an exit status, or both.

    ``elsewhere`` is a shell command that keeps the job from the machine it is on, from then on.
    """

    command: str = ""
    status: int = 0
    elsewhere: str = ""


JobCommands: TypeAlias = Callable[[Sequence[str], Farm], Sequence[Words]]
"""Returns the commands that do something with jobs, given their ids or names."""


@dataclass(frozen=True, slots=True)
class FarmType:
    """A type of farm: how its jobs are submitted, queried and ended. What is None, it can't do.

    Attributes:
        programs: The commands that it needs, first the one that submits.
        package: What to do where they are missing.
        submission: Returns the command that submits an array.
        job_ids: Returns the id of each job of an array, given what its submit command printed.
        script: Returns the job script of an array.
        job_name: Returns the name by which the scheduler lists an array.
        located: How this machine is asked where jobs go, before they are submitted; it is asked
            again before they are queried, since a name may have become that of another place.
        place: Returns what tells where the jobs of an array are, such as their cluster, given what
            its submit command printed ("" where that is not known) and its environment; it is
            added to their farm's options.
        queries: Made in turn, each about the jobs of which those before returned nothing.
        reasons: Made where jobs wait, and the other queries gave no reason; it is answered by
            query ids.
        cancel, hold, release: Return commands, given job ids.
        cancel_arrays: Returns commands, executed before those of ``cancel``, given the names of
            arrays of which every run is cancelled.
        array_of: Returns the id of a job's whole array, which ``cancel``, ``hold`` and ``release``
            are given in place of its jobs' ids where every run of it is meant.
        suspends: Whether ``hold`` ends what runs of an array, which is then not held as a whole.
        had_ended: Returns whether a cancel failed since there was nothing left to end.
        test_only: Returns the command that checks a submission, and submits nothing.
        arrays: Whether there are job arrays.
        largest, smallest: The usual sizes of arrays; ``limit`` asks a site for its own largest.
        throttles: Whether the number of an array's jobs that run at a time can be limited.
        waits: What a job can wait for: that another has ended somehow, or that it is done.
        pairs: When a job of an array can start after the one of the same index of another.
        parts: Whether a job can wait for one job of an array.
        stepwise: What jobs of steps can wait for, if not for all that those of a launch can.
        together: Whether a job can execute several attempts.
        executor: Returns the script that such jobs of an array execute, if not its own.
        handback: How run.sh puts its job back into the queue.
        warns: Whether a job can be warned some time before its end.
        excludes: Whether jobs can be kept from the machines that a farm is to ``avoid``.
        workspace: Returns where a run's job writes, if not in the run's directory.
        priority: Returns the words that give a job the PRIORITY of its farm.
        licences: Whether it counts what LIMITS names, in whole numbers or sizes, too.
        whole_memory: Whether ``mem: 0`` asks for all memory of a node.
        gpu_memory: Whether a job can ask for GPUs of so much memory.
        expected_start: Returns when a job would start, given the answer to ``test_only``.
        portable: Whether portable RESOURCES are translated, or given as they stand.
        reads: Those settings of a farm that it reads, of SUBMIT_CMD and the keys that only some
            types read; None if it may read any.
        submit_timeout: Seconds that a submit command may take, None where it may execute the run.
    """

    programs: Words
    package: str
    submission: Callable[[JobArray, Farm], Submission]
    job_ids: Callable[[str, JobArray], list[str]]
    script: Callable[[JobArray, Farm], str] | None = None
    job_name: Callable[[JobArray], str] = lambda array: array.name
    located: Place | None = None
    place: Callable[[str, Mapping[str, str]], Mapping[str, str]] = lambda answer, environment: {}
    queries: tuple[StatusQuery, ...] = ()
    reasons: StatusQuery | None = None
    cancel: JobCommands | None = None
    cancel_arrays: JobCommands | None = None
    hold: JobCommands | None = None
    release: JobCommands | None = None
    array_of: Callable[[str], str] | None = None
    suspends: bool = False
    had_ended: Callable[[Finished], bool] = lambda finished: False
    test_only: Callable[[Submission], Submission] | None = None
    arrays: bool = False
    largest: int = 1000
    limit: ArrayLimit | None = None
    smallest: int = 1
    throttles: bool = True
    waits: Literal["", "ended", "done"] = ""
    pairs: Collection[str] = ()
    parts: bool = False
    stepwise: Literal["", "ended", "done"] = "done"
    together: bool = True
    executor: Callable[[JobArray, Farm], str] | None = None
    handback: Handback | None = None
    warns: bool = False
    excludes: bool = False
    workspace: Callable[[RunDir, Farm], Path] | None = None
    priority: Callable[[Farm], Words] | None = None
    licences: Literal["", "numbers", "sizes"] = ""
    whole_memory: bool = False
    gpu_memory: bool = False
    expected_start: Callable[[Finished], datetime | None] | None = None
    portable: bool = True
    reads: Words | None = None
    submit_timeout: float | None = SUBMIT_SECONDS

    @property
    def manages_jobs(self) -> bool:
        """Whether jobs can be queried or cancelled; else only runs' own files show their state."""
        return bool(self.queries or self.cancel)
