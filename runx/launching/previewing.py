"""What a launch would execute, exactly, and what it would miss."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from runx.cmdline.command import arguments, shell_command, with_logdir
from runx.cmdline.configfile import nested
from runx.cmdline.styles import DASHES
from runx.errors import SweepError
from runx.farms import is_plain, kind_of
from runx.launching.deciding import Wish, decide
from runx.launching.making import filled, placed, resources
from runx.plans.experiment import Experiment, Farm
from runx.plans.picking import picked
from runx.plans.plan import run_id
from runx.plans.reconcile import Work
from runx.schedulers.handing import planned
from runx.schedulers.submitting import missing_program, shown, submission
from runx.types import Run


def obstacles(experiment: Experiment, environment: Mapping[str, str]) -> Iterator[str]:
    """Name what a launch would stop at."""
    if experiment.farm and (problem := missing_program(experiment.farm, environment)):
        yield problem
    folder = experiment.logroot
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield f"LOGROOT {experiment.logroot} can't be written"


def starting(
    experiment: Experiment, runs: Iterable[Run], wish: Wish, say: Callable[[str], None]
) -> Iterable[Run]:
    """Give the runs that a launch would start; those that there are by their own names."""
    if wish.resume:
        work = decide(experiment, list(runs), wish, say)
    elif wish.pick.is_all:
        return runs
    else:
        work = picked(Work(tuple(runs), (), (), ()), wish.pick)
    there = (Run(one.there.dir.path.name, one.there.dir, one.run.point) for one in work.again)
    return itertools.chain(there, work.new)


def check_first(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Find before anything is made what no farm or script could be given: resources, values."""
    _check_told(experiment, runs)
    if is_plain(experiment.farm):
        submission(experiment, experiment.farm, runs[0])
    elif experiment.farm:
        planned(experiment, runs, "")


def _check_told(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Find what ARGS can't tell; the plain style tells everything."""
    with _args_named(experiment):
        if experiment.style.style == "file":
            for run in runs:
                nested(run.point, experiment.has_config)
        elif experiment.style != DASHES:
            for run in runs:
                shell_command(experiment.cmd, run.point, "", experiment.style)


@contextmanager
def _args_named(experiment: Experiment) -> Iterator[None]:
    """Say of what ARGS can't tell where ARGS stands."""
    try:
        yield
    except SweepError as error:
        raise SweepError(f"{experiment.settings['ARGS'].origin}: ARGS: {error}") from None


def lines(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Write each run as a shell takes it: its training command, or above it what submits that."""
    with _args_named(experiment):
        yield from _lines(experiment, runs)


def _lines(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    if experiment.farm and not is_plain(experiment.farm):
        yield from _batch_lines(experiment, experiment.farm, list(runs))
        return
    root = str(experiment.dir.path) + "/"
    for run in runs:
        command = shell_command(experiment.cmd, run.point, root + run.name, experiment.style)
        if experiment.farm is None:
            yield command
        else:
            yield "# " + command.replace("\n", "\n# ")
            yield shown(submission(experiment, experiment.farm, run))


def objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Write a list of JSON objects, a line each."""
    with _args_named(experiment):
        yield from _objects(experiment, runs)


def _objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
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
    root = str(experiment.dir.path) + "/"
    cmd, style = experiment.cmd, experiment.style
    commands = {run.name: shell_command(cmd, run.point, root + run.name, style) for run in runs}
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


def _argv(experiment: Experiment, run: Run) -> tuple[str, ...]:
    return arguments(run.point, experiment.style, experiment.cmd)


def described(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Say in JSON what a run would be."""
    logdir = str(run.dir.path)
    farm = experiment.farm
    return {
        "name": run.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "hparams": placed(run),
        "argv": [with_logdir(word, logdir) for word in _argv(experiment, run)],
        "command": shell_command(experiment.cmd, run.point, logdir, experiment.style),
        "logdir": logdir,
        "resources": {
            resource.name: filled(resource.value, logdir) for resource in resources(experiment, run)
        },
        "submit": list(submission(experiment, farm, run).words) if is_plain(farm) else None,
    }
