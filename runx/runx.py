"""The command ``runx``: its subcommands, and ``runx FILE``, which is short for ``launch FILE``."""

from __future__ import annotations

import os
import shlex
import sys
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING

import click

from runx.cli.console import Documented, run_command, say
from runx.nearest import suggestion
from runx.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS = {
    "launch": "Launch every run of FILE.",
    "ls": "List the experiments.",
    "status": "Show how runs stand, and why those that failed did.",
    "logs": "Show what runs print.",
    "attach": "Follow a launch that was detached.",
    "show": "Show everything about a run.",
    "cancel": "End runs that wait or run.",
    "rm": "Remove runs that have ended.",
    "gc": "Remove the checkpoints of all but the best runs.",
    "hold": "Keep waiting runs from starting.",
    "release": "Let held runs start.",
    "slots": "Change how many runs go on at a time here.",
    "gpus": "Show who holds the GPUs of this machine.",
    "top": "Follow and steer runs in the terminal.",
    "watch": "Show EXPERIMENT as a page that follows its runs.",
    "check": "Read and plan every FILE, and launch nothing.",
    "config": "Show every setting of FILE, and where it comes from.",
    "init": "Write a commented .runx here.",
    "import": "Print a sweep or script of another tool as an experiment.",
    "schema": "Print the JSON Schema of an experiment, of a .runx, or of status --json.",
}
"""The commands, and what each does."""

_MODULES = {
    "launch": ("launch",),
    "inspect": ("ls", "status", "logs", "attach", "show", "top"),
    "control": ("cancel", "rm", "gc", "hold", "release"),
    "here": ("slots", "gpus"),
    "project": ("watch", "check", "config", "init", "import", "schema"),
}
"""The modules of runx.cli with their commands, each imported when one of them runs."""


class Commands(Documented, click.Group):
    """The group of commands, which imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, the main one first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of its module; an unknown one is a click error."""
        if cmd_name not in COMMANDS:
            ctx.fail(f"no command {cmd_name}; {suggestion(cmd_name, COMMANDS)}")
        [module] = [name for name, commands in _MODULES.items() if cmd_name in commands]
        attribute = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(f"runx.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first argument that is no command as FILE, while a shell completes the next."""
        if ctx.resilient_parsing and args and args[0] not in COMMANDS:
            args = ["launch", *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and files that complete the first argument."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from runx.cli.completion import yaml_files

        names = [name for name in COMMANDS if name.startswith(incomplete)]
        names += yaml_files(ctx, self.params[0], incomplete)
        return [CompletionItem(name, help=COMMANDS.get(name)) for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _install(context: click.Context, option: click.Parameter, shell: str | None) -> None:
    if shell is not None:
        from runx.cli.shells import install_option

        install_option(context, option, shell)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runx")
@click.option(
    "--install-completion",
    type=click.Choice(["bash", "zsh", "fish"]),
    is_eager=True,
    expose_value=False,
    callback=_install,
    help="Have your shell complete runx and sumx.",
)
def runx() -> None:
    """Turn one YAML file into a table of results.

    \b
    runx sweep.yml -n        show what would be run
    runx sweep.yml -i        run it here
    runx sweep.yml           submit it to the farm of .runx
    sumx sweep -s accuracy   rank the results

    FILE without a command is short for launch FILE; see runx launch --help.
    """


_WORDS = {
    "ls": "list experiments",
    "status": "ps info queue squeue",
    "cancel": "stop kill abort end terminate",
    "logs": "tail output cat",
    "rm": "delete remove del clean",
    "hold": "pause suspend",
    "release": "continue unhold unpause",
    "show": "describe inspect",
    "top": "ui tui dashboard monitor",
    "watch": "serve page web",
    "check": "validate lint",
}
"""Words of other tools, by the command that does the same."""


def refuse_misspelled(name: str, following: Sequence[str]) -> None:
    """Exit with what was likely meant if a first argument is no file.

    That is a command of nearly that name, or a sweep: ``runx sweep``, ``runx run sweep.yml``.
    """
    if "." in name or name.startswith("-") or os.path.exists(name):  # noqa: PTH110  start-up
        return
    for command, words in _WORDS.items():
        if name in words.split():
            rest = "".join(f" {shlex.quote(word)}" for word in following)
            say(f"runx: no command or file {name}; runx {command}{rest} does that")
            sys.exit(2)
    from difflib import get_close_matches

    files = [f"{name}.yml", f"{name}.yaml", *following[:1]]
    meant = [
        *get_close_matches(name, COMMANDS, n=1, cutoff=0.7),
        *(file for file in files if file.endswith((".yml", ".yaml")) and os.path.exists(file)),  # noqa: PTH110
    ]
    if meant:
        say(f"runx: no command or file {name}; did you mean runx {meant[0]}?")
        sys.exit(2)


def main() -> None:
    """Run the command ``runx`` with the arguments of this process."""
    argv = sys.argv[1:]
    if "_RUNX_COMPLETE" in os.environ:
        from runx.cli.shells import register

        register()
    own = [*COMMANDS, "-h", "--help", "--version"]
    if argv and argv[0] not in own and not argv[0].startswith("--install-completion"):
        refuse_misspelled(argv[0], argv[1:])
        argv = ["launch", *argv]
    run_command(runx, "runx", argv or ["--help"])


if __name__ == "__main__":
    main()
