"""The record of a launch: files, settings, plan, code and packages, kept beside its runs."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from runx.config.experiment import Experiment
from runx.home import user_name
from runx.rundir.files import to_json, write_whole
from runx.rundir.machines import whoami
from runx.rundir.paths import EXPERIMENT
from runx.rundir.record import read_or_empty
from runx.rundir.run import Run
from runx.rundir.secrets import SECRET, unsaid, without_secrets
from runx.staging.git import GitState
from runx.staging.store import FrozenCode
from runx.sweeps.merge import computed_names
from runx.sweeps.values import Hparam


def record(
    experiment: Experiment,
    launch: str,
    runs: Iterable[Run],
    code: FrozenCode,
    git: GitState | None,
    diff: str,
    argv: Sequence[str],
) -> Path:
    """Write the files, settings, plan, code and packages of a launch; return their folder."""
    folder = experiment.dir.launches / launch
    folder.mkdir(parents=True)
    for number, source in enumerate(experiment.sources):
        name = f"settings-{number}.yml" if number else EXPERIMENT
        if experiment.text is not None and source == experiment.file:
            text = without_secrets(experiment.text)
            (folder / name).write_text(text, encoding="utf-8", newline="")
        else:
            _copy(source, folder / name)
    plan = (json.dumps({"name": run.name, "id": experiment.id_of(run.point)}) for run in runs)
    write_whole(folder / "plan.jsonl", "".join(f"{line}\n" for line in plan))
    if diff:
        write_whole(folder / "diff.patch", diff)
    write_whole(folder / "packages.txt", "".join(f"{line}\n" for line in packages()))
    write_whole(folder / "launch.json", to_json(_launch(experiment, launch, code, git, argv)))
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy a file of settings, without the secrets that it may have."""
    content = source.read_bytes()
    if SECRET.encode() not in content:
        shutil.copyfile(source, target)
    else:
        text = content.decode("utf-8-sig")
        target.write_text(without_secrets(text), encoding="utf-8", newline="")


def record_metrics(experiment: Experiment) -> bool:
    """Write METRICS for all runs of the experiment; return whether it is another than before.

    It is no part of a run: what a script has left can be read anew, as often as METRICS changes.
    """
    path = experiment.dir.metrics
    before = read_or_empty(path, lambda _: None).get("metrics", {})
    if experiment.metrics is None or experiment.metrics == before:
        return False
    write_whole(path, to_json({"metrics": experiment.metrics}))
    return True


def _launch(
    experiment: Experiment, launch: str, code: FrozenCode, git: GitState | None, argv: Sequence[str]
) -> dict[str, object]:
    return {
        "launch": launch,
        "experiment": experiment.name,
        "title": experiment.title,
        "note": experiment.note,
        "labels": experiment.labels,
        **({"best": experiment.best.json()} if experiment.best else {}),
        "hparams_types": {name: each.json() for name, each in experiment.types.items()},
        "created": time.time(),
        "user": user_name(),
        **whoami(),
        "python": sys.version.split()[0],
        "argv": list(unsaid(argv)),
        "sources": [str(source.absolute()) for source in experiment.sources],
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
            if name != SECRET
        },
    }


def packages() -> list[str]:
    """Return the installed distributions as pip's requirement lines, by the names of folders."""
    requirements = {
        entry.name.removesuffix(".dist-info").replace("-", "==", 1)
        for folder in map(Path, sys.path)
        if folder.is_dir()
        for entry in folder.glob("*.dist-info")
    }
    return sorted(requirements, key=str.casefold)


def labels_of(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Return what run.json has of a run's labels and of the ablation that it belongs to."""
    ablation = run.point.ablation
    labels = [*experiment.labels]
    if experiment.best and (place := experiment.best.place(run.hparams)):
        labels.append(f"best {place} of {' '.join(experiment.best.of)}")
    content: dict[str, Any] = {"labels": labels} if labels else {}
    if ablation:
        baseline = dict(ablation.baseline)
        names = computed_names(experiment.hparams)
        content["ablation"] = {
            "changed": ablation.changed or None,
            "baseline": baseline,
            **({"computed": names} if names else {}),
        }
    return content


def run_content(
    experiment: Experiment, run: Run, resources: Iterable[Hparam], code: FrozenCode, launch: str
) -> dict[str, Any]:
    """Return the content of run.json; LOGDIR stays symbolic."""
    trial = run.point.trial
    return {
        "name": run.name,
        "experiment": experiment.name,
        "id": experiment.id_of(run.point),
        "tag": run.tag,
        **labels_of(experiment, run),
        **(experiment.best.chosen(run.hparams) if experiment.best else {}),
        **({"search": {"name": trial.search, "point": trial.number}} if trial else {}),
        "cmd": experiment.cmd,
        "hparams": run.hparams,
        "texts": {hparam.name: hparam.text for hparam in run.point.hparams},
        "resources": {resource.name: resource.value for resource in resources},
        "pythonpath": experiment.pythonpath,
        "code": code.digest or None,
        "project": str(experiment.code.root),
        "launch": launch,
        "created": time.time(),
    }
