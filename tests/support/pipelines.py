"""A project with a sweep of four steps, in which launchers and steps are killed in the middle."""

import itertools
import os
from pathlib import Path

from sweeps import Sweep, state_of

from runx.rundir.paths import RunDir

FAULTY = Path(__file__).parent / "faulty"
YAML = """\
STEPS:
  tokens: {CMD: "bash step.sh tokens {dataset}", PER: dataset}
  train: {CMD: "bash step.sh train {dataset}{n}", AFTER: tokens}
  eval: {CMD: "bash step.sh eval {dataset}{n}", AFTER: train}
  gather: {CMD: "bash step.sh gather all {eval.dirs}", AFTER: eval, PER: sweep}
HPARAMS: {dataset: [a, b], n: [0, 1]}
"""
SCRIPT = """\
echo "begin $1 $2" >> "$JOURNAL"
sleep 0.$((RANDOM % 3))
for fault in "$FAULTS/$1.$2".*; do
  [ -e "$fault" ] || continue
  rm "$fault"
  case $fault in *.kill) kill -9 $$ ;; *.exit) exit 3 ;; esac
done
echo "end $1 $2" >> "$JOURNAL"
"""
RUNS = [f"{dataset}{n}" for dataset, n in itertools.product("ab", (0, 1))]
STEPS = {
    **{("tokens", dataset): [] for dataset in "ab"},
    **{("train", run): [("tokens", run[0])] for run in RUNS},
    **{("eval", run): [("train", run)] for run in RUNS},
    ("gather", "all"): [("eval", run) for run in RUNS],
}
"""Each step of the sweep, and those that it is after."""


class Pipeline(Sweep):
    """A folder with sweep.yml of four steps; each begin and end is a line of the journal."""

    def __init__(self, path: Path, environment: dict[str, str], yaml: str = YAML):
        super().__init__(path, environment)
        self.faults = path.parent / "faults"
        self.faults.mkdir()
        self.environment["FAULTS"] = str(self.faults)
        self.write("sweep.yml", yaml)
        self.write("step.sh", SCRIPT)

    def fails(self, step: str, key: str, how: str = "exit", times: int = 1) -> None:
        """Have a step fail the next time, or times, that it is executed."""
        for number in range(times):
            (self.faults / f"{step}.{key}.{number}.{how}").touch()

    def faulty(self, step: int) -> dict[str, str]:
        """Return an environment in which runx is killed at this step, or counts its steps: 0."""
        path = os.pathsep.join([str(FAULTY), self.environment["PYTHONPATH"]])
        return {"PYTHONPATH": path, "FAULT_AT": str(step), "FAULT_ROOT": str(self.root)}

    def runs(self) -> list[RunDir]:
        """Return the directories of the runs."""
        return [run for run in super().runs() if run.path.name != "steps"]

    def steps(self) -> list[RunDir]:
        """Return the directories of all steps, of runs and shared ones."""
        root = self.root / "sweep"
        return [RunDir(path) for path in sorted(root.glob("**/steps/*")) if path.is_dir()]

    def lines(self) -> list[tuple[str, str, str]]:
        """Return the lines of the journal: begin or end, the step, and for what."""
        text = self.journal.read_text() if self.journal.exists() else ""
        return [tuple(line.split()) for line in text.splitlines()]

    def check_order(self) -> None:
        """Raise unless no step began before those that it is after were done."""
        ended = set()
        for event, *step in self.lines():
            if event == "end":
                ended.add(tuple(step))
            else:
                assert ended.issuperset(STEPS[tuple(step)]), f"{step} began too early"

    def check_done_once(self) -> None:
        """Raise unless each step was done, once, and all states say so."""
        self.check_order()
        ends = [tuple(step) for event, *step in self.lines() if event == "end"]
        assert sorted(ends) == sorted(STEPS), "a step was done twice, or never"
        assert len(self.runs()) == len(RUNS)
        assert len(self.steps()) == len(STEPS)
        assert {state_of(step) for step in self.steps()} == {"done"}
        assert not any(path.is_dir() for path in (self.root / "sweep/.runx/making").iterdir())

    def clean(self) -> None:
        """Kill the launchers, and the steps that outlived them."""
        self.runs = self.steps
        super().clean()
