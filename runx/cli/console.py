"""Data on stdout, all else on stderr, and one line for a mistake: what every command shares."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from runx.errors import RunxError

FAULT = 70


INTERRUPTED = 130


def say(line: str) -> None:
    """Print something that is no data."""
    click.echo(line, err=True)


def warn(line: str) -> None:
    """Print that something damaged was passed over."""
    say(f"warning: {line}")


def look_once() -> None:
    """Spare a process that answers one question the search for garbage that it leaves in cycles.

    Of ten thousand runs, each with its numbers, that search takes as long as to print them.
    """
    gc.disable()


def run_command(command: click.Command, name: str, words: Sequence[str]) -> NoReturn:
    """Run a click command to its exit status; what goes wrong is told on one line."""
    try:
        status = command.main(list(words), prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        say(f"{name}: {_one_line(error)}")
        sys.exit(2)
    except RunxError as error:
        say(f"{name}: {error}")
        sys.exit(error.status)
    except (KeyboardInterrupt, click.Abort):
        say(f"{name}: interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception:  # noqa: BLE001  the last door: told whole, never swallowed
        import traceback

        traceback.print_exc()
        say(f"{name}: this is a fault of runx; please report it with the lines above")
        sys.exit(FAULT)


def _one_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    more = f"; see {context.command_path} --help" if context else ""
    return f"{error.format_message().rstrip('.').replace(chr(10), ' ')}{more}"
