"""A project with one sweep, in which launchers are started, and killed in the middle."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from runx.rundir.attempts import read_attempts
from runx.rundir.machines import locality_of, this_machine
from runx.rundir.paths import RunDir
from runx.rundir.state import state

CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
"""Starts a command with process numbers and a host name of its own, as a container does."""
JOURNAL = 'echo "begin $2 $$" >> "$JOURNAL"; {body}; echo "end $2 $$" >> "$JOURNAL"\n'
"""The script of a run: it writes its begin and its end to a journal that all runs share."""


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return value


class Sweep:
    """A folder with sweep.yml, whose runs are numbered: --n 0, --n 1, ..."""

    def __init__(self, path: Path, environment: dict[str, str], count: int = 3, body: str = ":"):
        self.path = path
        self.root = path / "runs"
        self.journal = path.parent / "journal"
        self.leases = path.parent / "leases"
        path.mkdir(exist_ok=True)
        own = {"JOURNAL": str(self.journal), "RUNX_LEASES": str(self.leases)}
        self.environment = {**environment, **own}
        self.processes = []
        self.trains(body)
        self.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(count))}}}\n")

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def trains(self, body: str) -> None:
        """Set the script of the runs: shell text in which $2 is the number of the run."""
        self.write("train.sh", JOURNAL.format(body=body))

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Start runx, in a session of its own and with its output in a file.

        ``ignored``: with the signals ignored that a shell ignores for its background jobs.
        ``host``: in a container of this name, as far as processes are concerned.
        """
        output = (self.path.parent / f"output.{len(self.processes)}").open("w+")
        environment = {**self.environment, **options.pop("environment", {})}
        ignoring = ["bash", "-c", "trap '' INT QUIT; exec \"$@\"", "-"]
        before = ignoring if options.pop("ignored", False) else []
        if host := options.pop("host", None):
            before = [*CONTAINER, "sh", "-c", 'hostname "$0"; exec "$@"', host]
        process = subprocess.Popen(
            [*before, "runx", "sweep.yml", *words],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **options,
        )
        process.output = output
        self.processes.append(process)
        return process

    def ended(self, process: subprocess.Popen, seconds: float = 120) -> str:
        """Wait for the end of a process and return its output."""
        process.wait(seconds)
        return self.said(process)

    @staticmethod
    def said(process: subprocess.Popen) -> str:
        """Return the output of a process so far."""
        return Path(process.output.name).read_text()

    def runx(self, *words: str, status: int | None = 0, **environment: str) -> str:
        """Run runx to its end and return its output."""
        process = self.start(*words, environment=environment)
        output = self.ended(process)
        assert status is None or process.returncode == status, (process.returncode, output)
        return output

    def command(
        self, *words: str, status: int | Sequence[int] = 0, before: Sequence[str] = ()
    ) -> str:
        """Run another command of runx, such as status, and return its output.

        ``before`` are words that start it elsewhere, such as CONTAINER.
        """
        done = subprocess.run(
            [*before, "runx", *words],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        output = done.stdout + done.stderr
        wanted = (status,) if isinstance(status, int) else status
        assert done.returncode in wanted, (done.returncode, output)
        return output

    def clean(self) -> None:
        """Kill the launchers, and the runs that outlived them."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.output.close()
        for run in self.runs():
            for number in (1, 2, 3):
                told = {event["event"]: event for event in events(run, number)}
                # Those of containers end with their launcher, and have other numbers here.
                is_here = locality_of(told.get("started", {}), this_machine()) == "here"
                if "running" in told and is_here and state_of(run) == "running":
                    os.killpg(told["running"]["group"], signal.SIGKILL)

    def runs(self) -> list[RunDir]:
        folder = self.root / "sweep"
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        return [RunDir(path) for path in paths if path.name[0] != "."]

    def numbers(self) -> list[int]:
        """Return the numbers of the existing runs."""
        return sorted(json.loads(run.hparams.read_text())["n"] for run in self.runs())

    def run(self, number: int) -> RunDir:
        """Return the run with a number."""
        [run] = [run for run in self.runs() if json.loads(run.hparams.read_text())["n"] == number]
        return run

    def states(self) -> list[str]:
        """Return the states of the runs, by their numbers."""
        return [state_of(self.run(number)) for number in self.numbers()]

    def told(self, event: str) -> list[int]:
        """Return the numbers of the runs that the journal has as ``begin`` or ``end``."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return sorted(int(line.split()[1]) for line in lines if line.startswith(event))


def state_of(run: RunDir) -> str:
    return state(read_attempts(run, time.time, lambda line: None)).name


def events(run: RunDir, attempt: int = 1) -> list[dict]:
    file = run.events(attempt)
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def names(run: RunDir, attempt: int = 1) -> list[str]:
    return [event["event"] for event in events(run, attempt)]


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def given_elsewhere(run, order, attempt):
    """Write an order as another machine does."""
    run.orders.mkdir(exist_ok=True)
    number = len(list(run.orders.iterdir()))
    content = {"version": 1, "order": order, "attempt": attempt, "by": {"host": "elsewhere"}}
    (run.orders / f"{number}.json").write_text(json.dumps(content))
