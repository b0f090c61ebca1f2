"""The commands that show runs: ``runx ls``, ``status``, ``logs``, ``attach``, ``show``, ``top``."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from runx.cli.completion import experiments, runs
from runx.cli.console import INTERRUPTED, data, disable_gc, quit_within, say, script_output, warn
from runx.cli.options import label_option, looked_up, lookup_options, step_option, where_option
from runx.errors import RunxError
from runx.rundir.files import encodable

if TYPE_CHECKING:
    from runx.analysis.overview import Overview
    from runx.api.inspect import Standings

FAILED = 1
"""The exit status where a run has failed."""


class Shown(NamedTuple):
    """Text to print, and whether any run failed."""

    text: str
    failed: bool


@click.command()
@lookup_options
@label_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ls(logroot: str | None, config: Path | None, label: tuple[str, ...], as_json: bool) -> None:
    """List the experiments: how their runs stand, when they were active, their size, their notes.

    \b
    runx ls
    runx ls --label paper
    """
    from runx.api.inspect import experiments

    overviews = experiments(label=label, sizes=True, **looked_up(logroot, config))
    data(_experiments(overviews, as_json).text, as_json)


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@where_option
@label_option
@click.option("--failures", is_flag=True, help="Group what failed by its reason.")
@click.option("--disk", is_flag=True, help="Show what each takes on disk.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--watch",
    type=float,
    is_flag=False,
    flag_value=2,
    metavar="SECONDS",
    help="Look repeatedly; q ends it.",
)
def status(
    names: tuple[str, ...],
    logroot: str | None,
    config: Path | None,
    where: str,
    label: tuple[str, ...],
    failures: bool,
    disk: bool,
    as_json: bool,
    watch: float | None,
) -> int:
    """Show how the runs of EXPERIMENT stand, or those named; without any, all experiments.

    A run is named by its name, a part of it, its id or a path.

    \b
    runx status sweep
    runx status sweep --failures
    runx status sweep --where "lr < 0.1 and state == 'running'"
    runx status --label paper
    runx status wallaby
    """
    lookup = looked_up(logroot, config)
    looks = functools.partial(_status, names, lookup, where, label, failures, disk, as_json)
    while watch is not None:
        shown = looks()
        click.clear()
        data(shown.text, as_json)
        if quit_within(max(watch, 0.1)):
            return FAILED if shown.failed else 0
    disable_gc()
    shown = looks()
    if shown.text:
        data(shown.text, as_json)
    return FAILED if shown.failed else 0


def _status(
    names: tuple[str, ...],
    lookup: dict[str, Any],
    where: str,
    label: tuple[str, ...],
    failures: bool,
    disk: bool,
    as_json: bool,
) -> Shown:
    from runx.api.inspect import experiments as overviews
    from runx.api.inspect import status

    if not (names or failures or where):
        return _experiments(overviews(label=label, sizes=disk, **lookup), as_json)
    standings = status(*names, where=where, label=label, **lookup)
    if failures:
        text = _failures(standings, as_json)
    elif as_json:
        text = _json(standings.json(disk))
    else:
        columns = get_terminal_size().columns if sys.stdout.isatty() else None
        lines = [
            standings.written(disk=disk, width=columns),
            "",
            standings.counts(),
            *standings.took(),
        ]
        searches = [line for search in standings.searches(warn) for line in search.lines()]
        text = "\n".join([*lines, *standings.gpus(), *searches, *standings.notes()])
    return Shown(text, standings.any_failed)


def _experiments(overviews: list[Overview], as_json: bool) -> Shown:
    from runx.analysis.overview import overview_rows
    from runx.export.table import aligned
    from runx.rundir.state import ENDED_BADLY

    failed = any(state in ENDED_BADLY for experiment in overviews for state in experiment.states)
    if as_json:
        objects = [experiment.json() for experiment in overviews]
        return Shown(json.dumps(objects, indent=2), failed)
    head = ("experiment", "runs", "states", "last activity", "size", "labels", "title", "note")
    given = {
        "size": any(each.size is not None for each in overviews),
        "labels": any(each.labels for each in overviews),
        "note": any(each.size is not None and each.note for each in overviews),
    }
    shown = [at for at, name in enumerate(head) if given.get(name, True)]
    rows = [tuple(row[at] for at in shown) for row in overview_rows(overviews, time.time())]
    right = tuple(head[at] in ("runs", "size") for at in shown)
    return Shown(aligned(tuple(head[at] for at in shown), rows, right), failed)


def _failures(standings: Standings, as_json: bool) -> str:
    """Return the runs that failed, grouped by the reason, and the commands that retry them."""
    from runx.analysis.failures import digest_lines
    from runx.nearest import first_of

    groups = standings.failures()
    if as_json:
        return _json([group.json() for group in groups])
    lines = digest_lines(groups)
    changes = standings.changed_since()
    for command, changed in zip(standings.retry_commands(warn), changes.values(), strict=True):
        lines.append(f"retry: {command}")
        if changed:
            lines.append(f"    changed since: {first_of(changed)}")
    return "\n".join(lines)


def _json(content: object) -> str:
    return encodable(json.dumps(content, indent=2, ensure_ascii=False))


@click.command()
@click.argument("names", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@where_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the runs have ended.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last LINES of each.")
@step_option
def logs(
    names: tuple[str, ...],
    logroot: str | None,
    config: Path | None,
    where: str,
    follow: bool,
    lines: int | None,
    step: str,
) -> None:
    """Print the output of RUN, or of several, each line with its run's name before it.

    A run is named by its name, a part of it, its id or a path; an experiment's name stands for all
    of its runs.

    \b
    runx logs wallaby -f
    runx logs sweep -n 3
    runx logs wallaby --step eval
    """
    from runx.api.printed import logs

    lookup = looked_up(logroot, config)
    output = logs(*names, where=where, follow=follow, lines=lines, step=step, **lookup)
    names_of = {run: run.name for run in output.runs}
    width = max(map(len, names_of.values()), default=0)
    for run, line in output:
        prefix = f"{names_of[run]:{width}} | " if len(output.runs) > 1 else ""
        script_output(f"{prefix}{line}")


@click.command()
@click.argument("experiment", shell_complete=experiments)
@lookup_options
def attach(experiment: str, logroot: str | None, config: Path | None) -> int:
    """Follow the launch of EXPERIMENT that was detached here, to its end.

    Ctrl-C ends the following alone. The exit status is 1 if a run has failed.

    \b
    runx sweep.yml -i --detach
    runx attach sweep
    """
    from runx.api.handle import attach

    handle = attach(experiment, looked_up(logroot, config)["logroot"])
    if not handle.has_lines:
        say(f"{experiment}: nothing was detached here; runx status {experiment} shows its runs")
        return 2
    try:
        for line in handle.lines():
            script_output(line)
    except KeyboardInterrupt:
        say(f"its runs go on; runx attach {experiment} follows again")
        return INTERRUPTED
    return FAILED if handle.status().any_failed else 0


@click.command()
@click.argument("names", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@where_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(
    names: tuple[str, ...], logroot: str | None, config: Path | None, where: str, as_json: bool
) -> None:
    """Show what RUN is, how it stands, where everything of it lies and how to do it again.

    \b
    runx show wallaby
    """
    from runx.analysis.description import description_lines
    from runx.api.inspect import show

    runs = show(*names, where=where, **looked_up(logroot, config))
    described = ("\n".join(description_lines(run)) for run in runs)
    data(_json(runs) if as_json else "\n\n".join(described), as_json)


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT]...", shell_complete=experiments)
@lookup_options
@where_option
@click.option("-s", "--sortwith", default="", metavar="NAMES", help="What to sort the runs by.")
def top(
    names: tuple[str, ...], logroot: str | None, config: Path | None, where: str, sortwith: str
) -> None:
    """Follow and steer the runs of EXPERIMENT, or of all, in the terminal; q quits, ? helps.

    \b
    runx top sweep
    runx top sweep -s accuracy --where "lr < 0.1"
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        term = "one that can do more than TERM=dumb" if sys.stdout.isatty() else "a terminal"
        raise RunxError(f"runx top needs {term}; runx status --watch shows runs anywhere")
    try:
        from runx.tui.app import follow
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("textual", "rich"):
            raise
        raise RunxError("runx top needs textual: pip install textual") from None
    follow(names, where, sortwith, **looked_up(logroot, config))
