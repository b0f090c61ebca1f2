"""What is submitted to a farm: runs and steps as jobs, and these as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from runx.farms.resources import Needs
from runx.rundir.paths import RunDir
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.rundir.steps import Predecessor, Step, When


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One run or step to be submitted: the name of its job, its attempt, its resources.

    Its job executes the attempts ``then`` in turn after its own, and ``beside`` it others of equal
    needs, each followed by its own. It starts after those of ``after``.

    ``template_values`` returns what only a template of SUBMIT_CMD may use: the training command
    as one shell string, and the hyperparameters. ``code`` is the digest of its code where that is
    not what its launch froze.
    """

    name: str
    experiment: str
    run: str
    tag: str
    dir: RunDir
    attempt: int
    resources: tuple[Hparam, ...]
    template_values: Callable[[], Mapping[str, Any]] = dict
    code: str | None = None
    step: Step | None = None
    after: tuple[Predecessor, ...] = ()
    then: tuple[JobSpec, ...] = ()
    beside: tuple[JobSpec, ...] = ()

    @property
    def lanes(self) -> tuple[tuple[JobSpec, ...], ...]:
        """What its job executes: side by side, and each in turn."""
        return tuple((each, *each.then) for each in (self, *self.beside))

    @property
    def members(self) -> tuple[JobSpec, ...]:
        """Every attempt that its job executes."""
        return tuple(each for lane in self.lanes for each in lane)

    @property
    def shares(self) -> bool:
        """Whether its job executes other attempts, too."""
        return bool(self.then or self.beside)


class Wait(NamedTuple):
    """What jobs wait for: that another is done, or has ended.

    It is the job of that ``id``; or all of its array; or ``each`` job of that array, which has this
    ``name``, for the one of the same index.
    """

    id: str
    when: When = "done"
    scope: Literal["job", "array", "each"] = "job"
    name: str = ""


@dataclass(frozen=True, slots=True)
class JobArray:
    """What one command submits: one job, or several of the same needs as a job array.

    ``folder`` is where the launch keeps the files of its jobs. At most ``max_parallel`` jobs run
    at a time; they start after what they ``wait`` for, and when the last job of the array with the
    number ``follows`` has ended.
    """

    name: str
    launch: str
    number: int
    folder: Path
    experiment_dir: Path
    jobs: tuple[JobSpec, ...]
    is_array: bool
    needs: Needs
    max_parallel: int | None = None
    waits: tuple[Wait, ...] = ()
    follows: int | None = None

    @property
    def members(self) -> tuple[JobSpec, ...]:
        """Every attempt that its jobs execute."""
        return tuple(each for job in self.jobs for each in job.members)

    @property
    def shares(self) -> bool:
        """Whether one of its jobs executes several attempts."""
        return any(job.shares for job in self.jobs)

    @property
    def script(self) -> Path:
        """The job script, where the farm takes one."""
        return self.folder / f"{self.number}.sh"

    @property
    def executor(self) -> Path:
        """The script of jobs that execute several attempts, where that isn't the job script."""
        return self.folder / f"{self.number}.jobs.sh"

    @property
    def run_list(self) -> Path:
        """The attempts and names of an array's runs, a line a job, in the order of its indices."""
        return self.folder / f"{self.number}.runs"

    @property
    def output(self) -> Path:
        """Where the scheduler may append: the run's log, or for several a file of its own."""
        return self.spool if self.is_array or self.shares else self.jobs[0].dir.output

    @property
    def spool(self) -> Path:
        """Where the scheduler may write what it copies, at a job's end, over what lies there."""
        return self.folder / f"{self.number}.out"
