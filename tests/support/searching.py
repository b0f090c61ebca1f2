"""A project with a search, whose launchers, bindings and runs are killed in the middle."""

import json
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

from sweeps import Sweep, events, state_of

from runx.rundir.paths import RunDir

YAML = """\
CMD: bash train.sh {{x}} {{opt}} {{seed}}
SEARCH: {{metric: loss, goal: minimize, trials: {trials}}}
HPARAMS:
  x: {{uniform: [0, 1]}}
  opt: {{choice: [sgd, adam]}}
  seed: {{repeat: 2}}
"""
SCRIPT = """\
echo "begin $RUNX_RUN $1 $2 $3" >> "$JOURNAL"
sleep 0.$((RANDOM % 4))
printf 'start,start/step,0,timestamp,0.0\\nval,loss,%s,epoch,1,timestamp,2.0\\n' \\
  "$1" > "$RUNX_LOGDIR/metrics.csv"
echo "end $RUNX_RUN $1 $2 $3" >> "$JOURNAL"
"""


class Searching(Sweep):
    """A folder with sweep.yml, a search of so many points with two seeds each."""

    def __init__(self, path: Path, environment: dict[str, str], trials: int, more: str = ""):
        super().__init__(path, environment)
        self.trials = trials
        self.write("sweep.yml", YAML.format(trials=trials) + more)
        self.write("train.sh", SCRIPT)

    @property
    def points(self) -> dict[int, dict]:
        """The points that are bound, by number, as they are written."""
        files = self.root.glob("sweep/.runx/search/*/points/*.json")
        bound = {int(file.stem): file for file in files if file.stem.isdecimal()}
        return {number: json.loads(file.read_text()) for number, file in sorted(bound.items())}

    def processes_of(self, *words: str) -> list[int]:
        """Return the processes of this project whose command lines have all of these words."""
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                text = (folder / "cmdline").read_bytes().decode(errors="replace")
                where = (folder / "environ").read_bytes().decode(errors="replace")
                if str(self.root) in text + where and all(word in text for word in words):
                    found.append(int(folder.name))
        return [pid for pid in found if pid != os.getpid()]

    def kill_one(self, kind: str, draw: random.Random) -> bool:
        """Kill one process of a kind; return whether there was any."""
        words = {"binding": ("runx.trials.main",), "run": ("run.sh",), "script": ("train.sh",)}
        if kind == "launcher":
            pids = [each.pid for each in self.processes if each.poll() is None]
        else:
            pids = self.processes_of(*words[kind])
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(draw.choice(sorted(pids)), signal.SIGKILL)
        return True

    def begun(self) -> dict[str, set[tuple[str, ...]]]:
        """Return the values with which each run was executed, by its name."""
        found: dict[str, set[tuple[str, ...]]] = {}
        text = self.journal.read_text() if self.journal.exists() else ""
        for line in text.splitlines():
            _, run, *values = line.split()
            found.setdefault(run, set()).add(tuple(values))
        return found

    def check_bound_once(self) -> None:
        """Raise unless each run had one point whenever it was executed, and was done once."""
        points, begun = self.points, self.begun()
        assert sorted(points) == list(range(1, self.trials + 1))
        assert len({json.dumps(each["values"]) for each in points.values()}) == self.trials
        assert len(self.runs()) == 2 * self.trials
        for run in self.runs():
            values = points[json.loads(run.record.read_text())["search"]["point"]]["values"]
            own = json.loads(run.hparams.read_text())
            assert {name: own[name] for name in values} == values
            told = {(float(x), opt, int(seed)) for x, opt, seed in begun[run.path.name]}
            assert told == {(own["x"], own["opt"], own["seed"])}, run
            assert self.ends(run) == [0], run
            assert state_of(run) == "done"

    @staticmethod
    def ends(run: RunDir) -> list[int]:
        """Return the exit statuses of the attempts that were done."""
        attempts = range(1, len(list(run.attempts.glob("*.claim"))) + 1)
        told = [each for number in attempts for each in events(run, number)]
        ended = [each["code"] for each in told if each["event"] == "ended"]
        return [code for code in ended if code == 0]
