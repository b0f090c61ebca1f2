"""Printing and exit statuses, shared by all commands: data on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from runx.api.printing import unheard
from runx.errors import RunxError
from runx.printable import coloured, one_line, printable

FAULT = 70
"""The exit status of an error in runx itself."""
SYSTEM = 74
"""The exit status where the system failed us: a full disk, no permission, too little memory."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""
UNREAD = 141
"""The exit status where nobody reads our output any more, as after a SIGPIPE."""
_LONGEST = 2000


class Documented(click.Command):
    """A command whose help says where the documentation lies."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the folder of the documentation below the help."""
        package = Path(__file__).parents[1]
        for folder in (package / "docs", package.parent / "docs"):
            if (folder / "yaml.md").is_file():
                formatter.write_paragraph()
                formatter.write(f"Docs: {folder}")
                formatter.write_paragraph()
                return


def say(line: str) -> None:
    """Print what is no data; it may be lost, where stderr is gone or on a full disk."""
    with unheard():
        click.echo(printable(line), err=True)


def warn(line: str) -> None:
    """Print a warning, on one line."""
    say(f"warning: {one_line(line)}")


def echo(line: str) -> None:
    """Print a line of data of a launch, which goes on where that is lost."""
    with unheard():
        click.echo(printable(line))


def data(text: str, exact: bool = False) -> None:
    """Print data. What is ``exact``, for programs, is changed for the eyes of people alone.

    Raises:
        OSError: It can't be printed.
    """
    buffer = getattr(sys.stdout, "buffer", None)
    if not exact or buffer is None or sys.stdout.isatty():
        click.echo(printable(text))
        return
    sys.stdout.flush()
    buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    buffer.flush()


def quit_within(seconds: float) -> bool:
    """Wait so long; return True at once where ``q`` is typed on the terminal meanwhile."""
    import select
    import termios
    import tty

    if not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    before, deadline = termios.tcgetattr(sys.stdin), time.monotonic() + seconds
    tty.setcbreak(sys.stdin, termios.TCSANOW)
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = select.select([sys.stdin], [], [], left)[0]
            # An empty read: the terminal has gone.
            if ready and os.read(sys.stdin.fileno(), 1) in (b"q", b"Q", b""):
                return True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
    return False


def script_output(line: str) -> None:
    """Print a line of what a script printed: on a terminal its colours alone are obeyed."""
    if sys.stdout.isatty():
        click.echo(coloured(line))
    else:
        data(line, exact=True)


def disable_gc() -> None:
    """Disable the garbage collector in a process that prints one table and ends.

    With the records of ten thousand runs it takes as long as printing them.
    """
    gc.disable()


def run_command(command: click.Command, name: str, argv: Sequence[str]) -> NoReturn:
    """Run a click command and exit with its status; print an error as one line."""
    _prepare()
    try:
        status = command.main(list(argv), prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        status = status if isinstance(status, int) else 0
    except BaseException as error:  # noqa: BLE001  the last line of defence
        status = _failed(name, error, argv)
    for stream in (sys.stdout, sys.stderr):
        _lose_rest(stream)
    sys.exit(status)


def _lose_rest(stream: IO[Any]) -> None:
    """Lose what could not be written to a stream, which Python would say once more at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _prepare() -> None:
    """Have stdout and stderr take any text; what is closed becomes /dev/null."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  for good
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _failed(name: str, error: BaseException, argv: Sequence[str]) -> int:
    """Print why a command failed, and return its exit status."""
    if isinstance(error, SystemExit):
        # So click ends where nobody reads what it prints.
        if "PacifyFlushWrapper" in type(sys.stdout).__name__:
            return UNREAD
        raise error
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return UNREAD
    status, message = _explained(error, argv)
    if "RUNX_TRACEBACK" in os.environ or status == FAULT:
        import traceback

        say("".join(traceback.format_exception(error)).rstrip())
    message = one_line(message)
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 2 :]}"
    say(f"{name}: {message}")
    return status


def _explained(error: BaseException, argv: Sequence[str]) -> tuple[int, str]:
    """Return the exit status for an error, and its message."""
    if isinstance(error, click.ClickException):
        return 2, _with_hint(error, argv)
    if isinstance(error, RunxError):
        return error.status, str(error)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED, "interrupted"
    if isinstance(error, OSError):
        return SYSTEM, _of_system(error)
    if isinstance(error, MemoryError):
        return SYSTEM, "there is too little memory; free some, or select fewer runs"
    if isinstance(error, RecursionError):
        return 2, "something is nested too deeply; RUNX_TRACEBACK=1 shows where"
    if isinstance(error, UnicodeError):
        return 2, f"text that can't be encoded: {error}; RUNX_TRACEBACK=1 shows where"
    return FAULT, "this is a fault of runx; please report it with the lines above"


def _of_system(error: OSError) -> str:
    """Return why the system refused something, and what."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        files = [os.fsdecode(file) for file in (error.filename, error.filename2) if file]
        return f"{' to '.join(map(str, files))}: {reason}; RUNX_TRACEBACK=1 shows where"
    if isinstance(error, FileNotFoundError) and _is_cwd_gone():
        return "the current folder was removed; cd to another"
    return f"what it prints or writes is lost: {reason}; RUNX_TRACEBACK=1 shows where"


def _is_cwd_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109  start-up
    except OSError:
        return True
    return False


def _with_hint(error: click.ClickException, argv: Sequence[str]) -> str:
    context, message = getattr(error, "ctx", None), error.format_message()
    if isinstance(error, click.NoSuchOption):
        from runx.cli.habits import advice

        if here := advice(error, argv):
            message = f"{error.message.rstrip('.')}; {here}"
    hint = f"; see {context.command_path} --help" if context else ""
    return f"{message.rstrip('.').replace(chr(10), ' ')}{hint}"
