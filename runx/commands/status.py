"""``runx status``: how runs stand, and why those that failed did."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.disk.experiments import launches
from runx.disk.output import tail
from runx.disk.record import Typed
from runx.formats import written
from runx.formats.table import aligned
from runx.processes import hands
from runx.reading.overview import any_failed, counts, objects, overview, overviews, status
from runx.reading.read import Reader
from runx.reading.select import records_of
from runx.rundir import ExperimentDir
from runx.states.state import ENDED_BADLY
from runx.terminal.manners import look_once
from runx.types import RunRecord

FAILED = 1


class Asked(NamedTuple):
    """What the command line asks for."""

    words: tuple[str, ...]
    logroot: Path
    where: str
    as_json: bool
    failures: bool


class Answer(NamedTuple):
    """What is printed, and whether any run failed."""

    text: str
    failed: bool


@click.command()
@click.argument("words", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@click.option("--where", default="", metavar="EXPR", help="Those for which this holds.")
@click.option("--failures", is_flag=True, help="Group what failed by its reason.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--watch", type=float, is_flag=False, flag_value=2, metavar="SECONDS", help="Look repeatedly."
)
def command(
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
    asked = Asked(words, logroot_of(logroot, config), where, as_json, failures)
    while watch is not None:
        answer = answered(asked, time.time())
        click.clear()
        click.echo(answer.text)
        time.sleep(max(watch, 0.1))
    look_once()
    answer = answered(asked, time.time())
    if answer.text:
        click.echo(answer.text)
    return FAILED if answer.failed else 0


def answered(asked: Asked, now: float) -> Answer:
    """Look once, and write what there is to say."""
    if not (asked.words or asked.failures or asked.where):
        return _experiments(asked, now)
    reader = Reader(warn=warn, hands=hands())
    found = records_of(asked.words, asked.logroot, Path.cwd(), reader, asked.where)
    failed = any_failed(one.status for one in found)
    if asked.failures:
        return Answer(_failures(found, asked.as_json), failed)
    if asked.as_json:
        return Answer(json.dumps(objects(found, now), indent=2, ensure_ascii=False), failed)
    table = written("table", status(found, now))
    return Answer(f"{table}\n\n{counts(one.state for one in found)}", failed)


def _experiments(asked: Asked, now: float) -> Answer:
    found = list(overviews(asked.logroot, warn))
    failed = any(name in ENDED_BADLY for one in found for name in one.states)
    if asked.as_json:
        return Answer(json.dumps([one.json() for one in found], indent=2), failed)
    head = ("experiment", "runs", "states", "last activity", "title")
    rows = overview(found, now)
    right = (False, True, False, False, False)
    return Answer(aligned(head, rows, right), failed)


def _failures(found: list[RunRecord], as_json: bool) -> str:
    """Write the digest of what failed among these runs."""
    from runx.reading.failures import Failure, digest, digest_lines, retry_commands

    failed = [run for run in found if run.state in ENDED_BADLY]
    failures = [Failure(run, tail(run.dir.output)) for run in failed]
    others = [run for run in found if run.state not in ENDED_BADLY]
    groups = digest(failures, others)
    if as_json:
        return json.dumps([group.json() for group in groups], indent=2, ensure_ascii=False)
    lines = digest_lines(groups)
    again = retry_commands(failed, dict(_typed(failed)), str(Path.cwd()))
    return "\n".join([*lines, *(f"retry: {command}" for command in again)])


def _typed(results: Sequence[RunRecord]) -> Iterator[tuple[str, Typed]]:
    """Find what was last typed to launch each of the runs' experiments."""
    for name, path in {run.experiment: run.dir.path.parent for run in results}.items():
        known = [one.typed for one in launches(ExperimentDir(path), warn) if one.typed]
        if known:
            yield name, known[-1]
