"""Printing and exit statuses, shared by all commands: data on stdout, all else on stderr."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from runx.api.printing import unheard
from runx.errors import RunxError

FAULT = 70
"""The exit status of an error in runx itself."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def say(line: str) -> None:
    """Print a line that is no data, which may be lost."""
    with unheard():
        click.echo(line, err=True)


def echo(line: str) -> None:
    """Print a line of data of a launch, which goes on where that is lost."""
    with unheard():
        click.echo(line)


def warn(line: str) -> None:
    """Print a warning."""
    say(f"warning: {line}")


def disable_gc() -> None:
    """Disable the garbage collector in a process that prints one table and ends.

    With the records of ten thousand runs it takes as long as printing them.
    """
    gc.disable()


def run_command(command: click.Command, name: str, argv: Sequence[str]) -> NoReturn:
    """Run a click command and exit with its status; print an error as one line."""
    try:
        status = command.main(list(argv), prog_name=name, standalone_mode=False)
        sys.exit(_flushed(name, status if isinstance(status, int) else 0))
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
        # The reader of our output has ended. Python would print the error again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception:  # noqa: BLE001  printed whole, as the last resort
        import traceback

        traceback.print_exc()
        say(f"{name}: this is a fault of runx; please report it with the lines above")
        sys.exit(FAULT)


def _flushed(name: str, status: int) -> int:
    """Write what is printed and not written yet; return the status, 1 where data was lost.

    The reader of a pipe that has ended wanted no more of it.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would print the error again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(f"{name}: not all could be printed: {error.strerror}")
            status = status or 1
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return status


def _one_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context else ""
    return f"{error.format_message().rstrip('.').replace(chr(10), ' ')}{hint}"
