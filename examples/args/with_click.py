"""Print what click was told."""

import json

import click


@click.command()
@click.option("--lr", type=float)
@click.option("--name")
@click.option("--amp", is_flag=True)
@click.option("--sizes", type=int, multiple=True)
@click.option("--optimizer.momentum", "momentum", type=float)
def main(**options: object) -> None:
    """Train nothing."""
    click.echo(json.dumps(options))


if __name__ == "__main__":
    main()
