"""The flags that launch a part of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click

from runx.plans.plan import condition

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


def selection(
    asked: dict[str, Any], names: Callable[[], Collection[str]], seed: int | str, resume: bool
) -> dict[str, Any]:
    """Return what those flags say, as LaunchOptions have it."""
    where = asked["where"]
    return {
        "where": None if where is None else condition(where, names(), resume),
        "limit": asked["limit"],
        "seed": seed if asked["shuffle"] else None,
    }
