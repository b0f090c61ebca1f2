"""``runx launch FILE``, or ``runx FILE``: from an experiment to runs, here or on a farm."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from runx.commands.request import request, settings_options
from runx.experiment import Experiment
from runx.manners import say
from runx.naming import run_names, tag_names
from runx.plan import MAX_RUNS, plan
from runx.settings import load
from runx.types import Run

if TYPE_CHECKING:
    from runx.launching import Kit

_CHUNK = 1000  # lines a write


@click.command()
@settings_options
@click.option(
    "-n", "--no-run", "--no_run", is_flag=True, help="Print what would be run; touch nothing."
)
@click.option("-i", "--interactive", is_flag=True, help="Run here instead of on the farm.")
@click.option("--json", "as_json", is_flag=True, help="With -n: print a list of objects.")
@click.option("--max-runs", type=click.IntRange(1), default=MAX_RUNS, help="Refuse more runs.")
def command(no_run: bool, interactive: bool, as_json: bool, max_runs: int, **asked: Any) -> int:
    """Launch every run of FILE: the cross product of its HPARAMS.

    \b
    runx sweep.yml -n    show what would be run
    runx sweep.yml -i    run it here
    runx sweep.yml       submit it to the farm of .runx
    """
    if as_json and not no_run:
        raise click.UsageError("--json goes with -n")
    experiment = load(request(here=interactive, **asked))
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    now = datetime.now().astimezone()
    new_name = run_names(now) if experiment.cooldir else tag_names()
    runs = plan(experiment, new_name, max_runs)
    first = list(itertools.islice(runs, 1))
    if not first:
        say(f"{experiment.file}: RUNX.SKIP leaves no run; nothing to do")
        return 0
    everything = itertools.chain(first, runs)
    if no_run:
        return preview(experiment, everything, interactive, as_json)
    return launch(experiment, list(everything), new_name, interactive, {"jobs": 1})


def preview(experiment: Experiment, runs: Iterable[Run], interactive: bool, as_json: bool) -> int:
    """Print exactly what would be executed."""
    from runx.launching import missing_program

    if experiment.farm and (problem := missing_program(experiment.farm, os.environ)):
        say(f"note: a launch would stop here: {problem}")
    _note_writable(experiment)
    if experiment.farm and experiment.farm.type != "command":
        from runx.commands.handing import show

        show(experiment, experiment.farm, list(runs), as_json, _write)
    elif as_json:
        _print_objects(experiment, runs)
    else:
        _print_lines(experiment, runs)
    say("note: a launch makes new names; those shown here are not kept")
    return 0


def _note_writable(experiment: Experiment) -> None:
    folder = experiment.logroot
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        say(f"note: a launch would stop here: LOGROOT {experiment.logroot} can't be written")


def _print_lines(experiment: Experiment, runs: Iterable[Run]) -> None:
    from runx.command import shell_command
    from runx.launching import shown, submission

    def lines() -> Iterator[str]:
        for run in runs:
            command = shell_command(experiment.cmd, run.point, str(run.dir.path))
            if experiment.farm is None:
                yield command
            else:
                yield "# " + command.replace("\n", "\n# ")
                yield shown(submission(experiment, experiment.farm, run))

    pending = lines()
    while chunk := list(itertools.islice(pending, _CHUNK)):
        _write("\n".join(chunk) + "\n")


def _print_objects(experiment: Experiment, runs: Iterable[Run]) -> None:
    import json

    separator = "[\n"
    for run in runs:
        _write(separator + json.dumps(described(experiment, run), ensure_ascii=False))
        separator = ",\n"
    _write("\n]\n")


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))


def described(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Say in JSON what a run would be."""
    from runx.command import arguments, shell_command, with_logdir
    from runx.launching import placed, resources, submission
    from runx.plan import run_id

    logdir = str(run.dir.path)
    farm = experiment.farm
    plain = farm if farm and farm.type == "command" else None
    return {
        "name": run.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "hparams": placed(run),
        "argv": [with_logdir(word, logdir) for word in arguments(run.point)],
        "command": shell_command(experiment.cmd, run.point, logdir),
        "logdir": logdir,
        "resources": {resource.name: resource.value for resource in resources(experiment, run)},
        "submit": list(submission(experiment, plain, run).words) if plain else None,
    }


def launch(
    experiment: Experiment,
    runs: list[Run],
    new_name: Callable[[str], str],
    interactive: bool,
    policy: dict[str, Any],
) -> int:
    """Freeze the code, then make each run and execute it here or submit it."""
    from runx.errors import SettingsError
    from runx.launching import missing_program
    from runx.preparing import prepare

    farm = experiment.farm
    if farm and (problem := missing_program(farm, os.environ)):
        raise SettingsError(problem)
    if not farm and not interactive:
        say("no farm is set: running here, as with -i")
    kit = prepare(experiment, runs, sys.argv, datetime.now().astimezone(), say)
    return _submit(kit, runs, new_name) if farm else _run_here(kit, runs, new_name, policy)


def _submit(kit: Kit, runs: list[Run], new_name: Callable[[str], str]) -> int:
    from runx.launching import submit

    if kit.experiment.farm and kit.experiment.farm.type != "command":
        from runx.commands.handing import hand_over

        return hand_over(kit, runs, new_name, say)
    for job in submit(kit, runs, new_name, click.echo):
        say(f"{job.run.name}: submitted{f' as job {job.id}' if job.id else ''}")
    say(f"{len(runs)} runs submitted; sumx {kit.experiment.name} shows their results")
    return 0


def _run_here(
    kit: Kit, runs: list[Run], new_name: Callable[[str], str], policy: dict[str, Any]
) -> int:
    from runx.command import shell_command
    from runx.devices import NoDevices
    from runx.launching import make
    from runx.slots import Policy, Slots, Task
    from runx.watching import Shown

    made = [make(kit, run, new_name) for run in runs]
    commands = {
        run.dir: shell_command(kit.experiment.cmd, run.point, str(run.dir.path)) for run in made
    }
    watch = Shown(commands.__getitem__, click.echo, say)
    slots = Slots(Policy(**policy), NoDevices(), lambda task: True, watch)
    slots.execute(Task(run.dir, 1) for run in made)
    return watch.closed(len(made))
