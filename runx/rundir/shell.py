"""What the settings put around a run's command."""

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
