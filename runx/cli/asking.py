"""The question of GIT_DIRTY: ask, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from runx.cli.console import say
from runx.errors import RunxError
from runx.launching.context import refuse

_MOST = 20
"""The most changes that are shown."""
_ANSWERS = ("record", "stop", "commit")


def ask_about_changes(problem: str, changes: Sequence[str]) -> str:
    """Show what is not committed and ask what to do; return a commit's message, "" to record.

    Raises RunxError to stop, and where there is nobody to ask.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return refuse(problem, changes)
    say(f"{problem}:")
    for line in changes[:_MOST]:
        say(f"  {line}")
    if len(changes) > _MOST:
        say(f"  and {len(changes) - _MOST} more")
    say("record: keep them as a patch with this launch, and go on")
    say("stop:   start nothing, to commit them first")
    say("commit: commit just these, with a message of yours, and go on")
    answer = _answer()
    if answer == "stop":
        raise RunxError("nothing started; commit the changes, then launch again")
    return _message() if answer == "commit" else ""


def _answer() -> str:
    """Return what is answered; a first letter is enough."""
    while True:
        given = click.prompt("record, stop or commit?", prompt_suffix=" ", err=True)
        for answer in _ANSWERS:
            if answer.startswith(given.strip().lower()) and given.strip():
                return answer


def _message() -> str:
    while True:
        message: str = click.prompt("message of the commit", err=True).strip()
        if message:
            return message
