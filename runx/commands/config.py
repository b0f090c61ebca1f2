"""``runx config``: every setting, its value and who said it."""

from __future__ import annotations

import json
from typing import Any

import click

from runx.commands.request import settings_options
from runx.settings.keys import KEYS
from runx.settings.load import load


@click.command()
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool, **asked: Any) -> None:
    """Show every setting of FILE, its value, and the file or flag that it comes from."""
    from runx.commands.request import request

    experiment = load(request(here=False, **asked))
    rows = [
        (name, experiment.settings[name].text, experiment.settings[name].origin)
        if name in experiment.settings
        else (name, "", "not set")
        for name in KEYS
    ]
    if as_json:
        click.echo(json.dumps({name: {"value": v, "from": o} for name, v, o in rows}, indent=2))
        return
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        click.echo(f"{name:{widths[0]}}  {value:{min(widths[1], 60)}}  {origin}".rstrip())
