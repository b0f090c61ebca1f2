"""The paths of the files and folders of a run and of an experiment.

Every training script imports this with logx: it imports no typing, pathlib or dataclasses.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from pathlib import Path


RECORD, HPARAMS, METRICS, LOGX = "run.json", "hparams.json", "metrics.csv", "logx.json"
TRAIN_METRICS, MESSAGES = "metrics.train.csv", "logging.log"
ATTEMPTS, ORDERS, HELD = "attempts", "orders", "held"
LOCK, WORKSPACE = "lock", "workspace"
STEPS = "steps"
BOUND = "bound.sh"
EXPERIMENT = "experiment.yml"


class RunDir:
    """The directory of one run, with the paths of the files in it.

    >>> from pathlib import Path
    >>> RunDir(Path("/logs/sweep/wise-owl")).claim(1)
    PosixPath('/logs/sweep/wise-owl/attempts/1.claim')
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path | str) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The directory, as a Path made when first used: in a large plan most never are.

        >>> RunDir("/logs/sweep/wise-owl").path.name
        'wise-owl'
        """
        if isinstance(self._path, str):
            from pathlib import Path

            self._path = Path(self._path)
        return self._path

    def __fspath__(self) -> str:
        return os.fspath(self._path)

    def __repr__(self) -> str:
        return f"RunDir({os.fspath(self)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunDir) and os.fspath(other) == os.fspath(self)

    def __hash__(self) -> int:
        return hash(os.fspath(self))

    @property
    def name(self) -> str:
        """Its name as people read it: wise-owl of a run, wise-owl/eval of a step of it.

        >>> RunDir("/logs/sweep/wise-owl").name
        'wise-owl'
        """
        if self.path.parent.name != STEPS or self.owner == self:
            return self.path.name
        return f"{self.owner.path.name}/{self.path.name}"

    def step(self, name: str) -> RunDir:
        """Return the directory of one of the run's steps."""
        return RunDir(f"{os.fspath(self)}/{STEPS}/{name}")

    @property
    def is_step(self) -> bool:
        """Whether it is the directory of a step: of a run, or of one that runs share."""
        return self.experiment != self.path.parent

    @property
    def owner(self) -> RunDir:
        """The run that a step belongs to; itself where it is a run, or a step that runs share."""
        run = self.path.parent.parent
        return RunDir(run) if self.is_step and run != self.experiment else self

    @property
    def experiment(self) -> Path:
        """The directory of the experiment that a run, or a step, belongs to.

        >>> RunDir("/logs/sweep/wise-owl").experiment.name
        'sweep'
        """
        parent = self.path.parent
        if parent.name == STEPS:  # It may be the name of an experiment, too.
            for folder in (parent.parent, parent.parent.parent):
                if os.path.isdir(f"{folder}/.runx"):  # noqa: PTH112
                    return folder
        return parent

    @property
    def record(self) -> Path:
        """run.json: CMD, hparams, tag, resources, code digest. Written once."""
        return self.path / RECORD

    @property
    def hparams(self) -> Path:
        """hparams.json: the hyperparameters alone. Written once."""
        return self.path / HPARAMS

    def config(self, format: str) -> Path:
        """Return the path of the script's configuration file, made for the run. Written once."""
        return self.path / f"config.{format}"

    @property
    def bound(self) -> Path:
        """bound.sh: the command of a run of a search, with the values of its point."""
        return self.path / BOUND

    @property
    def fallback(self) -> Path:
        """fallback.sh: the same with the point that its launch has left for it."""
        return self.path / "fallback.sh"

    @property
    def script(self) -> Path:
        """run.sh: the shell script that executes CMD."""
        return self.path / "run.sh"

    def script_of(self, attempt: int) -> Path:
        """Return the script that is submitted for an attempt: run.sh itself for the first."""
        return self.attempts / f"{attempt}.sh" if attempt > 1 else self.script

    @property
    def submit_command(self) -> Path:
        """The submit command, as a shell script to submit the run by hand."""
        return self.path / "submit_cmd.sh"

    @property
    def code(self) -> Path:
        """The staged code, the run's working directory."""
        return self.path / "code"

    @property
    def output(self) -> Path:
        """output.log: stdout and stderr of all attempts."""
        return self.path / "output.log"

    @property
    def metrics(self) -> Path:
        """metrics.csv: validation rows, in the format of NVIDIA's runx."""
        return self.path / METRICS

    def metrics_of(self, phase: str) -> Path:
        """Return the file with the rows of one phase."""
        return self.path / metrics_of(phase)

    @property
    def messages(self) -> Path:
        """The messages of logx.msg."""
        return self.path / MESSAGES

    def messages_of(self, rank: int) -> Path:
        """Return the file with the messages of one rank of a distributed run."""
        return self.path / f"logging.rank{rank}.log" if rank else self.messages

    @property
    def system(self) -> Path:
        """The load of CPU and GPUs over time, in the format of metrics.csv."""
        return self.path / "system.csv"

    @property
    def artifacts(self) -> Path:
        """A folder: the artifacts of logx.artifact, and their index."""
        return self.path / "artifacts"

    def checkpoint(self, kind: str, epoch: int | float) -> Path:
        """Return the file of a checkpoint; kind is best or last."""
        return self.path / f"{kind}_checkpoint_ep{epoch}.pth"

    @property
    def logx(self) -> Path:
        """logx.json: the best metric so far, hparams that the script added, warnings."""
        return self.path / LOGX

    @property
    def stop_requested(self) -> Path:
        """A file that exists from the scheduler's warning until the run ends."""
        return self.path / "stop_requested"

    @property
    def attempts(self) -> Path:
        """A folder: for each attempt its claim, job, events and heartbeat."""
        return self.path / ATTEMPTS

    @property
    def lock(self) -> Path:
        """A file locked by run.sh and all that it started, for as long as any of them lives."""
        return self.attempts / LOCK

    @property
    def workspace(self) -> Path:
        """A link to the directory in a mounted workspace that its job writes to, if not to this."""
        return self.attempts / WORKSPACE

    def claim(self, attempt: int) -> Path:
        """Return the file that claims an attempt for a process."""
        return self.attempts / f"{attempt}.claim"

    def wait(self, attempt: int, launch: str) -> Path:
        """Return the file by which a launcher here waits for its turn to claim an attempt."""
        return self.attempts / f"{attempt}.{launch}.wait"

    def job(self, attempt: int) -> Path:
        """Return the file with the farm and job id of an attempt."""
        return self.attempts / f"{attempt}.job.json"

    def events(self, attempt: int) -> Path:
        """Return the file that run.sh appends the events of an attempt to."""
        return self.attempts / f"{attempt}.events.jsonl"

    def script_events(self, attempt: int) -> Path:
        """Return the file that logx appends to where run.sh doesn't start the script."""
        return self.attempts / f"{attempt}.logx.jsonl"

    def beat(self, attempt: int) -> Path:
        """Return the file that is touched while an attempt lives: its heartbeat."""
        return self.attempts / f"{attempt}.beat"

    @property
    def orders(self) -> Path:
        """A folder: orders to end an attempt, each written before the attempt is ended."""
        return self.path / ORDERS

    @property
    def held(self) -> Path:
        """The file that keeps launchers here from starting the run."""
        return self.path / ORDERS / HELD


