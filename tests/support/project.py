"""A folder with a training script and a sweep, in which runx is called as on a command line."""

import json
import subprocess
from pathlib import Path

TRAIN = """
import json, os, sys
print("argv", json.dumps(sys.argv[1:]))
if "--fail" in sys.argv:
    sys.exit(3)
"""


class Project:
    """A folder with a training script and a sweep."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path, self.environment = path, environment
        self.write("train.py", TRAIN)
        self.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2], opt: [a, b]}\n")

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def runx(self, *words: str, status: int = 0, cwd: str = ".", **environment: str):
        done = subprocess.run(
            ["runx", *words],
            cwd=self.path / cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    def sumx(self, *words: str) -> str:
        done = subprocess.run(
            ["sumx", *words],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def runs(self, experiment: str = "runs/sweep") -> list[Path]:
        folder = self.path / experiment
        runs = [run for run in folder.iterdir() if not run.name.startswith(".")]
        return sorted(runs, key=lambda run: json.loads((run / "run.json").read_text())["created"])

    def argvs(self, experiment: str = "runs/sweep") -> list[list[str]]:
        outputs = [(run / "output.log").read_text() for run in self.runs(experiment)]
        return [json.loads(output.partition("argv ")[2].splitlines()[0]) for output in outputs]
