"""What the settings put around a run's command: the shell's lines, and how it is requeued."""

from __future__ import annotations

from typing import NamedTuple


class Shell(NamedTuple):
    """What the settings put around the command.

    ``wrap`` precedes the command, ``launch`` is ``torchrun`` or empty, ``separate`` is true if
    stderr has a file of its own. ``linger`` is for how many seconds what the script leaves may go
    on after its end.
    """

    setup: str = ""
    teardown: str = ""
    wrap: str = ""
    launch: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    separate: bool = False
    setup_may_fail: bool = False
    linger: float = 30.0


PLAIN = Shell()
"""Nothing around the command."""


class Requeue(NamedTuple):
    """How a run is requeued after its scheduler's warning: ``max`` times at most.

    The warning comes ``before`` seconds before the end. What the script gets of it is ``forward``:
    ``signal`` (USR1), ``term``, or ``note`` (the file stop_requested alone).
    """

    max: int = 5
    before: int = 120
    forward: str = "term"
