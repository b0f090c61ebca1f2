"""What was asked at each launch: kept beside the runs, so that any of them can be explained."""

from __future__ import annotations

import getpass
import json
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from runx.config.experiment import Experiment
from runx.launching.plan import run_id
from runx.rundir.claims import whoami
from runx.rundir.files import to_json, write_whole
from runx.rundir.run import Run
from runx.staging.git import GitState
from runx.staging.store import Frozen


def record(
    experiment: Experiment,
    launch: str,
    runs: Iterable[Run],
    code: Frozen,
    git: GitState | None,
    diff: str,
    argv: Sequence[str],
) -> Path:
    """Keep the files, settings, plan, code and packages of a launch; give their folder."""
    folder = experiment.dir.launches / launch
    folder.mkdir(parents=True)
    for nth, source in enumerate(experiment.sources):
        shutil.copyfile(source, folder / (f"settings-{nth}.yml" if nth else "experiment.yml"))
    plan = (json.dumps({"name": run.name, "id": run_id(experiment, run)}) for run in runs)
    write_whole(folder / "plan.jsonl", "".join(line + "\n" for line in plan))
    if diff:
        write_whole(folder / "diff.patch", diff)
    write_whole(folder / "packages.txt", "".join(f"{line}\n" for line in packages()))
    write_whole(folder / "launch.json", to_json(_launch(experiment, launch, code, git, argv)))
    return folder


def _launch(
    experiment: Experiment, launch: str, code: Frozen, git: GitState | None, argv: Sequence[str]
) -> dict[str, object]:
    return {
        "launch": launch,
        "experiment": experiment.name,
        "title": experiment.title,
        "note": experiment.note,
        "created": time.time(),
        "user": getpass.getuser(),
        **whoami(),
        "python": sys.version.split()[0],
        "argv": list(argv),
        "cwd": str(Path.cwd()),
        "farm": experiment.farm.name if experiment.farm else None,
        "code": code.digest or None,
        "commit": code.commit or (git.commit if git else None),
        "git": None
        if git is None
        else {"commit": git.commit, "branch": git.branch, "dirty": git.dirty, "remote": git.remote},
        "settings": {
            name: {"value": setting.text, "from": setting.origin}
            for name, setting in experiment.settings.items()
        },
    }


def packages() -> list[str]:
    """Name the installed distributions as pip's requirement lines, without reading any of them."""
    found = {
        entry.name.removesuffix(".dist-info").replace("-", "==", 1)
        for folder in map(Path, sys.path)
        if folder.is_dir()
        for entry in folder.glob("*.dist-info")
    }
    return sorted(found, key=str.casefold)
