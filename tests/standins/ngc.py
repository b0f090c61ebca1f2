"""ngc in small: a workspace is a folder, a job runs where that is mounted."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

sys.argv.insert(1, "ngc")
from standin import Jobs, refuse  # noqa: E402

BATCH = {"--name", "--commandline", "--workspace", "--format_type", "--image", "--instance"}
BATCH |= {"--ace", "--org", "--team", "--result", "--total-runtime", "--preempt", "--gpu"}


def upload(words):
    if words[0] != "--source" or words[2] != "--destination" or len(words) != 5:
        refuse(f"unrecognized arguments: {words}")
    if not Path(words[1]).is_dir():
        refuse(f"{words[1]} is no directory", 1)
    target = Path(os.environ["STANDIN"]) / "mounted" / words[3]
    shutil.copytree(words[1], target, dirs_exist_ok=True)
    print(f"Uploaded to {words[4]}")


def run(words):
    flags = dict(zip(words[::2], words[1::2], strict=True))
    if set(flags) - BATCH:
        refuse(f"unrecognized arguments: {sorted(set(flags) - BATCH)}")
    if not re.fullmatch(r"[\w.-]+:/[^:]+:(RW|RO)", flags["--workspace"]):
        refuse(f"argument --workspace: invalid {flags['--workspace']}")
    mounted = flags["--workspace"].split(":")[1]
    line = flags["--commandline"].replace(mounted, f"{os.environ['STANDIN']}/mounted")
    with Jobs() as jobs:
        number = jobs.add(flags["--name"], {0: (["bash", "-c", line], {})}, False)
    print(json.dumps({"id": int(number), "jobStatus": {"status": "CREATED"}}))


def listed(words):
    if words != ["--duration", "30D", "--format_type", "json"]:
        refuse(f"unrecognized arguments: {words}")
    names = {"running": "RUNNING", "cancelled": "KILLED_BY_USER", 0: "FINISHED_SUCCESS"}
    with Jobs() as jobs:
        told = [
            {
                "id": int(number),
                "jobDefinition": {"name": job["name"]},
                "jobStatus": {"status": names.get(state, "FAILED")},
            }
            for number, _, job, state in jobs.listed()
        ]
    print(json.dumps(told))


def kill(words):
    with Jobs() as jobs:
        jobs.cancel(words[0], "0")


words = sys.argv[2:]
key = " ".join(words[:2])
actions = {
    "workspace upload": upload,
    "batch run": run,
    "batch list": listed,
    "batch kill": kill,
}
if key not in actions:
    refuse(f"unknown {key}")
actions[key](words[2:])
