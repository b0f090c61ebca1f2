"""A file of another tool, imported and planned: the words that its script would be given."""

import contextlib
import io
import os
import shlex
import subprocess
from pathlib import Path

import runx
from runx.rundir.argv import shell_command
from runx.rundir.logdir import Logdir
from runx.runx import runx as group


def imported(folder, name, text):
    """Return what a file becomes; the experiment lies beside it as sweep.yml."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    found = runx.convert(file)
    (folder / "sweep.yml").write_text(found.experiment)
    if found.runx_file:
        (folder / ".runx").write_text(found.runx_file)
    return found


def planned(folder):
    """Return the command of each run, a line for each."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            group.main(["launch", "sweep.yml", "-n", "-i"], standalone_mode=False)
    finally:
        os.chdir(before)
    return printed.getvalue()


def argvs(folder, name, text):
    """Import a file, plan what it became, and return the words of each run."""
    imported(folder, name, text)
    return [shlex.split(line) for line in planned(folder).splitlines()]


PYTHON = """#!/bin/bash
for word in "$0" "$@"; do printf "%s\\0" "$word"; done >> "$SEEN"
echo >> "$SEEN"
"""
"""A program that notes the words it is given."""


def noted(folder, commands, **variables):
    """Execute commands by bash where programs only note their words; return these, sorted."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("python", "python3", "torchrun", "Rscript"):
        (programs / name).write_text(PYTHON)
        (programs / name).chmod(0o755)
    seen = folder / "seen"
    seen.write_text("")
    path = f"{programs}:{os.environ['PATH']}"
    for command in commands:
        environment = {**os.environ, "PATH": path, "SEEN": str(seen), **variables}
        subprocess.run(["bash", "-c", command], cwd=folder, env=environment, check=False)
    lines = [line.split("\0")[:-1] for line in seen.read_text().split("\n") if line]
    return sorted([Path(words[0]).name, *words[1:]] for words in lines)


def commands(folder):
    """Return the command of each run that was imported, with its SETUP before it."""
    experiment = runx.load(folder / "sweep.yml", LOGROOT=str(folder / "runs")).here()
    settings = experiment.settings
    logdir = Logdir.at("/runs/x")
    return [
        "\n".join(
            [settings.shell.setup, shell_command(settings.cmd, run.point, logdir, settings.style)]
        )
        for run in experiment.plan()
    ]
