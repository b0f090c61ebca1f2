"""Where everything about a run and an experiment lies.

logx imports this in every training script: nothing here imports typing, pathlib or dataclasses.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from pathlib import Path


RECORD, HPARAMS, METRICS, LOGX = "run.json", "hparams.json", "metrics.csv", "logx.json"


ATTEMPTS, ORDERS = "attempts", "orders"


LOCK, WORKSPACE = "lock", "workspace"


class RunDir:
    """The directory of one run. It alone knows the names of the files in it.

    >>> from pathlib import Path
    >>> RunDir(Path("/logs/sweep/wise-owl")).claim(1)
    PosixPath('/logs/sweep/wise-owl/attempts/1.claim')
    """

    __slots__ = ("_place",)

    def __init__(self, path: Path | str) -> None:
        self._place = path

    @property
    def path(self) -> Path:
        """The directory. It becomes a Path when it is asked for: most of a large plan's never are.

        >>> RunDir("/logs/sweep/wise-owl").path.name
        'wise-owl'
        """
        if isinstance(self._place, str):
            from pathlib import Path

            self._place = Path(self._place)
        return self._place

    def __fspath__(self) -> str:
        return os.fspath(self._place)

    def __repr__(self) -> str:
        return f"RunDir({os.fspath(self)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunDir) and os.fspath(other) == os.fspath(self)

    def __hash__(self) -> int:
        return hash(os.fspath(self))

    @property
    def record(self) -> Path:
        """What this run is: CMD, hparams, tag, resources, code digest. Written once."""
        return self.path / RECORD

    @property
    def hparams(self) -> Path:
        """The hyperparameters alone, as sumx and people read them. Written once."""
        return self.path / HPARAMS

    @property
    def config(self) -> Path:
        """The hyperparameters as a configuration file of the script's own. Written once."""
        return self.path / "config.yaml"

    @property
    def script(self) -> Path:
        """Exactly what is executed."""
        return self.path / "run.sh"

    def script_of(self, attempt: int) -> Path:
        """What a submit command is given of this attempt: its first is that of run.sh alone."""
        return self.attempts / f"{attempt}.sh" if attempt > 1 else self.script

    @property
    def submit_command(self) -> Path:
        """How it was submitted."""
        return self.path / "submit_cmd.sh"

    @property
    def code(self) -> Path:
        """The staged code, the run's working directory."""
        return self.path / "code"

    @property
    def output(self) -> Path:
        """Stdout and stderr of every attempt."""
        return self.path / "output.log"

    @property
    def metrics(self) -> Path:
        """Validation rows, as the original writes them."""
        return self.path / METRICS

    @property
    def train_metrics(self) -> Path:
        """Train rows, in the format of metrics.csv."""
        return self.path / "metrics.train.csv"

    def metrics_of(self, phase: str) -> Path:
        """The rows of one phase."""
        return self.path / metrics_of(phase)

    @property
    def messages(self) -> Path:
        """What the script gave to logx.msg."""
        return self.path / "logging.log"

    def messages_of(self, rank: int) -> Path:
        """What one rank of a distributed run gave to logx.msg."""
        return self.path / f"logging.rank{rank}.log" if rank else self.messages

    @property
    def system(self) -> Path:
        """What the machine was doing, in the format of metrics.csv."""
        return self.path / "system.csv"

    @property
    def artifacts(self) -> Path:
        """A folder: what the script gave to logx.artifact, and its index."""
        return self.path / "artifacts"

    def checkpoint(self, kind: str, epoch: int) -> Path:
        """A checkpoint: kind is best or last."""
        return self.path / f"{kind}_checkpoint_ep{epoch}.pth"

    @property
    def logx(self) -> Path:
        """What logx keeps: the best metric so far, hparams that the script gave, warnings."""
        return self.path / LOGX

    @property
    def stop_requested(self) -> Path:
        """There while the scheduler's warning stands that the run will be ended."""
        return self.path / "stop_requested"

    @property
    def attempts(self) -> Path:
        """A folder: for each attempt its claim, job, events and beat."""
        return self.path / ATTEMPTS

    @property
    def lock(self) -> Path:
        """Locked by run.sh and whatever it started, for as long as any of them lives."""
        return self.attempts / LOCK

    @property
    def workspace(self) -> Path:
        """Leads to where its job writes, if not here: its directory in a mounted workspace."""
        return self.attempts / WORKSPACE

    def claim(self, attempt: int) -> Path:
        """Who may execute this attempt."""
        return self.attempts / f"{attempt}.claim"

    def job(self, attempt: int) -> Path:
        """Where this attempt went: farm and job id."""
        return self.attempts / f"{attempt}.job.json"

    def events(self, attempt: int) -> Path:
        """What happened to this attempt, as run.sh saw it."""
        return self.attempts / f"{attempt}.events.jsonl"

    def beat(self, attempt: int) -> Path:
        """Touched while this attempt lives."""
        return self.attempts / f"{attempt}.beat"

    @property
    def orders(self) -> Path:
        """A folder: who ended the run on purpose says so here first."""
        return self.path / ORDERS


def metrics_of(phase: str) -> str:
    """Name the file with the rows of one phase: validation and test share one, others have theirs.

    >>> metrics_of("test"), metrics_of("train")
    ('metrics.csv', 'metrics.train.csv')
    """
    return METRICS if phase in ("start", "val", "test") else f"metrics.{phase}.csv"


def events_of(attempt: int) -> str:
    """Name the file with what happened to an attempt, as run.sh saw it."""
    return f"{ATTEMPTS}/{attempt}.events.jsonl"


class ExperimentDir:
    """The directory of one experiment: its runs, and beside them what they share."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, name: str) -> RunDir:
        """The directory of the run called so."""
        return RunDir(f"{self.path}/{name}")

    @property
    def code(self) -> Path:
        """A folder: frozen code, each named by its digest."""
        return self.path / ".runx" / "code"

    @property
    def launches(self) -> Path:
        """A folder: what was asked each time."""
        return self.path / ".runx" / "launches"

    def jobs(self, launch: str) -> Path:
        """A folder: the scripts of a launch's jobs, and which run each of them is."""
        return self.launches / launch / "jobs"

    @property
    def turns(self) -> Path:
        """A folder: whose turn it is to decide which runs there are."""
        return self.path / ".runx" / "turns"

    @property
    def making(self) -> Path:
        """A folder: run directories that are not whole yet, to be renamed into place."""
        return self.path / ".runx" / "making"

    @property
    def index(self) -> Path:
        """What runs came to when they were last read; it only saves time."""
        return self.path / ".runx" / "index.json"
