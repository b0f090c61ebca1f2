"""The pool of a stand-in scheduler: full and free, its commands failing, its jobs killed."""

import contextlib
import fcntl
import json
import os
import shlex
import signal
import time
from pathlib import Path

from sites import installed_commands

COMMANDS = {
    "pbs": ("qsub", "qstat", "qdel", "qhold", "qrls"),
    "condor": tuple(
        f"condor_{name}" for name in ("submit", "q", "history", "rm", "hold", "release", "qedit")
    ),
}
SUBMIT = {"pbs": "qsub", "condor": "condor_submit"}
QUERY = {"pbs": "qstat", "condor": "condor_q"}
SUBMIT_FAULTS = (
    "lost",
    "mute",
    "killed",
    "refused",
    "down",
    "late",
    "hangs",
    "twice",
    "gives-up",
)

# A fault is what the file of faults holds; one call takes it away. What is submitted twice goes in
# as two jobs of one name, as where a site's wrapper tries again.
UNRELIABLE = """\
#!/bin/bash
fault=none
mv {fault} {fault}.$$ 2>/dev/null && read -r fault <{fault}.$$
file=/dev/null
case " $* " in *" - "*) file={fault}.in.$$; cat >"$file" ;; esac
case $fault in
  lost) {real} "$@" <"$file" >/dev/null; echo "Socket timed out" >&2; exit 1 ;;
  mute) {real} "$@" <"$file" >/dev/null; exit 0 ;;
  killed) {real} "$@" <"$file" >/dev/null; kill -9 $$ ;;
  refused) echo "no such queue" >&2; exit 1 ;;
  down) echo "can't contact the server" >&2; exit 1 ;;
  late) sleep 3 ;;
  hangs) {real} "$@" <"$file" >/dev/null; sleep 4; exit 1 ;;
  twice) {real} "$@" <"$file" >/dev/null ;;
  gives-up) {real} "$@" <"$file" >/dev/null; {real} "$@" <"$file" >/dev/null; exit 1 ;;
esac
exec {real} "$@" <"$file"
"""


class Pool:
    """The jobs of a stand-in, on the commands of its ``farm``, in a folder."""

    def __init__(self, folder: Path, farm: str) -> None:
        self.home, self.farm = folder / "jobs", farm
        self.home.mkdir()
        self.commands = installed_commands(folder / "bin", COMMANDS[farm], farm)
        for name in (SUBMIT[farm], QUERY[farm]):
            real = (self.commands / name).rename(self.commands / f"real-{name}")
            fault = shlex.quote(str(self.home / f"{name}.fault"))
            text = UNRELIABLE.format(fault=fault, real=shlex.quote(str(real)))
            (self.commands / name).write_text(text)
            (self.commands / name).chmod(0o755)

    def fails(self, command: str, fault: str) -> None:
        """Let the next call of a command fail."""
        (self.home / f"{command}.fault").write_text(f"{fault}\n")

    def works(self) -> None:
        """Let no further call fail, and jobs start."""
        for file in (*self.home.glob("*.fault"), self.closed):
            file.unlink(missing_ok=True)

    @property
    def closed(self) -> Path:
        """The file that keeps jobs from starting while it is there."""
        return self.home / {"pbs": "closed", "condor": "full"}[self.farm]

    @contextlib.contextmanager
    def jobs(self):
        """The jobs as the stand-in keeps them; what is changed is written."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = self.home / "jobs.json"
            jobs = json.loads(file.read_text()) if file.exists() else {}
            yield jobs
            file.write_text(json.dumps(jobs))

    def running(self, jobs) -> list[tuple[str, str]]:
        """Return the (job, task) that run."""
        return [
            (number, index)
            for number, job in jobs.items()
            for index, task in job["tasks"].items()
            if "pid" in task and not task.get("cancelled") and not self.status(number, index)
        ]

    def status(self, number: str, index: str) -> str:
        file = self.home / f"{number}.{index}.status"
        return file.read_text() if file.exists() else ""

    def kill_one(self, draw, requeue: bool) -> str:
        """Kill a job as its node does by failing, and return which; it may be queued again."""
        with self.jobs() as jobs:
            running = self.running(jobs)
            if not running:
                return ""
            number, index = draw.choice(running)
            task = jobs[number]["tasks"][index]
            end_session(task["pid"])
            if self.status(number, index):
                return ""
            if requeue:
                del task["pid"]
            else:
                (self.home / f"{number}.{index}.status").write_text("137\n")
            return f"{number}.{index}"

    def clean(self) -> None:
        """End what runs."""
        self.closed.touch()
        with self.jobs() as jobs:
            for number, index in self.running(jobs):
                end_session(jobs[number]["tasks"][index]["pid"])


def end_session(session: int) -> None:
    """Kill the processes of a session, and wait until they have ended."""
    while members := list(of_session(session)):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def of_session(session: int):
    """Yield the processes of a session that have not ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[3] == str(session) and fields[0] != "Z":
                yield int(folder.name)
