"""What runx asks of a kind of farm: pure functions that say commands and read their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from runx.cmdline.resources import Needs
from runx.disk.facts import Word
from runx.farms.errand import Errand
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.rundir import RunDir
from runx.types import Submission

Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is submitted at once: one run, or several of the same needs as an array.

    ``name`` is the job's; ``folder`` is the launch's, where the batch's files lie. Its jobs wait
    until those of ``after`` are done, and until the one of ``behind`` has ended, somehow.
    """

    name: str
    launch: str
    number: int
    folder: Path
    home: Path
    errands: tuple[Errand, ...]
    array: bool
    needs: Needs
    parallel: int | None = None
    after: tuple[str, ...] = ()
    behind: str = ""

    @property
    def errand(self) -> Errand:
        """The run, or the first of several."""
        return self.errands[0]

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
        if self.array:
            return self.spool
        return self.errand.logdir / "output.log"

    @property
    def spool(self) -> Path:
        """Where the scheduler may write what it copies, at a job's end, over what lies there."""
        return self.folder / f"{self.number}.out"


class Seen(NamedTuple):
    """What a scheduler says of one job: how it stands, how it is called, its place in an array."""

    word: Word
    name: str = ""
    task: int | None = None


class Question(NamedTuple):
    """How the states of many jobs are asked for at once, and how the answer is read.

    ``read`` gives None where the answer means that the scheduler can't be asked. ``about`` says
    what is asked about to learn of a job, as the array that holds it.
    """

    words: Callable[[Sequence[str], Farm], Words]
    read: Callable[[Finished], Mapping[str, Seen] | None]
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
class Kind:
    """All that runx knows of a kind of farm; what is None, the farm can't do.

    ``job_ids`` reads the id of each of a batch's runs from the answer to its submission.
    ``questions`` are put in turn, each about the jobs that those before it did not know.
    ``was_over`` tells from a failed cancel that there was nothing left to end. ``waits`` says for
    what a job can wait: that another has ended somehow, or that it is done. ``elsewhere`` says
    where a run's job writes, if not in its directory. ``cancel_whole`` comes before ``cancel`` and
    is given the names of jobs of which every run is meant.
    """

    programs: Words
    package: str
    submission: Callable[[Batch, Farm], Submission]
    job_ids: Callable[[str, Batch], list[str]]
    script: Callable[[Batch, Farm], str] | None = None
    job_name: Callable[[Batch], str] = lambda batch: batch.name
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
