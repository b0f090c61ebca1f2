"""A file of another tool, imported and planned: the words that its script would be given."""

import contextlib
import io
import os
import shlex
from pathlib import Path

import runx
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
