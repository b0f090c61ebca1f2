"""``runx init``: a commented .runx to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from runx.errors import SettingsError


@click.command()
@click.option("--force", is_flag=True, help="Write over a .runx that is there.")
def command(force: bool) -> None:
    """Write a commented .runx into this folder."""
    target = Path(".runx")
    if target.is_dir():
        raise SettingsError(f"{target.absolute()} is a folder; move it away first")
    if target.exists() and not force:
        raise SettingsError(f"{target.absolute()} is there already; --force writes over it")
    example = Path(__file__).parents[1] / "runx.example"
    target.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    click.echo(f"{target.absolute()}")
