"""One sweep under faults that a seed draws, here or on a stand-in farm, and what must hold."""

import contextlib
import fcntl
import json
import os
import random
import shlex
import subprocess
import time
from pathlib import Path

from disks import KINDS, small_disk
from fault_kinds import ANYWHERE, FARM, HERE, unharmed
from pools import Pool
from sweeps import Sweep

LIVE = {"planned", "queued", "running", "preempted"}
# The lock is that of a run: two executions at a time can't both have it. What it starts has it not.
SCRIPT = """\
exec 9>>{folder}/lock.$2
flock -n 9 || echo "overlap $2 $RUNX_ATTEMPT" >>{folder}/journal
echo "begin $2 $RUNX_ATTEMPT $$" >>{folder}/journal
naps=({naps})
sleep ${{naps[$2 % 7]}} 9>&-
echo "end $2 $RUNX_ATTEMPT $$" >>{folder}/journal
"""


class Case:
    """A sweep, its place, and the faults it goes through; ``log`` says what was done."""

    def __init__(self, seed: str, folder: Path, installed: dict[str, str], faults: int) -> None:
        self.draw, self.log, self.hits = random.Random(seed), [], 0
        self.folder, self.pool, self.disk = folder, None, None
        self.place = self.draw.choice(["here", "here", "pbs", "condor"])
        self.count, self.farm_keys = 0, ""
        self.sweep = Sweep(folder / "project", installed)
        naps = " ".join(self.draw.choices(["0", "0.1", "0.4", "0.9"], k=7))
        self.sweep.write("train.sh", SCRIPT.format(folder=shlex.quote(str(folder)), naps=naps))
        self.words = ["-i", "-j", str(self.draw.randint(1, 3))]
        if self.place != "here":
            self.goes_to_farm()
        every = [*ANYWHERE, *(HERE if self.place == "here" else FARM)]
        self.faults = self.draw.choices(every, k=faults)

    def goes_to_farm(self) -> None:
        self.words = []
        self.pool = Pool(self.folder, self.place)
        path = f"{self.pool.commands}:{self.sweep.environment['PATH']}"
        self.sweep.environment |= {"PATH": path, "STANDIN": str(self.pool.home), "RUNX_BEAT": "1"}
        if self.draw.random() < 0.2 and self.place == "pbs":
            (self.pool.home / "history-off").touch()
        parallel = self.draw.choice(["", "MAX_PARALLEL: 1\n", "MAX_PARALLEL: 2\n"])
        # The stand-in has no DAGMan, which opens jobs in their turn where they are no array.
        single = ["true"] if parallel and self.place == "condor" else ["true", "false"]
        array = self.draw.choice(single)
        self.farm_keys = f"ARRAY: {array}\n{parallel}"

    def grows(self) -> None:
        """Give the sweep further runs, so that there is something to do."""
        self.count += self.draw.randint(1, 4)
        hparams = f"HPARAMS: {{n: {list(range(self.count))}}}\n"
        self.sweep.write("sweep.yml", f"CMD: bash train.sh\n{hparams}{self.farm_keys}")

    @contextlib.contextmanager
    def prepared(self):
        """Give the sweep a disk of its own, where one can be mounted."""
        farm = f"FARM: {self.place}\n" if self.pool else ""
        with contextlib.ExitStack() as stack:
            root = self.sweep.root
            if os.geteuid() == 0:
                kind = self.draw.choice(KINDS)
                self.disk = stack.enter_context(small_disk(self.folder / "disk", kind, 4096))
                root = self.disk / "runs"
            self.sweep.root = root
            self.sweep.write(".runx", f"LOGROOT: {root}\n{farm}")
            try:
                yield self
            finally:
                self.clean()

    def clean(self) -> None:
        if self.pool:
            self.pool.clean()
        with contextlib.suppress(ProcessLookupError):
            self.sweep.clean()

    def play(self) -> None:
        """Go through the faults, free everything, and resume until all runs are done."""
        for number, fault in enumerate(self.faults):
            self.log.append(f"{number}: {fault.__name__}")
            self.grows()
            fault(self)
            self.frees()
            self.check()
        self.log.append("settle")
        self.settle()
        self.check_end()

    def note(self, text: object) -> None:
        self.log[-1] += f" {text}"

    def launch(self, *words: str, **environment: str) -> subprocess.Popen:
        return self.sweep.start(*self.words, "--resume", *words, environment=environment)

    def waits(self, most: float = 1.2) -> None:
        seconds = self.draw.random() * most
        self.note(f"after {seconds:.2f} s")
        time.sleep(seconds)

    def waits_for_a_script(self) -> None:
        """Wait until the script of a run is being executed, and a moment longer."""
        deadline = time.monotonic() + 4
        while not any(map(self.holds, range(self.count))) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.waits(0.4)

    def ends(self, *launchers: subprocess.Popen) -> None:
        for launcher in launchers:
            output = self.sweep.ended(launcher, 90)
            self.note(f"-> {launcher.returncode}")
            unharmed(output)

    def says(self, *words: str, before: tuple[str, ...] = (), **environment: str) -> str:
        """Run a command of runx, and return what it prints on stdout."""
        done = subprocess.run(
            [*before, "runx", *words],
            cwd=self.sweep.path,
            env={**self.sweep.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )
        unharmed(done.stdout + done.stderr)
        return done.stdout

    def frees(self) -> None:
        if self.pool:
            self.pool.works()
        if self.disk:
            for file in self.disk.glob("fill.*"):
                file.unlink()

    def told(self, word: str) -> list[int]:
        file = self.folder / "journal"
        lines = file.read_text().splitlines() if file.exists() else []
        return sorted(int(line.split()[1]) for line in lines if line.startswith(f"{word} "))

    def holds(self, number: int) -> bool:
        """Return whether the script of a run is being executed."""
        with (self.folder / f"lock.{number}").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def states(self) -> dict[int, str]:
        if not (self.sweep.root / "sweep").is_dir():
            return {}
        runs = json.loads(self.says("status", "sweep", "--json") or "[]")
        numbers = [run["hparams"]["n"] for run in runs]
        assert len(set(numbers)) == len(numbers), f"a combination is there twice: {runs}"
        return {run["hparams"]["n"]: run["state"] for run in runs}

    def check(self) -> None:
        """Assert that what status says is true."""
        assert not self.told("overlap"), "a run was executed twice at the same time"
        before = [number for number in range(self.count) if self.holds(number)]
        states, ended = self.states(), self.told("end")
        held = [number for number in before if self.holds(number)]
        for number, state in states.items():
            assert state != "done" or number in self.told("end"), f"{number} is done without end"
            assert state in LIVE or number not in held, f"{number} is {state}, but runs"
            assert state != "unknown", f"{number} is unknown"
        if self.hits == 0:
            assert ended == sorted(set(ended)), f"executed twice: {ended}"

    def settle(self) -> None:
        for turn in range(25):
            self.ends(self.launch())
            states = self.states()
            if states == dict.fromkeys(range(self.count), "done"):
                return
            time.sleep(0.3 if self.pool else 0)
            # Of a job that was submitted twice the one that ends well may not be the one that died.
            if self.pool and (turn > 5 or (self.pool.home / "history-off").exists()):
                self.lets_time_pass()
        raise AssertionError(f"not settled: {states}")

    def lets_time_pass(self) -> None:
        """Make files old where nothing runs and no server says that a job has failed."""
        if not any(map(self.holds, range(self.count))):
            for run in self.sweep.runs():
                for ending in ("beat", "events.jsonl", "job.json"):
                    for file in run.attempts.glob(f"*.{ending}"):
                        os.utime(file, (time.time() - 1000,) * 2)

    def check_end(self) -> None:
        self.check()
        ended = self.told("end")
        extra = len(ended) - self.count
        assert set(ended) == set(range(self.count)), "a run is lost"
        assert extra <= self.hits, f"executed twice: {ended}"
        begun = self.told("begin")
        unharmed(out := self.sweep.ended(self.launch()))
        assert "starting 0" in out or "nothing" in out, out
        assert begun == self.told("begin")
