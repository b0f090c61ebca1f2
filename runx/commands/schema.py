"""``runx schema``: what editors check experiments and .runx files by."""

from __future__ import annotations

import json

import click

from runx.settings.schema import FILES, schema


@click.command()
@click.argument("of", type=click.Choice(FILES), default="experiment", metavar="[experiment|runx]")
def command(of: str) -> None:
    """Print the JSON Schema of an experiment, or of a .runx file.

    \b
    runx schema > experiment.schema.json
    runx schema runx > runx.settings.schema.json
    """
    click.echo(json.dumps(schema(of), indent=2))