def metrics_of(phase: str) -> str:
    """Return the name of the file with the rows of a phase; validation and test share one.

    >>> metrics_of("test"), metrics_of("train")
    ('metrics.csv', 'metrics.train.csv')
    """
    return METRICS if phase in ("start", "val", "test") else f"metrics.{phase}.csv"


class ExperimentDir:
    """The directory of one experiment: the directories of its runs, and .runx with shared files."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, name: str) -> RunDir:
        """Return the directory of the run of that name."""
        return RunDir(f"{self.path}/{name}")

    @property
    def steps(self) -> Path:
        """A folder: the steps that runs share, each laid out as a run."""
        return self.path / STEPS

    @property
    def code(self) -> Path:
        """A folder: frozen code, each named by its digest."""
        return self.path / ".runx" / "code"

    @property
    def launches(self) -> Path:
        """A folder: for each launch a folder with its plan and command line."""
        return self.path / ".runx" / "launches"

    def launch_lock(self, launch: str) -> Path:
        """Return the file that the launcher of runs here locks for its life, and touches."""
        return self.launches / launch / LOCK

    def launch_waits(self, launch: str) -> Path:
        """Return the file that says what a launcher of runs here waits for, its own."""
        return self.launches / launch / "waits.json"

    def launch_slots(self, launch: str) -> Path:
        """Return the file that says how many runs its launcher here is to execute at a time."""
        return self.launches / launch / "slots.json"

    def jobs(self, launch: str) -> Path:
        """Return the folder with the scripts of a launch's jobs, and the runs of each."""
        return self.launches / launch / "jobs"

    @property
    def turns(self) -> Path:
        """A folder: claims of launchers, of which one at a time adds or removes runs."""
        return self.path / ".runx" / "turns"

    @property
    def making(self) -> Path:
        """A folder: incomplete run directories, to be renamed into place."""
        return self.path / ".runx" / "making"

    @property
    def failures(self) -> Path:
        """A folder: for each run that has failed in a row the kind of its cause."""
        return self.path / ".runx" / "failures"

    @property
    def held(self) -> Path:
        """Why nothing more of the experiment starts, where too many runs have failed in a row."""
        return self.path / ".runx" / "held.json"

    @property
    def metrics(self) -> Path:
        """METRICS as the last launch that set it had it: for all runs of the experiment."""
        return self.path / ".runx" / "metrics.json"

    @property
    def index(self) -> Path:
        """A cache of the runs' records, which may be deleted."""
        return self.path / ".runx" / "index.json"
