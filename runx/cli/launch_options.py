"""The options of ``runx launch``, in the groups in which its help shows them."""

from __future__ import annotations

from pathlib import Path

import click

from runx.cli.options import choosing_options, settings_options, together
from runx.cli.source import FileOrCommand
from runx.launching.plan import MAX_RUNS, RETRIABLE, RETRIED
from runx.nearest import suggestion
from runx.sweeps.scalars import seconds

GROUPS = {
    "What": (
        "no_run",
        "as_json",
        "table",
        "sweep",
        "best",
        "of",
        "where",
        "limit",
        "shuffle",
        "max_runs",
        "save",
    ),
    "Where": ("interactive", "farm", "config", "after", "smoke", "test_only"),
    "Again": ("resume", "retry", "steps", "restage", "again"),
    "Here": (
        *("jobs", "gpus_per_run", "retries", "timeout", "grace", "fail_fast", "max_failures"),
        *("stream", "attach", "detach"),
    ),
    "Named": ("exp_name", "tag", "no_cooldir", "note", "notify"),
}
"""The options in each group, by their parameters."""


class LaunchCommand(FileOrCommand):
    """The command ``launch``, with its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options into the help, group by group."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        records = {option.name: option.get_help_record(ctx) for option in options}
        grouped = {name for names in GROUPS.values() for name in names}
        rest = tuple(name for name in records if name not in grouped)
        for group, names in {**GROUPS, "Help": rest}.items():
            with formatter.section(group):
                formatter.write_dl([each for name in names if (each := records.get(name))])


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    number = seconds(text)
    if number is None:
        raise click.BadParameter(f"{text} is no length of time; write 90s, 30m or 2h")
    return number


def _states(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = RETRIED if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in RETRIABLE:
            raise click.BadParameter(
                f"{name} is no state to start again; {suggestion(name, RETRIABLE)}"
            )
    return names


launch_options = together(
    settings_options,
    click.option("-n", "--no-run", "--no_run", is_flag=True, help="Print what would be run."),
    click.option("-i", "--interactive", is_flag=True, help="Run here, not on the farm."),
    click.option("--json", "as_json", is_flag=True, help="With -n: print JSON."),
    click.option("--table", is_flag=True, help="With -n: print axes, counts and what varies."),
    choosing_options,
    click.option(
        "--best", type=click.IntRange(1), metavar="K", help="With --of: its K best points."
    ),
    click.option("--of", multiple=True, metavar="NAME", help="The search whose best points run."),
    click.option("--max-runs", type=click.IntRange(1), default=MAX_RUNS, help="Refuse more runs."),
    click.option("--resume/--no-resume", default=None, help="Start only what is not done yet."),
    click.option("--retry", metavar="STATES", callback=_states, help="With --resume: only these."),
    click.option(
        "--step",
        "steps",
        multiple=True,
        metavar="NAME",
        help="With --resume: only this step, again.",
    ),
    click.option("--restage", is_flag=True, help="With --resume: run today's code."),
    click.option("--again", is_flag=True, help="Launch even what is running already."),
    click.option("-j", "--jobs", metavar="N", help="Runs at a time here, or auto."),
    click.option("--after", multiple=True, metavar="NAME", help="Wait for an experiment or a run."),
    click.option("--smoke", metavar="TIME", help="Try the first run here before the others start."),
    click.option("--test-only", is_flag=True, help="Ask the scheduler whether it would take it."),
    click.option("--gpus-per-run", type=click.IntRange(0), help="GPUs that each run here gets."),
    click.option("--retries", type=click.IntRange(0), help="Further attempts here."),
    click.option("--timeout", metavar="TIME", callback=_seconds, help="End a run here after that."),
    click.option("--grace", metavar="TIME", default="30s", callback=_seconds, help="TERM to KILL."),
    click.option("--fail-fast", is_flag=True, help="Start nothing after the first failure."),
    click.option("--max-failures", type=click.IntRange(1), help="Start nothing after so many."),
    click.option("--stream", is_flag=True, help="Show the output of all runs, with their names."),
    click.option("--attach", is_flag=True, help="Give the terminal to the one run (a debugger)."),
    click.option(
        "--save",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write what - or -- says to FILE first.",
    ),
    click.option("--detach", is_flag=True, help="Go on here without the terminal."),
)
"""FILE, overrides and every option of a launch."""
