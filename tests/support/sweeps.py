"""A project with one sweep, and runx called in it as a person calls it, to be killed at will."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from runx.rundir.attempts import read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.state import state

JOURNAL = 'echo "begin $2 $$" >> "$JOURNAL"; {body}; echo "end $2 $$" >> "$JOURNAL"\n'
"""What a run does: it tells a journal that all runs share when it begins and when it ends."""


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return found


class Sweep:
    """A folder with sweep.yml, whose runs are numbered: --n 0, --n 1, ..."""

    def __init__(self, path: Path, environment: dict[str, str], count: int = 3, body: str = ":"):
        self.path = path
        self.root = path / "runs"
        self.journal = path.parent / "journal"
        self.leases = path.parent / "leases"
        path.mkdir(exist_ok=True)
        told = {"JOURNAL": str(self.journal), "RUNX_LEASES": str(self.leases)}
        self.environment = {**environment, **told}
        self.processes = []
        self.trains(body)
        self.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(count))}}}\n")

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def trains(self, body: str) -> None:
        """Say what a run does: shell text in which $2 is its number."""
        self.write("train.sh", JOURNAL.format(body=body))

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Start runx, in a session of its own and with its output in a file.

        ``ignored``: with the signals ignored that a shell ignores for what is in its background.
        ``host``: on a host that is called so.
        """
        output = (self.path.parent / f"output.{len(self.processes)}").open("w+")
        environment = {**self.environment, **options.pop("environment", {})}
        deaf = ["bash", "-c", "trap '' INT QUIT; exec \"$@\"", "-"]
        before = deaf if options.pop("ignored", False) else []
        if host := options.pop("host", None):
            before = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', host]
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
        process.said = output
        self.processes.append(process)
        return process

    def ended(self, process: subprocess.Popen, seconds: float = 120) -> str:
        """Wait for the end of what was started; give what it said."""
        process.wait(seconds)
        return self.said(process)

    @staticmethod
    def said(process: subprocess.Popen) -> str:
        """What a process that was started has said so far."""
        return Path(process.said.name).read_text()

    def runx(self, *words: str, status: int | None = 0, **environment: str) -> str:
        """Call runx to its end; give what it said."""
        process = self.start(*words, environment=environment)
        said = self.ended(process)
        assert status is None or process.returncode == status, (process.returncode, said)
        return said

    def command(self, *words: str, status: int = 0) -> str:
        """Call another command of runx, as status."""
        done = subprocess.run(
            ["runx", *words],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, (done.returncode, said)
        return said

    def clean(self) -> None:
        """Leave nothing running behind: neither launchers nor runs that they left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.said.close()
        for run in self.runs():
            for number in (1, 2, 3):
                for event in events(run, number):
                    if "group" in event and state_of(run) == "running":
                        os.killpg(event["group"], signal.SIGKILL)

    def runs(self) -> list[RunDir]:
        folder = self.root / "sweep"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [RunDir(path) for path in found if path.name[0] != "."]

    def numbers(self) -> list[int]:
        """The numbers of the runs that there are."""
        return sorted(json.loads(run.hparams.read_text())["n"] for run in self.runs())

    def run(self, number: int) -> RunDir:
        """The run of a number."""
        [found] = [run for run in self.runs() if json.loads(run.hparams.read_text())["n"] == number]
        return found

    def states(self) -> list[str]:
        """How the runs stand, by their numbers."""
        return [state_of(self.run(number)) for number in self.numbers()]

    def told(self, word: str) -> list[int]:
        """The numbers that the journal has for begin or end."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return sorted(int(line.split()[1]) for line in lines if line.startswith(word))


def state_of(run: RunDir) -> str:
    return state(read_attempts(run, time.time, lambda line: None)).name


def events(run: RunDir, attempt: int = 1) -> list[dict]:
    file = run.events(attempt)
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def names(run: RunDir, attempt: int = 1) -> list[str]:
    return [event["event"] for event in events(run, attempt)]


def dead_pid() -> int:
    """The number of a process that is gone."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def given_elsewhere(run, order, attempt):
    """Give an order as somebody on another machine does."""
    run.orders.mkdir(exist_ok=True)
    number = len(list(run.orders.iterdir()))
    said = {"version": 1, "order": order, "attempt": attempt, "by": {"host": "elsewhere"}}
    (run.orders / f"{number}.json").write_text(json.dumps(said))
