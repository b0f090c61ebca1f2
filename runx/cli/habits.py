"""Options that people type from the habit of other tools, and what does the same here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runx.errors import RunxError

_LAUNCH = {
    "-n prints what would be run": "--dry-run --dryrun --preview --print --plan --what-if",
    "-i runs it here": "--local --here",
    "-j N runs N at a time here": "--workers --n-jobs --parallel --max-parallel --max-workers",
    "--resume starts only what is not done yet": "--continue --restart --skip-done",
    "--again launches even what is running already": "--force --rerun --overwrite",
    "--exp-name NAME names the experiment": "--name --experiment --experiment-name --run-name",
    "--farm NAME chooses where to run": "--cluster --scheduler --backend --launcher --executor",
    "--where EXPR selects runs": "--filter --query --select --only",
    "--gpus-per-run N gives each run here N, RESOURCES.gpus=N on a farm": "--gpus --num-gpus",
    "KEY=VALUE, without dashes, sets a hyperparameter or a setting": "--set --override --param",
}
_SUMX = {
    "--where EXPR selects runs": "--filter --query --select --only",
    "runx status EXPERIMENT counts runs by their state": "--count --status",
    "-s METRIC puts the best first": "--sort --sort-by --order-by --rank --best --metric",
    "--top K shows the first K": "--limit --head --max-rows",
    "--by A,B groups runs that are equal in these": "--group-by --groupby --group",
    "--over A,B groups runs that differ in these alone": "--average --avg --mean --seeds",
    "--columns A,B chooses what is shown": "--show --cols --metrics --hparams",
    "-o FILE writes to it, in the form of --format": "--save --export --out --file",
}
HABITS = {"launch": _LAUNCH, "sumx": _SUMX}
"""For each command: what to write here, and the options that others have for it."""


def advice(error: click.NoSuchOption, argv: Sequence[str]) -> str:
    """Return what to write instead of an unknown option; empty where that isn't known."""
    command = (error.ctx.info_name or "") if error.ctx else ""
    option = error.option_name.replace("_", "-")
    if command == "launch":
        for name in _hparams(argv):
            if f"--{name}".replace("_", "-") == option:
                value = _value(error.option_name, argv)
                return f"{name} is a hyperparameter: write {name}={value}"
    for here, habits in HABITS.get(command, {}).items():
        if option in habits.split():
            return here
    return ""


def _hparams(argv: Sequence[str]) -> Iterator[str]:
    """Yield the names of the hyperparameters of the experiment's file, if it can be read."""
    from runx.sweeps.merge import keys
    from runx.sweeps.yaml import read

    file = next((Path(word) for word in argv if word.endswith((".yml", ".yaml"))), None)
    try:
        yield from keys(read(file).tree.get("HPARAMS", {})) if file else ()
    except (RunxError, OSError):
        return  # a launch would tell what is wrong with it


def _value(option: str, argv: Sequence[str]) -> str:
    """Return the value that an option was given, VALUE where it has none."""
    for word, following in zip(argv, [*argv[1:], "-"], strict=True):
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else "VALUE" if following.startswith("-") else following
    return "VALUE"
