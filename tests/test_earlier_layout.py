"""A LOGROOT that an earlier runx wrote is read for ever, and tells the same of every run.

``fixtures/logroot-0.tar.gz`` was written by the last commit before the rooms of runx were laid out
anew; ``fixtures/logroot-0.json`` has what that commit's commands printed of it, but for the run
called smooth-goat: commands that asked no scheduler then took it for queued, and its job is lost.
In ``local`` are runs that are done, failed, killed, timed out, cancelled or resumed, one with torn
rows and one with a torn run.json; in ``farm`` runs of Slurm, some in an array: done, failed,
refused, queued, and one whose job's id was never kept.
"""

import ast
import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
ARRAY = "farm_2026-11-28T13.45.39Z-1d22ff.0"
COMMANDS = {
    "squeue": f"echo '41|2|PENDING|Resources|{ARRAY}'; echo '44|N/A|PENDING|Priority|s'",
    "sacct": "exit 1",
}
QUESTIONS = (
    "sumx local",
    "sumx local farm --format json",
    "sumx farm --where resources.gpus==1 --columns launch --columns host --columns attempt",
    "runx status",
    "runx status --json",
    "runx status local farm --json",
    "runx status farm",
    "runx status local --failures",
    "runx show local farm --json",
    "runx show prodigious excellent",
    "runx logs enlightened",
    "runx rm local farm",
    "runx cancel local",
)


@pytest.fixture
def earlier(tmp_path, installed):
    """A LOGROOT of then, with a Slurm that knows two of its jobs."""
    subprocess.run(["tar", "-xzf", FIXTURES / "logroot-0.tar.gz", "-C", tmp_path], check=True)
    for name, text in COMMANDS.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path}/bin:{installed['PATH']}"
    return tmp_path, {**installed, "PATH": path, "TZ": "UTC", "COLUMNS": "200"}


def answer(question, folder, environment):
    """Return what a command prints, with its warnings, wherever the LOGROOT lies."""
    done = subprocess.run(
        [*question.split(), "--logroot", str(folder / "logs")],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    printed = [line for text in (done.stdout, done.stderr) for line in text.splitlines()]
    lines = [line.replace(str(folder), "FOLDER") for line in printed]
    # The sizes of directories are the file system's, and how long ago it was is today's.
    passing = r"\b\d+\.\d$" if question.startswith("runx rm") else r"just now|\d+ [a-z]+ ago"
    lines = [re.sub(passing, "N", line).rstrip() for line in lines]
    return {"status": done.returncode, "lines": lines}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_logroot_of_an_earlier_runx_tells_what_it_told_then(earlier, question):
    then = json.loads((FIXTURES / "logroot-0.json").read_text())
    assert answer(question, *earlier) == then[question]


def test_every_command_tells_the_same_state_of_a_run(earlier):
    folder, environment = earlier
    words = ("sumx --format json", "runx status --json", "runx show --json")
    listed = [asked(f"{command} local farm", *earlier) for command in words]
    states = [{run["run"]: run["state"] for run in runs} for runs in listed]
    code = "import runx; print({run.name: run.state for run in runx.results('local', 'farm')})"
    environment = {**environment, "RUNX_LOGROOT": str(folder / "logs")}
    done = subprocess.run(
        ["python", "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert len(states[0]) == 15
    assert [*states, ast.literal_eval(done.stdout)] == [states[0]] * 4
    counted = Counter(states[0].values())
    overview = asked("runx status --json", *earlier)
    assert counted == sum([Counter(each["states"]) for each in overview], Counter())


def asked(question, folder, environment):
    """Return the JSON that a command prints."""
    done = subprocess.run(
        [*question.split(), "--logroot", str(folder / "logs")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)
