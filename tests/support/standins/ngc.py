"""A stand-in for ngc: a workspace is a folder, a job runs where that is mounted.

What is uploaded lies where jobs write; a mount is a link to the workspace.
"""

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
SPACES = Path(os.environ["STANDIN"]) / "workspaces"


def flags_of(words, known):
    """Return flags and the one word after them; refuse what the command doesn't have."""
    rest = words[len(words) // 2 * 2 :]
    flags = dict(zip(words[::2], words[1::2], strict=False))
    if set(flags) - known or len(rest) != 1:
        refuse(f"unrecognized arguments: {words}")
    return flags, rest[0]


def space(name):
    if not re.fullmatch(r"[\w.-]{1,64}", name):
        refuse(f"invalid workspace {name}")
    return SPACES / name


def copy(source, target):
    # What a run's code is made of may not be written, but may be uploaded again.
    Path(target).unlink(missing_ok=True)
    shutil.copy2(source, target)


def upload(words):
    flags, name = flags_of(words, {"--source", "--destination"})
    source = Path(flags["--source"])
    if not source.is_dir():
        refuse(f"{source} is no directory", 1)
    attempts = [path for path in (source / "attempts").iterdir() if path.is_symlink()]
    if attempts or (source / "metrics.csv").is_symlink():
        refuse(f"{source} leads back to the workspace", 1)
    target = space(name) / flags["--destination"]
    shutil.copytree(source, target, dirs_exist_ok=True, copy_function=copy)
    print(f"Uploaded to {name}")


def mount(words):
    name, place, *flags = words
    if flags not in ([], ["--mode", "RO"], ["--mode", "RW"]):
        refuse(f"unrecognized arguments: {flags}")
    space(name).mkdir(parents=True, exist_ok=True)
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).symlink_to(space(name))


def run(words):
    if len(words) % 2:
        refuse(f"unrecognized arguments: {words}")
    flags = dict(zip(words[::2], words[1::2], strict=False))
    if set(flags) - BATCH:
        refuse(f"unrecognized arguments: {sorted(set(flags) - BATCH)}")
    if missing := {"--name", "--image", "--instance", "--commandline"} - set(flags):
        refuse(f"the following arguments are required: {sorted(missing)}")
    if not re.fullmatch(r"[\w.-]+:/[^:]+:(RW|RO)", flags["--workspace"]):
        refuse(f"argument --workspace: invalid {flags['--workspace']}")
    name, mounted, _ = flags["--workspace"].split(":")
    line = flags["--commandline"].replace(mounted, str(space(name)))
    with Jobs() as jobs:
        number = jobs.add(flags["--name"], {0: (["bash", "-c", line], {})}, False)
    print(json.dumps({"id": int(number), "jobStatus": {"status": "CREATED"}}))


def listed(words):
    flags, _ = flags_of(
        [*words, "all"], {"--org", "--team", "--ace", "--duration", "--format_type"}
    )
    if (flags["--duration"], flags["--format_type"]) != ("30D", "json"):
        refuse(f"unrecognized arguments: {words}")
    names = {"running": "RUNNING", "cancelled": "KILLED_BY_USER", 0: "FINISHED_SUCCESS"}
    with Jobs() as jobs:
        listing = [
            {
                "id": int(number),
                "jobDefinition": {"name": job["name"]},
                "jobStatus": {"status": names.get(state, "FAILED")},
            }
            for number, _, job, state in jobs.listed()
        ]
    print(json.dumps(listing))


def kill(words):
    _, number = flags_of(words, {"--org", "--team"})
    if not number.isdecimal():
        refuse(f"unrecognized arguments: {words}")
    with Jobs() as jobs:
        if number not in jobs.all:
            refuse(f"Job {number} not found", 1)
        jobs.cancel(number, "0")


words = sys.argv[2:]
key = " ".join(words[:2])
actions = {
    "workspace upload": upload,
    "workspace mount": mount,
    "batch run": run,
    "batch list": listed,
    "batch kill": kill,
}
if key not in actions:
    refuse(f"unknown {key}")
actions[key](words[2:])
