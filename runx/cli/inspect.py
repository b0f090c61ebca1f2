"""``runx status``, ``logs`` and ``show``: what runs came to."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from runx.cli.completion import runs
from runx.cli.console import look_once, warn
from runx.cli.options import looked_up, lookup_options, where_option

if TYPE_CHECKING:
    from runx.analysis.overview import Overview
    from runx.api.inspect import Standings


FAILED = 1


class Answer(NamedTuple):
    """What is printed, and whether any run failed."""

    text: str
    failed: bool


@click.command()
@click.argument("words", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@where_option
@click.option("--failures", is_flag=True, help="Group what failed by its reason.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--watch", type=float, is_flag=False, flag_value=2, metavar="SECONDS", help="Look repeatedly."
)
def status(
    words: tuple[str, ...],
    logroot: str | None,
    config: Path | None,
    where: str,
    failures: bool,
    as_json: bool,
    watch: float | None,
) -> int:
    """Show how the runs of EXPERIMENT stand, or those named; without any, all experiments.

    A run is named by its name, a part of it, its id or a path.

    \b
    runx status sweep
    runx status sweep --failures
    runx status sweep --where "lr < 0.1 and state == 'running'"
    runx status wallaby
    """
    at = looked_up(logroot, config)
    while watch is not None:
        answer = _answer(words, at, where, failures, as_json)
        click.clear()
        click.echo(answer.text)
        time.sleep(max(watch, 0.1))
    look_once()
    answer = _answer(words, at, where, failures, as_json)
    if answer.text:
        click.echo(answer.text)
    return FAILED if answer.failed else 0


def _answer(
    words: tuple[str, ...], at: dict[str, Any], where: str, failures: bool, as_json: bool
) -> Answer:
    """Look once, and write what there is to say."""
    from runx.api.inspect import experiments, status

    if not (words or failures or where):
        return _experiments(experiments(**at), as_json)
    found = status(*words, where=where, **at)
    if failures:
        text = _failures(found, as_json)
    elif as_json:
        text = _json(found.json())
    else:
        text = f"{found.written()}\n\n{found.counts()}"
    return Answer(text, found.any_failed)


def _experiments(found: list[Overview], as_json: bool) -> Answer:
    from runx.analysis.overview import overview
    from runx.export.table import aligned
    from runx.rundir.state import ENDED_BADLY

    failed = any(name in ENDED_BADLY for each in found for name in each.states)
    if as_json:
        return Answer(json.dumps([each.json() for each in found], indent=2), failed)
    head = ("experiment", "runs", "states", "last activity", "title")
    right = (False, True, False, False, False)
    return Answer(aligned(head, overview(found, time.time()), right), failed)


def _failures(found: Standings, as_json: bool) -> str:
    """Write the digest of what failed among these runs."""
    from runx.analysis.failures import digest_lines

    groups = found.failures()
    if as_json:
        return _json([group.json() for group in groups])
    return "\n".join(
        [*digest_lines(groups), *(f"retry: {command}" for command in found.retry_commands(warn))]
    )


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


@click.command()
@click.argument("words", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@where_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the runs have ended.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last LINES of each.")
def logs(
    words: tuple[str, ...],
    logroot: str | None,
    config: Path | None,
    where: str,
    follow: bool,
    lines: int | None,
) -> None:
    """Print the output of RUN, or of several, each line with its run's name before it.

    A run is named by its name, a part of it, its id or a path; an experiment's name stands for all
    of its runs.

    \b
    runx logs wallaby -f
    runx logs sweep -n 3
    """
    from runx.api.inspect import logs

    found = logs(*words, where=where, follow=follow, lines=lines, **looked_up(logroot, config))
    widest = max((len(run.path.name) for run in found.runs), default=0)
    for run, line in found:
        before = f"{run.path.name:{widest}} | " if len(found.runs) > 1 else ""
        click.echo(f"{before}{line}")


@click.command()
@click.argument("words", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@where_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(
    words: tuple[str, ...], logroot: str | None, config: Path | None, where: str, as_json: bool
) -> None:
    """Show what RUN is, how it stands, where everything of it lies and how to do it again.

    \b
    runx show wallaby
    """
    from runx.analysis.overview import lines
    from runx.api.inspect import show

    found = show(*words, where=where, **looked_up(logroot, config))
    click.echo(_json(found) if as_json else "\n\n".join("\n".join(lines(run)) for run in found))
