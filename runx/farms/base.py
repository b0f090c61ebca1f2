"""What a farm is: its section, the jobs it is given, and the functions that a type of farm has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from runx.farms.resources import Needs
from runx.processes import Finished
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.rundir.script import Requeue


Words: TypeAlias = tuple[str, ...]


SUBMIT_SECONDS = 300.0
"""Seconds until a submit command is ended; Slurm's own limit with its controller is 100 s."""


class Farm(NamedTuple):
    """Where runs are submitted to: the name of its section, its type, and what it says of jobs.

    ``array`` is None where the number of runs decides. ``options`` are what only some types read.
    """

    name: str
    submit_cmd: str = ""
    type: str = "command"
    array: bool | None = None
    max_parallel: int | None = None
    requeue: Requeue | None = None
    directives: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Submission:
    """The exact command that submits jobs: its words, what its environment has besides, stdin."""

    words: Words
    environment: Mapping[str, str]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One run to be submitted: what its job is called, which attempt it executes, what it needs.

    ``template_values`` returns what only a template of SUBMIT_CMD may ask for: the training
    command as one shell string, and the hyperparameters.
    """

    name: str
    experiment: str
    run: str
    tag: str
    dir: RunDir
    attempt: int
    resources: tuple[Hparam, ...]
    template_values: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True, slots=True)
class JobArray:
    """What is submitted at once: one job, or several of the same needs as an array.

    ``name`` is the job's; ``folder`` is the launch's, where the files of its jobs lie; ``home`` the
    experiment's directory. Its jobs start when those of ``after`` are done, and when the array of
    number ``follows``, whose job id ``behind`` is, has ended somehow.
    """

    name: str
    launch: str
    number: int
    folder: Path
    home: Path
    jobs: tuple[JobSpec, ...]
    is_array: bool
    needs: Needs
    parallel: int | None = None
    after: Words = ()
    follows: int | None = None
    behind: str = ""

    @property
    def script(self) -> Path:
        """The job script, where the farm takes one."""
        return self.folder / f"{self.number}.sh"

    @property
    def runs(self) -> Path:
        """The names of an array's runs, a line each, in the order of its indices."""
        return self.folder / f"{self.number}.runs"

    @property
    def output(self) -> Path:
        """Where the scheduler may write: the run's log, or for an array a file of its own."""
        return self.spool if self.is_array else self.jobs[0].dir.output

    @property
    def spool(self) -> Path:
        """Where the scheduler may write what it copies, at a job's end, over what lies there."""
        return self.folder / f"{self.number}.out"


class SubmittedJob(NamedTuple):
    """A run's job: its address (farm and id), and its name, which alone is known of some.

    ``task`` is its index in an array; ``is_pending`` is true while its submit command may run.
    """

    run: RunDir
    attempt: int
    farm: Farm
    id: str
    name: str
    task: int | None = None
    is_pending: bool = False


class Question(NamedTuple):
    """How the states of many jobs are asked for at once, and how the answer is read.

    ``read`` returns None where the answer means that the scheduler can't be asked. ``about``
    returns what is asked about to learn of a job, as the array that holds it.
    """

    words: Callable[[Sequence[str], Farm], Words]
    read: Callable[[Finished], Mapping[str, JobStatus] | None]
    about: Callable[[str], str] = str


class Limit(NamedTuple):
    """How a site is asked for its largest array; ``otherwise`` is asked where it can't tell."""

    words: Words
    read: Callable[[str], int | None]
    otherwise: Limit | None = None


class Handback(NamedTuple):
    """How run.sh hands a job back: a shell command, an exit status, or both."""

    command: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class FarmType:
    """All that runx knows of a type of farm; what is None, the farm can't do.

    ``job_ids`` reads the id of each of an array's jobs from the answer to its submission.
    ``questions`` are put in turn, each about the jobs that those before it did not know.
    ``was_over`` is true of a failed cancel that found nothing left to end. ``waits`` is what a
    job can wait for: that another has ended somehow, or that it is done. ``elsewhere`` returns
    where a run's job writes, if not in its directory. ``cancel_whole`` comes before ``cancel`` and
    is given the names of jobs of which every run is meant. ``patience`` is how many seconds a
    submit command may take, None where it may execute the run itself.
    """

    programs: Words
    package: str
    submission: Callable[[JobArray, Farm], Submission]
    job_ids: Callable[[str, JobArray], list[str]]
    script: Callable[[JobArray, Farm], str] | None = None
    job_name: Callable[[JobArray], str] = lambda array: array.name
    questions: tuple[Question, ...] = ()
    cancel: Callable[[Sequence[str], Farm], Sequence[Words]] | None = None
    cancel_whole: Callable[[Sequence[str], Farm], Sequence[Words]] | None = None
    hold: Callable[[Sequence[str], Farm], Sequence[Words]] | None = None
    release: Callable[[Sequence[str], Farm], Sequence[Words]] | None = None
    was_over: Callable[[Finished], bool] = lambda finished: False
    test_only: Callable[[Submission], Submission] | None = None
    arrays: bool = False
    largest: int = 1000
    limit: Limit | None = None
    smallest: int = 1
    throttles: bool = True
    waits: Literal["", "ended", "done"] = ""
    handback: Handback | None = None
    elsewhere: Callable[[RunDir, Farm], Path] | None = None
    needs: bool = True
    patience: float | None = SUBMIT_SECONDS

    @property
    def answers(self) -> bool:
        """Whether jobs can be asked for or ended: else runs' own files alone tell of them."""
        return bool(self.questions or self.cancel)
