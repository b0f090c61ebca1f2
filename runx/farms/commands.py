"""Submit commands and those that ask a scheduler, all without the variables of an outer job."""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import Mapping, Sequence

from runx.errors import FarmError, RunxError
from runx.farms import command
from runx.farms.base import ArrayLimit, Farm, FarmType, Submission
from runx.farms.environment import cleared, cleared_to_submit
from runx.farms.registry import farm_type_of
from runx.processes import CommandNotFound, CommandTimeout, Finished, run_command

_ASKED_IN_FULL = {"SLURM_BITSTR_LEN": "0"}
"""What lets Slurm list the tasks of an array that never began without cutting their line short."""
QUERY_SECONDS = 60.0
"""Seconds until a query of a scheduler, or a command that ends jobs, is given up."""


class NotStarted(FarmError):
    """A submit command could not be started: nothing was submitted."""


def call(words: Sequence[str]) -> Finished:
    """Run a command that queries a scheduler, or orders something; raises CommandError."""
    environment = {**cleared(), **_ASKED_IN_FULL}
    return run_command(words, environment=environment, timeout=QUERY_SECONDS)


def execute(submission: Submission, farm: Farm, farm_type: FarmType, lock: int = -1) -> Finished:
    """Run a submit command to its end; one that takes longer than its type allows is killed.

    Raises NotStarted where it could not be started.
    """
    words = submission.words
    try:
        return run_command(
            words,
            environment={**cleared_to_submit(farm.submit_cmd), **submission.environment},
            stdin=submission.stdin,
            timeout=farm_type.submit_timeout,
            pass_fds=() if lock < 0 else (lock,),
        )
    except CommandTimeout as error:
        return Finished(words, -signal.SIGKILL, "", str(error))
    except CommandNotFound:
        raise NotStarted(f"{words[0]} is not found on PATH; {farm_type.package}") from None
    except RunxError as error:
        raise NotStarted(str(error)) from None


def shell_line(submission: Submission) -> str:
    """Return the command of a submission as shell, with its stdin."""
    words = submission.words
    variables = (f"{name}={shlex.quote(value)}" for name, value in submission.environment.items())
    line = words[2] if words[:2] == ("bash", "-c") else shlex.join(words)
    stdin = [f"<{shlex.quote(str(submission.script))}"] if submission.script else []
    if submission.stdin and not submission.script:
        stdin = [_here_document(submission.stdin)]
    return " ".join([*variables, line, *stdin])


def _here_document(text: str) -> str:
    """Return text as a shell gives it to a command as stdin.

    >>> print(_here_document("a"))
    <<'RUNX'
    a
    RUNX
    """
    end = "RUNX"
    while end in text:
        end += "X"
    return f"<<'{end}'\n{text.removesuffix(chr(10))}\n{end}"


def largest_array(farm: Farm) -> int:
    """Return the size of the largest array that the site takes, or the usual one."""
    farm_type = farm_type_of(farm.type)
    limit = farm_type.limit
    while limit is not None:
        if largest := _largest_by(limit):
            return largest
        limit = limit.fallback
    return farm_type.largest


def _largest_by(limit: ArrayLimit) -> int | None:
    try:
        finished = call(limit.command)
    except RunxError:
        return None
    return None if finished.status else limit.read(finished.output)


def missing_program(farm: Farm, environment: Mapping[str, str]) -> str | None:
    """Return a message if the program that submits is not found, else None."""
    farm_type = farm_type_of(farm.type)
    program = farm_type.programs[0] if farm_type.programs else command.program(farm.submit_cmd)
    if program is None or shutil.which(program, path=environment.get("PATH")):
        return None
    if farm_type.programs:
        return f"{program}: not found on PATH; {farm_type.package}, or run here with -i"
    return (
        f"{program}: not found on PATH; SUBMIT_CMD of farm {farm.name} starts it."
        " Install it, load its module, or run here with -i"
    )
