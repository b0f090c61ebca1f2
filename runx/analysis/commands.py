"""Commands that resume or repeat a launch, from the words of its command line. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from runx.rundir.record import PROGRAMS

_DECISIONS = ("--again", "--resume", "--no-resume")


def resume_command(words: Sequence[str], states: str = "", source: str = "") -> str:
    """Return the command that resumes a launch, or retries its runs in some states.

    ``source`` is the file of what was read from standard input, if it was.

    >>> resume_command(["sweep.yml", "-i", "--again", "-j", "2"])
    'runx sweep.yml -i -j 2 --resume'
    >>> resume_command(["sweep.yml", "--resume", "--retry", "lost"], "failed,killed")
    'runx sweep.yml --resume --retry failed,killed --restage'
    >>> resume_command(["-", "-i"], source="/runs/launch.yml")
    'runx - -i --resume < /runs/launch.yml'
    """
    read = f" < {shlex.quote(source)}" if source else ""
    return shlex.join(["runx", *resume_words(words, states)]) + read


def resume_words(words: Sequence[str], states: str = "", more: Sequence[str] = ()) -> list[str]:
    """Return the words after ``runx`` that resume a launch, with ``more`` options.

    What has failed is mended first, so that its retry takes today's code. A retry is of all runs
    in these states, whichever were chosen then. A command follows ``--``, and stays last.

    >>> resume_words(["-i", "--", "python", "train.py"])
    ['-i', '--resume', '--', 'python', 'train.py']
    """
    at = words.index("--") if "--" in words else len(words)
    words, command = words[:at], words[at:]
    retry = ["--retry", states] if states else []
    if "failed" in states.split(",") and "--restage" not in words:
        retry.append("--restage")
    options = _without(words, ("--retry", "--where")) if states else iter(words)
    kept = (word for word in options if word not in _DECISIONS)
    return [*kept, "--resume", *retry, *more, *command]


def _without(words: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line without some options and their values."""
    is_value = False
    for word in words:
        if not is_value and word.partition("=")[0] not in options:
            yield word
        is_value = word in options and not is_value


def command_words(argv: Sequence[str]) -> list[str]:
    """Return the words that start a program again, given its argv.

    >>> command_words(["/venv/bin/runx", "sweep.yml"]), command_words(["notebook.py"])
    (['runx', 'sweep.yml'], ['python', 'notebook.py'])
    """
    first, *words = argv
    is_program = first.rpartition("/")[2] in PROGRAMS
    return ["runx", *words] if is_program else ["python", *argv]


def in_folder(command: str, cwd: str, here: str = "") -> str:
    """Return a command that runs in the folder ``cwd``, from the folder ``here``.

    >>> in_folder("runx a.yml", "/my project"), in_folder("runx a.yml", "/p", here="/p")
    ("(cd '/my project' && runx a.yml)", 'runx a.yml')
    """
    return command if cwd == here else f"(cd {shlex.quote(cwd)} && {command})"
