"""Freeze a project once; for each run a tree of hard links, and `true` in it, two at once.

With `bash`, each is started by a shell that waits for it, as whatever outlives its launcher is.
"""

import os
import shutil
import subprocess
import sys

way, project, logs, runs, jobs = *sys.argv[1:4], int(sys.argv[4]), 2
command = ["bash", "-c", "set -m; { exec true; } & wait $!"] if way == "bash" else ["true"]
frozen = f"{logs}/frozen"
os.mkdir(logs)
shutil.copytree(project, frozen)
folders, files = [], []
for place, inner, names in os.walk(frozen):
    inside = place[len(frozen) :]
    folders += [f"{inside}/{name}" for name in inner]
    files += [f"{inside}/{name}" for name in names]

running = []
for number in range(runs):
    run = f"{logs}/run-{number}"
    os.mkdir(run)
    for folder in folders:
        os.mkdir(run + folder)
    for file in files:
        os.link(frozen + file, run + file)
    if len(running) == jobs:
        running.pop(0).wait()
    running.append(subprocess.Popen(command, cwd=run))
for process in running:
    process.wait()
