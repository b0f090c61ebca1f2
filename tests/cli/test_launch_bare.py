"""Runs whose farm is given the bare command: no run.sh is there, and logx tells how they end."""

import json
import sys

TRAIN = f"""#!{sys.executable}
import argparse, os, sys
from runx.logx import logx
parser = argparse.ArgumentParser()
parser.add_argument("--how")
parser.add_argument("--logdir")
given = parser.parse_args()
logx.initialize(given.logdir)
logx.metric("val", {{"acc": logx.run.attempt}}, 0)
if given.how == "error" and logx.run.attempt == 1:
    raise ValueError("no such data")
sys.exit(3 if given.how == "status" and logx.run.attempt == 1 else 0)
"""
SUBMIT = f"""#!{sys.executable}
import subprocess, sys
subprocess.run(["bash", "-c", sys.argv[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(41)
"""


def states(project, status=0):
    answer = json.loads(project.runx("status", "sweep", "--json", status=status).stdout)
    runs = answer["runs"] if isinstance(answer, dict) else answer
    return {run["hparams"]["how"]: (run["state"], run.get("reason", "")) for run in runs}


def test_status_knows_how_bare_commands_ended_and_resume_runs_those_that_failed(project):
    project.write("train.py", TRAIN, 0o755)
    project.write("submit", SUBMIT, 0o755)
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: './submit {{ command }}'}\n")
    train = project.path / "train.py"
    project.write(
        "sweep.yml", f"CMD: {train}\nHPARAMS: {{how: [well, error, status], logdir: LOGDIR}}\n"
    )
    project.runx("sweep.yml")
    assert states(project, status=1) == {
        "well": ("done", ""),
        "error": ("failed", "ValueError: no such data"),
        "status": ("failed", "exit status 3"),
    }
    project.runx("sweep.yml", "--resume")
    assert {name: state for name, (state, _) in states(project).items()} == {
        "well": "done",
        "error": "done",
        "status": "done",
    }
    attempts = {
        json.loads((run / "hparams.json").read_text())["how"]: run for run in project.runs()
    }
    assert not (attempts["well"] / "attempts" / "2.claim").exists()
    assert (attempts["error"] / "attempts" / "2.logx.jsonl").exists()
