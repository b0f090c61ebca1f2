"""A file of another tool, imported and planned: the words that its script would be given."""

import shlex
import subprocess
import sys

import runx


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
    """Return the command of each run as words, without the name of its directory."""
    done = subprocess.run(
        [sys.executable, "-m", "runx.runx", "sweep.yml", "-n", "-i"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def argvs(folder, name, text):
    """Import a file, plan what it became, and return the words of each run."""
    imported(folder, name, text)
    return [shlex.split(line) for line in planned(folder).splitlines()]
