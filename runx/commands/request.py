"""The flags that say which experiment is meant, shared by the commands that read its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from runx.commands.completing import farms, overrides, sweeps, yaml_files
from runx.commands.lookup import config_option
from runx.settings.load import Request

Command = TypeVar("Command", bound=Callable[..., Any])


def settings_options(command: Command) -> Command:
    """Add FILE and the flags that override its settings, spelled with dashes or underscores."""
    for decorate in reversed(
        (
            click.argument("file", type=click.Path(path_type=Path), shell_complete=yaml_files),
            click.argument(
                "overrides", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=overrides
            ),
            config_option,
            click.option(
                "--farm", metavar="NAME", shell_complete=farms, help="The farm to submit to."
            ),
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
        )
    ):
        command = decorate(command)
    return command


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
    here: bool,
) -> Request:
    """Make a request of those flags, for the folder and environment of this call."""
    flags = {"FARM": farm, "EXP_NAME": exp_name, "NOTE": note}
    return Request(
        file=file,
        cwd=Path.cwd(),
        environment=dict(os.environ),
        config=config,
        flags={key: text for key, text in flags.items() if text is not None},
        tag=tag,
        cooldir=not no_cooldir,
        here=here,
        overrides=overrides,
        sweeps=tuple(name.strip() for name in (sweep or "").split(",") if name.strip()),
    )
