"""sumx: run directories in, a table out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from runx.collect import Reader, collect, standings
from runx.errors import RunxError
from runx.experiments import find, said
from runx.formats import FORMATS
from runx.manners import run_command, say
from runx.rundir import ExperimentDir, write_whole
from runx.summary import Question, Summary, summarize
from runx.types import Result


def _names(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("experiments", nargs=-1, required=True, metavar="EXPERIMENT...")
@click.option("-s", "--sortwith", default="", metavar="METRIC", help="Best of METRIC first.")
@click.option("--lower", default="", callback=_names, metavar="A,B", help="Less is better.")
@click.option("--higher", default="", callback=_names, metavar="A,B", help="More is better.")
@click.option("--ignore", default="", callback=_names, metavar="A,B", help="Leave hparams out.")
@click.option("--csv", "csv_file", metavar="FILE", help="Also write FILE, complete; - is stdout.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write a report.")
@click.option("--json", "as_json", is_flag=True, help="Everything known of each run.")
@click.option("--logroot", type=click.Path(path_type=Path), help="Where experiments lie.")
@click.option("-c", "--config", type=click.Path(path_type=Path), help="A .runx file.")
def command(
    experiments: Sequence[str],
    sortwith: str,
    lower: tuple[str, ...],
    higher: tuple[str, ...],
    ignore: tuple[str, ...],
    csv_file: str | None,
    html_file: Path | None,
    as_json: bool,
    logroot: Path | None,
    config: Path | None,
) -> None:
    """Make a table of the runs of EXPERIMENT, a name under LOGROOT or a path.

    \b
    sumx sweep --sortwith accuracy
    sumx sweep other-sweep --ignore seed --csv table.csv
    sumx sweep --html report.html
    """
    found = find(experiments, _logroot(logroot, config), Path.cwd())
    question = Question(sortwith, ignore, lower, higher)
    if html_file:
        _write_html(html_file, found, question)
        return
    summary = summarize(_results(found, question), question)
    if not summary.rows:
        raise RunxError(_nothing(found))
    if csv_file:
        _write_csv(csv_file, summary)
    if as_json:
        click.echo(FORMATS["json"](summary))
    elif csv_file != "-":
        _show(found, summary)


def _logroot(given: Path | None, config: Path | None) -> Path:
    if given is not None:
        return given.expanduser()
    from runx.settings import logroot

    return logroot(Path.cwd(), os.environ, config)


def _results(found: Iterable[ExperimentDir], question: Question) -> Iterator[Result]:
    reader = Reader(question.measures, _warn)
    for experiment in found:
        yield from collect(experiment, reader)


def _warn(line: str) -> None:
    say(f"warning: {line}")


def _nothing(found: Sequence[ExperimentDir]) -> str:
    names = ", ".join(str(experiment.path) for experiment in found)
    return f"{names}: no runs here; a run's directory holds run.json, hparams.json or metrics.csv"


def _show(found: Iterable[ExperimentDir], summary: Summary) -> None:
    """Print the table, below what was said at the launches."""
    lines = [line for experiment in found for line in said(experiment, _warn)]
    for line in lines:
        click.echo(line)
    if lines:
        click.echo()
    click.echo(FORMATS["table"](summary))


def _write_csv(name: str, summary: Summary) -> None:
    """Write a CSV file; a name without an ending gets one, as with the original."""
    text = FORMATS["csv"](summary)
    if name == "-":
        click.echo(text)
        return
    file = Path(name if Path(name).suffix else f"{name}.csv")
    try:
        write_whole(file, text + "\n")
    except OSError as error:
        raise RunxError(f"--csv {file}: can't be written: {error.strerror}") from error


def _write_html(file: Path, found: Sequence[ExperimentDir], question: Question) -> None:
    """Write the report, and say where to look at it."""
    from runx.report import write_report

    reader = Reader(question.measures, _warn)
    seen = [one for experiment in found for one in standings(experiment, reader)]
    if not seen:
        raise RunxError(_nothing(found))
    summarize((one.result for one in seen), question)
    write_report(file, found, seen, question, time.time(), _warn)
    say(f"{file}: {len(seen)} runs; open it in any browser")


def main() -> None:
    """Be the command ``sumx``."""
    run_command(command, "sumx", sys.argv[1:])


if __name__ == "__main__":
    main()
