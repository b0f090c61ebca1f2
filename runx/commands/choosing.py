"""The flags that launch a part of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click

from runx.plans.picking import Pick, condition

Command = TypeVar("Command", bound=Callable[..., Any])


def choosing_options(command: Command) -> Command:
    """Add those flags."""
    for decorate in reversed(
        (
            click.option("--where", metavar="EXPR", help="Only runs for which this holds."),
            click.option("--limit", type=click.IntRange(1), metavar="K", help="Only the first K."),
            click.option("--shuffle", is_flag=True, help="In another order, by SEED."),
        )
    ):
        command = decorate(command)
    return command


def pick_of(
    asked: dict[str, Any], names: Callable[[], Collection[str]], seed: int | str, resume: bool
) -> Pick:
    """Take those flags out of the ones that a command was given."""
    where = asked.pop("where")
    found = condition(where, names(), resume) if where is not None else None
    return Pick(found, asked.pop("limit"), seed if asked.pop("shuffle") else None)
