"""How a launch shows, and hands over, what goes to a scheduler."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from runx.command import shell_command
from runx.experiment import Experiment, Farm
from runx.farms import kind_of
from runx.farms.kind import Batch
from runx.launches import new_launch
from runx.launching import Kit, make, shown
from runx.submitting import Made, largest_array, plan_batches, submit_words
from runx.types import Run


def show(
    experiment: Experiment,
    farm: Farm,
    runs: Sequence[Run],
    as_json: bool,
    write: Callable[[str], None],
) -> None:
    """Print what would be submitted: each job's runs, its script, and the command."""
    launch = new_launch(datetime.now().astimezone())
    kind = kind_of(farm.type)
    planned = plan_batches(experiment, farm, runs, launch, kind.largest)
    if as_json:
        write(json.dumps(list(_objects(experiment, farm, planned, runs)), ensure_ascii=False))
        write("\n")
        return
    commands = {run.name: _command(experiment, run) for run in runs}
    for batch in planned:
        write("".join(_commented(commands[one.run]) for one in batch.errands))
        if kind.script and (batch.array or batch is planned[0]):
            write(_commented(f"{batch.script}:\n{kind.script(batch, farm)}"))
        write(shown(kind.submission(batch, farm)) + "\n")


def _command(experiment: Experiment, run: Run) -> str:
    return shell_command(experiment.cmd, run.point, str(run.dir.path))


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.rstrip("\n").split("\n"))


def _objects(
    experiment: Experiment, farm: Farm, planned: Sequence[Batch], runs: Sequence[Run]
) -> Iterator[dict[str, object]]:
    from runx.commands.launch import described

    kind = kind_of(farm.type)
    words = {
        one.run: list(kind.submission(batch, farm).words)
        for batch in planned
        for one in batch.errands
    }
    for run in runs:
        yield {**described(experiment, run), "submit": words[run.name]}


def hand_over(
    kit: Kit, runs: Sequence[Run], new_name: Callable[[str], str], say: Callable[[str], None]
) -> int:
    """Make all runs, then submit them in as few jobs as their farm takes."""
    from runx.submitting import hand_over

    made = [Made(make(kit, run, new_name)) for run in runs]
    jobs = hand_over(kit.experiment, kit.launch, made, say)
    plural = "s" if len(made) > 1 else ""
    name = kit.experiment.name
    say(f"{len(made)} run{plural} submitted in {jobs} job{'s' if jobs > 1 else ''}")
    say(f"runx status {name} shows how they stand, sumx {name} their results")
    return 0


def test_only(
    experiment: Experiment, farm: Farm, runs: Sequence[Run], say: Callable[[str], None]
) -> int:
    """Ask the scheduler whether it would take the jobs; nothing is submitted."""
    import tempfile
    from pathlib import Path

    from runx.errors import FarmError, SettingsError

    kind = kind_of(farm.type)
    if kind.test_only is None:
        raise SettingsError(f"--test-only: a farm of TYPE {farm.type} can't be asked that")
    launch = new_launch(datetime.now().astimezone())
    with tempfile.TemporaryDirectory() as folder:
        for batch in plan_batches(experiment, farm, runs, launch, largest_array(farm)):
            script = Path(folder) / batch.script.name
            script.write_text(kind.script(batch, farm) if kind.script else "")
            order = kind.test_only(kind.submission(batch, farm))
            words = tuple(
                str(script) if word == str(batch.script) else word for word in order.words
            )
            finished = submit_words(dataclasses.replace(order, words=words), farm, kind)
            if finished.status:
                raise FarmError(f"farm {farm.name} would refuse {batch.name}: {finished.complaint}")
            say(f"{batch.name}: {finished.complaint}")
    return 0
