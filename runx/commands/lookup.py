"""What the commands that look at runs have in common: where runs lie, and how warnings are told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from runx.terminal.manners import say

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
"""Names the file of the project's settings, for every command that reads them."""


def lookup_options(command: Command) -> Command:
    """Add the flags that say where experiments lie."""
    for decorate in reversed(
        (
            click.option("--logroot", metavar="DIR", help="Where experiments lie."),
            config_option,
        )
    ):
        command = decorate(command)
    return command


def logroot_of(given: str | None, config: Path | None) -> Path:
    """Say where experiments lie: as the flag says, the environment, or the settings."""
    if given:
        return Path(given).expanduser()
    from runx.settings.load import logroot

    return logroot(Path.cwd(), os.environ, config)


def warn(line: str) -> None:
    """Tell of something damaged that was passed over."""
    say(f"warning: {line}")
