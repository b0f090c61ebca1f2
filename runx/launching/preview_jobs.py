"""The jobs of a farm as -n shows them, and runs in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runx.cmdline.argv import arguments, shell_command
from runx.cmdline.logdir import Logdir
from runx.farms import is_plain, kind_of
from runx.plans.experiment import Experiment, Farm
from runx.plans.plan import resources_of, run_id
from runx.schedulers.handing import planned
from runx.schedulers.submitting import shown, submission
from runx.types import Run


def check_jobs(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> None:
    """Find what the farm could not be given."""
    if is_plain(farm):
        submission(experiment, farm, runs[0])
    else:
        planned(experiment, runs, "")


def job_lines(experiment: Experiment, farm: Farm, runs: Iterable[Run]) -> Iterator[str]:
    """Write each run's command as a comment above the words that submit it."""
    if not is_plain(farm):
        yield from _batch_lines(experiment, farm, list(runs))
        return
    for run in runs:
        yield _commented(_command(experiment, run))
        yield shown(submission(experiment, farm, run))


def objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Write a list of JSON objects, a line each."""
    words: dict[str, list[str]] = {}
    if experiment.farm and not is_plain(experiment.farm):
        runs = list(runs)
        words = _batch_words(experiment, experiment.farm, runs)
    before = "["
    for run in runs:
        yield before
        told = described(experiment, run)
        told["submit"] = words.get(run.name, told["submit"])
        before = json.dumps(told, ensure_ascii=False) + ","
    yield before.rstrip(",") + ("]" if before == "[" else "\n]")


def _batch_lines(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> Iterator[str]:
    """Write each job: its runs' commands, its script the first time, and what submits it."""
    kind = kind_of(farm.type)
    commands = {run.name: _command(experiment, run) for run in runs}
    for batch in planned(experiment, runs, experiment.texts["launch"]):
        for one in batch.errands:
            yield _commented(commands[one.run])
        if kind.script and (batch.array or batch.number == 0):
            yield _commented(f"{batch.script}:\n{kind.script(batch, farm)}")
        yield shown(kind.submission(batch, farm))


def _batch_words(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> dict[str, list[str]]:
    """Give the words that submit each run."""
    found = planned(experiment, runs, experiment.texts["launch"])
    orders = [(batch, list(kind_of(farm.type).submission(batch, farm).words)) for batch in found]
    return {one.run: words for batch, words in orders for one in batch.errands}


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _command(experiment: Experiment, run: Run) -> str:
    return shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)


def described(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Return what a run would be, for JSON."""
    logdir, farm = Logdir.at(run.dir), experiment.farm
    words = arguments(run.point, experiment.style, experiment.cmd)
    return {
        "name": run.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "hparams": logdir.in_value(run.hparams),
        "argv": logdir.in_value(words),
        "command": shell_command(experiment.cmd, run.point, logdir, experiment.style),
        "logdir": str(run.dir.path),
        "resources": {
            each.name: logdir.in_value(each.value) for each in resources_of(experiment, run)
        },
        "submit": list(submission(experiment, farm, run).words) if is_plain(farm) else None,
    }
