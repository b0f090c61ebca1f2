"""The one module that starts processes: commands are words, never text for a shell."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

from runx.errors import RunxError

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import Popen

Environment: TypeAlias = Mapping[str, "str | None"]
"""What a command's environment has besides ours; None takes a name out of it."""

Stream: TypeAlias = "int | IO[Any] | None"


class CommandError(RunxError):
    """A command can't be started."""


class CommandNotFound(CommandError, FileNotFoundError):
    """There is no such command."""


class CommandTimeout(CommandError, TimeoutError):
    """A command took longer than it was given, and was ended."""


class Finished(NamedTuple):
    """A command that has come to its end; a negative status is the signal that ended it."""

    words: tuple[str, ...]
    status: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """The last line it had to say, for a message of one line."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return lines[-1].strip() if lines else f"exit status {self.status}"


def ran(
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Environment | None = None,
    stdin: str = "",
    timeout: float | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run one command to its end and give what it said.

    Bytes that aren't UTF-8 survive as surrogate escapes, in both directions. A command with a
    timeout gets a session of its own, so that all it started can be ended with it.

    >>> ran(["printf", "%s", "a b"])
    Finished(words=('printf', '%s', 'a b'), status=0, output='a b', errors='')
    """
    from subprocess import DEVNULL, PIPE, TimeoutExpired

    process = started(
        words,
        cwd=cwd,
        environment=environment,
        stdin=PIPE if stdin else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        pass_fds=pass_fds,
        new_session=timeout is not None,
    )
    given = stdin.encode("utf-8", "surrogateescape") if stdin else None
    with process:
        try:
            output, errors = process.communicate(given, timeout)
        except TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise CommandTimeout(f"{words[0]}: no end within {timeout:g} s; ended") from None
        except BaseException:
            process.kill()
            raise
    return Finished(tuple(words), process.returncode, _text(output), _text(errors))


def started(
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Environment | None = None,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
    pass_fds: Sequence[int] = (),
    new_session: bool = False,
) -> Popen[bytes]:
    """Start one command and leave it running."""
    from subprocess import Popen

    try:
        return Popen(
            words,
            cwd=cwd,
            env=None if environment is None else _merged(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            start_new_session=new_session,
        )
    except OSError as error:
        raise _reason(words[0], cwd, error) from error


def _merged(environment: Environment) -> dict[str, str]:
    """Put what is given over our own environment."""
    merged = {**os.environ, **environment}
    return {name: value for name, value in merged.items() if value is not None}


def _reason(command: str, cwd: Path | None, error: OSError) -> CommandError:
    """Say on one line why a command didn't start."""
    if cwd is not None and error.filename is not None and os.fspath(error.filename) == str(cwd):
        return CommandError(f"{cwd}: can't start {command} there: {error.strerror}")
    # A folder on PATH that may not be entered hides that the command is in none of the others.
    unfound = isinstance(error, PermissionError) and "/" not in command and not _on_path(command)
    if unfound or isinstance(error, FileNotFoundError):
        where = "no such file" if "/" in command else "not found on PATH; install it or extend PATH"
        return CommandNotFound(f"{command}: {where}")
    if error.errno == errno.E2BIG:
        return CommandError(f"{command}: its arguments are longer than the system takes")
    return CommandError(f"{command}: can't be started: {error.strerror}")


def _on_path(command: str) -> bool:
    from shutil import which

    return which(command) is not None


def _text(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")
