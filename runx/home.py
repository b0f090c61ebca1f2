"""The user's name and home folder, also where the system knows neither, and the machine's file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MACHINE_FILE = Path("/etc/runx.yml")
"""The settings of all users of this machine."""


def user_name(environment: Mapping[str, str] = os.environ) -> str:
    """Return the user's name: that of the environment or the system, else the user's number.

    >>> user_name({"USER": "ada"})
    'ada'
    """
    for variable in ("USER", "LOGNAME"):
        if environment.get(variable):
            return environment[variable]
    import pwd  # not at start

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def expanded(path: str) -> Path:
    """Return a path with the home folder for its ``~``, which stays where nobody knows one.

    ``Path.expanduser`` fails there.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111
