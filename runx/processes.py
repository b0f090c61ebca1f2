"""Starting, forking and signalling processes; commands are lists of words, without a shell."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from runx.errors import RunxError

if TYPE_CHECKING:
    from subprocess import Popen
    from typing import IO, Any


Environment: TypeAlias = Mapping[str, "str | None"]
"""Variables added to a command's environment; None removes one."""
Stream: TypeAlias = "int | IO[Any] | None"
NULL = -3
"""subprocess.DEVNULL, without importing subprocess."""
Part = TypeVar("Part")
Done = TypeVar("Done")
MOST = 8
"""The most processes that work at once: more gain little, and the machine may be shared."""
_UTF8 = ("utf-8", "surrogateescape")
"""How the input and output of commands are encoded."""


class CommandError(RunxError):
    """A command could not be started."""


class CommandNotFound(CommandError, FileNotFoundError):
    """A command does not exist."""


class CommandTimeout(CommandError, TimeoutError):
    """A command took longer than its timeout, and was killed."""


class LimitError(RunxError):
    """A computation took more time or memory than it may."""


class Finished(NamedTuple):
    """The result of a command: its words, exit status (a signal's is negative) and output."""

    words: tuple[str, ...]
    status: int
    output: str
    errors: str

    @property
    def last_line(self) -> str:
        """The last line of its output, for a message of one line."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return lines[-1].strip() if lines else f"exit status {self.status}"


def run_command(
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Environment | None = None,
    stdin: str = "",
    timeout: float | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run a command to its end and return the result.

    Bytes that aren't UTF-8 become surrogate escapes, in both directions. A command with a timeout
    (in seconds) gets a session of its own, so that all it start_command can be killed with it.

    Raises:
        CommandError: It could not be start_command, or took longer than the timeout.

    >>> run_command(["printf", "%s", "a b"])
    Finished(words=('printf', '%s', 'a b'), status=0, output='a b', errors='')
    """
    from subprocess import DEVNULL, PIPE, TimeoutExpired

    process = start_command(
        words,
        cwd=cwd,
        environment=environment,
        stdin=PIPE if stdin else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        pass_fds=pass_fds,
        new_session=timeout is not None,
    )
    content = stdin.encode(*_UTF8) if stdin else None
    with process:
        try:
            output, errors = process.communicate(content, timeout)
        except TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise CommandTimeout(f"{words[0]}: no end within {timeout:g} s; ended") from None
        except BaseException:
            process.kill()
            raise
    return Finished(tuple(words), process.returncode, output.decode(*_UTF8), errors.decode(*_UTF8))


def start_command(
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
    """Start a command and return its process; raises CommandError where it could not be."""
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
    """Return this process's environment with these variables added or removed."""
    merged = {**os.environ, **environment}
    return {name: value for name, value in merged.items() if value is not None}


def _reason(command: str, cwd: Path | None, error: OSError) -> CommandError:
    """Return an error that says why a command could not be started."""
    if cwd is not None and error.filename is not None and os.fspath(error.filename) == str(cwd):
        return CommandError(f"{cwd}: can't start {command} there: {error.strerror}")
    # A folder on PATH without permission hides that no other folder has the command.
    is_hidden = isinstance(error, PermissionError) and "/" not in command and not _on_path(command)
    if is_hidden or isinstance(error, FileNotFoundError):
        where = "no such file" if "/" in command else "not found on PATH; install it or extend PATH"
        return CommandNotFound(f"{command}: {where}")
    if error.errno == errno.E2BIG:
        return CommandError(f"{command}: its arguments are longer than the system takes")
    return CommandError(f"{command}: can't be started: {error.strerror}")


def _on_path(command: str) -> bool:
    from shutil import which

    return which(command) is not None


def send_signal(pid: int, number: int) -> bool:
    """Send a signal to a process; return False where it is gone, or not ours."""
    return _sent(os.kill, pid, number)


def send_group_signal(group: int, number: int) -> bool:
    """Send a signal to a process group; return False where it is gone, or not ours."""
    return _sent(os.killpg, group, number)


def _sent(send: Callable[[int, int], None], target: int, number: int) -> bool:
    try:
        send(target, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_anothers(pid: int) -> bool:
    """Return whether there is a process of that number that is another user's."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return False


def worker_count() -> int:
    """Return the number of processes to work with: one a CPU, at most MOST."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(len(affinity(0)) if affinity else os.cpu_count() or 1, MOST)


def map_in_forks(work: Callable[[Part], Done], parts: Sequence[Part]) -> list[Done]:
    """Return the results of a function for each part, each but the first in a fork.

    A part whose fork fails is done again in this process. The function must have no side effects,
    and its results must be picklable.

    >>> map_in_forks(sum, [[1, 2], [3, 4]])
    [3, 7]
    """
    import pickle  # All are slow to import, and rarely needed.
    import threading
    from functools import partial

    # A lock that another thread holds would never be released in a fork.
    is_alone = threading.active_count() == 1
    forks = [_forked(partial(work, part)) if is_alone else None for part in parts[1:]]
    done = [work(part) for part in parts[:1]]
    for fork, part in zip(forks, parts[1:], strict=True):
        result = _result(*fork) if fork else b""
        done.append(pickle.loads(result) if result else work(part))
    return done


def limited(work: Callable[[], Done], seconds: int, megabytes: int) -> Done:
    """Return the result of a function, computed in a fork with limits of CPU time and of memory.

    It must have no side effects, and its result must be picklable. Raises LimitError for more.

    >>> limited(lambda: 1 + 1, seconds=2, megabytes=100)
    2
    """
    import pickle
    import select

    fork = _forked(lambda: _confined(work, seconds, megabytes))
    if fork is None:
        raise LimitError("there is no process left to compute it in; end some of yours")
    if not select.select([fork[1]], [], [], 10 * seconds)[0]:
        send_signal(fork[0], signal.SIGKILL)
    if not (result := _result(*fork)):
        raise LimitError(f"takes more than {seconds} s or {megabytes} MB to compute")
    done: Done = pickle.loads(result)
    return done


def _confined(work: Callable[[], Done], seconds: int, megabytes: int) -> Done:
    """Return the result of a function, after limiting what this process may take from here on."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():
        most = int(statm.read_text().split()[0]) * resource.getpagesize() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return work()


def _forked(work: Callable[[], Done]) -> tuple[int, int] | None:
    """Call a function in a fork; return its pid and the pipe with its result, None without one."""
    reading, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:  # Too many processes, or too little memory for one more.
        os.close(reading)
        os.close(writing)
        return None
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as file:
            import pickle

            pickle.dump(work(), file)
        status = 0
    finally:
        # Without running the exit handlers of the process that it is a copy of.
        os._exit(status)


def _result(process: int, reading: int) -> bytes:
    """Return the pickled result of a fork, empty where it failed."""
    with os.fdopen(reading, "rb") as file:
        result = file.read()
    try:
        _, status = os.waitpid(process, 0)
    except ChildProcessError:  # SIGCHLD is ignored, as our parent has set it.
        return b""
    return b"" if status else result
