"""Flags that several commands share, and the values that the API takes for them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from runx.cli.completion import farms, labels, overrides, sweeps, yaml_files
from runx.cli.console import say, warn
from runx.cli.source import source_of

if TYPE_CHECKING:
    from runx.config.experiment import Experiment
    from runx.config.request import Request
    from runx.local.options import LocalOptions

Command = TypeVar("Command", bound=Callable[..., Any])

config_option = click.option(
    "-c",
    "--config-file",
    "--config_file",
    "config",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Read this file instead of .runx.",
)
"""The file of the project's settings, for every command that reads them."""

where_option = click.option(
    "--where", default="", metavar="EXPR", help="Those for which this holds."
)
"""Selects existing runs by an expression."""

step_option = click.option("--step", default="", metavar="NAME", help="Of runs with STEPS: one.")
"""Selects a step of existing runs."""


label_option = click.option(
    "--label",
    multiple=True,
    metavar="LABEL",
    shell_complete=labels,
    help="Those with this of LABELS; may be repeated.",
)
"""Selects experiments by their labels."""


def together(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds several arguments and options, in this order."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


lookup_options = together(
    click.option("--logroot", metavar="DIR", help="Where experiments lie."), config_option
)
"""The flags for the folder of the experiments."""

settings_options = together(
    click.argument("file", type=click.Path(path_type=Path), shell_complete=yaml_files),
    click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=overrides),
    config_option,
    click.option("--farm", metavar="NAME", shell_complete=farms, help="The farm to submit to."),
    click.option("--exp-name", "--exp_name", metavar="NAME", help="The experiment's name."),
    click.option("--tag", default="", metavar="TAG", help="What names of runs begin with."),
    click.option(
        "--no-cooldir", "--no_cooldir", is_flag=True, help="Name runs by their tag alone."
    ),
    click.option(
        "--sweep",
        metavar="NAMES",
        shell_complete=sweeps,
        help="Add these of SWEEPS, with commas between; '*': all.",
    ),
    click.option("--note", metavar="TEXT", help="What this launch is about; kept with it."),
    click.option("--notify", metavar="TO", help="A command or URL that is told of the end."),
)
"""FILE and the flags that override its settings, spelled with dashes or underscores."""

choosing_options = together(
    click.option("--where", metavar="EXPR", help="Only runs for which this holds."),
    click.option("--limit", type=click.IntRange(1), metavar="K", help="Only the first K."),
    click.option("--shuffle", is_flag=True, help="In another order, by SEED."),
)
"""The flags that select a part of a sweep."""


def looked_up(logroot: str | None, config: Path | None) -> dict[str, Any]:
    """Return the API's arguments for these flags, and how it prints warnings."""
    from runx.api.project import logroot_of

    return {"logroot": logroot_of(logroot, config), "warn": warn}


def request(
    file: Path,
    overrides: tuple[str, ...],
    config: Path | None,
    farm: str | None,
    exp_name: str | None,
    tag: str,
    no_cooldir: bool,
    sweep: str | None,
    note: str | None,
    notify: str | None,
    here: bool,
    claims: bool = False,
    smoke: str | None = None,
    save: Path | None = None,
) -> Request:
    """Return the request to load an experiment with these flags, in this folder."""
    from runx.config.request import Request

    source = source_of(file, overrides, save)
    flags = {"FARM": farm, "EXP_NAME": exp_name, "NOTE": note, "NOTIFY": notify, "SMOKE": smoke}
    return Request(
        file=source.file,
        text=source.text,
        cwd=Path.cwd(),
        environment=dict(os.environ),
        config=config,
        flags={key: text for key, text in flags.items() if text is not None},
        tag=tag,
        cooldir=not no_cooldir,
        here=here,
        claims=claims,
        overrides=source.overrides,
        sweeps=tuple(name.strip() for name in (sweep or "").split(",") if name.strip()),
    )


def given_options(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags for runs on this machine that were typed, with their values."""
    from runx.launching.support import FOR_FARMS

    source = click.get_current_context().get_parameter_source
    return {name: flags[name] for name in FOR_FARMS if source(name) is not ParameterSource.DEFAULT}


def note_executed(settings: Experiment) -> None:
    """Print which code of the project had to be executed to know the runs, if any."""
    for function, setting in settings.functions.items():
        say(f"note: {function} was executed, as {setting} says; the runs depend on it")


def local_options(flags: dict[str, Any], is_fallback: bool) -> LocalOptions:
    """Remove the flags for runs on this machine from ``flags``, and return them."""
    from runx.local.options import LocalOptions

    jobs = flags.pop("jobs")
    if jobs not in (None, "auto") and not re.fullmatch("0*[1-9][0-9]{0,8}", jobs[:999]):
        raise click.UsageError(f"-j {jobs}: say how many runs at a time, or auto")
    max_failures, fail_fast = flags.pop("max_failures"), flags.pop("fail_fast")
    if fail_fast and max_failures not in (None, 1):
        raise click.UsageError(f"--fail-fast is --max-failures 1, not {max_failures}: say one")
    names = ("gpus_per_run", "retries", "timeout", "grace", "stream", "attach")
    return LocalOptions(
        jobs=None if jobs is None else 0 if jobs == "auto" else int(jobs),
        max_failures=1 if fail_fast else max_failures,
        is_fallback=is_fallback,
        **{name: flags.pop(name) for name in names},
    )
