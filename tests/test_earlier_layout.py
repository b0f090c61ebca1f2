"""A LOGROOT that an earlier runx wrote: today's commands print of it what that one printed.

``fixtures/logroot-0.tar.gz`` was written by the last commit before the rooms of runx were laid out
anew; ``fixtures/logroot-0.json`` has what that commit's commands printed of it, but for the run
smooth-goat: commands that queried no scheduler then took it for queued, and its job is lost; and
but for the reasons why jobs wait, how long runs took, and GPU-hours, which weren't shown.
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
SINGLE = "farm_spiffy-manatee_2026.11.28_13.45"
SCHEDULER = {
    "squeue": f"echo '41|2|PENDING|Resources|{ARRAY}'; echo '44|N/A|PENDING|Priority|{SINGLE}'",
    "sacct": "exit 1",
}
COMMANDS = (
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
    """The folder of that LOGROOT, and an environment whose Slurm has two of its jobs."""
    subprocess.run(["tar", "-xzf", FIXTURES / "logroot-0.tar.gz", "-C", tmp_path], check=True)
    for name, text in SCHEDULER.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path}/bin:{installed['PATH']}"
    return tmp_path, {**installed, "PATH": path, "TZ": "UTC", "COLUMNS": "200"}


def printed(command, folder, environment):
    """Return the status and the lines of a command, warnings included, without what varies."""
    done = subprocess.run(
        [*command.split(), "--logroot", str(folder / "logs")],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    output = [line for text in (done.stdout, done.stderr) for line in text.splitlines()]
    lines = [line.replace(str(folder), "FOLDER") for line in output]
    # The sizes of directories are the file system's, and how long ago it was is today's.
    varying = r"\b\d+\.\d$" if command.startswith("runx rm") else r"just now|\d+ [a-z]+ ago"
    lines = [re.sub(varying, "N", line).rstrip() for line in lines]
    return {"status": done.returncode, "lines": lines}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_print_of_an_earlier_logroot_what_they_printed_then(earlier, command):
    expected = json.loads((FIXTURES / "logroot-0.json").read_text())
    assert printed(command, *earlier) == expected[command]


def test_every_command_prints_the_same_state_of_a_run(earlier):
    folder, environment = earlier
    commands = ("sumx --format json", "runx status --json", "runx show --json")
    listed = [json_of(f"{command} local farm", *earlier) for command in commands]
    states = [{run["name"]: run["state"] for run in runs} for runs in listed]
    code = "import runx; print({run.name: run.state for run in runx.results('local', 'farm')})"
    environment = {**environment, "RUNX_LOGROOT": str(folder / "logs")}
    done = subprocess.run(
        ["python", "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert len(states[0]) == 15
    assert [*states, ast.literal_eval(done.stdout)] == [states[0]] * 4
    counted = Counter(states[0].values())
    overview = json_of("runx status --json", *earlier)
    assert counted == sum([Counter(each["states"]) for each in overview], Counter())


def json_of(command, folder, environment):
    """Return the JSON that a command prints."""
    done = subprocess.run(
        [*command.split(), "--logroot", str(folder / "logs")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)
