"""The commands that go on with a launch, or make it again, from what was typed then. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from runx.rundir.record import PROGRAMS

_ANSWERED = ("--again", "--resume", "--no-resume")


def again_command(words: Sequence[str], states: str = "") -> str:
    """Write the command that goes on with a launch, or starts again what is in some states.

    >>> again_command(["sweep.yml", "-i", "--again", "-j", "2"])
    'runx sweep.yml -i -j 2 --resume'
    >>> again_command(["sweep.yml", "--resume", "--retry", "lost"], "failed,killed")
    'runx sweep.yml --resume --retry failed,killed'
    """
    retry = ["--retry", states] if states else []
    kept = _without_retry(words) if states else iter(words)
    return shlex.join(
        ["runx", *(word for word in kept if word not in _ANSWERED), "--resume", *retry]
    )


def _without_retry(words: Sequence[str]) -> Iterator[str]:
    is_value = False
    for word in words:
        if not is_value and word != "--retry" and not word.startswith("--retry="):
            yield word
        is_value = word == "--retry" and not is_value


def typed(argv: Sequence[str]) -> list[str]:
    """Give the words that a person types to start a program whose argv this was.

    >>> typed(["/venv/bin/runx", "sweep.yml"]), typed(["notebook.py"])
    (['runx', 'sweep.yml'], ['python', 'notebook.py'])
    """
    first, *words = argv
    is_program = first.rpartition("/")[2] in PROGRAMS
    return ["runx", *words] if is_program else ["python", *argv]


def there(command: str, cwd: str, here: str = "") -> str:
    """Write a command so that it is executed in the folder where it belongs.

    >>> there("runx a.yml", "/my project"), there("runx a.yml", "/p", here="/p")
    ("(cd '/my project' && runx a.yml)", 'runx a.yml')
    """
    return command if cwd == here else f"(cd {shlex.quote(cwd)} && {command})"
