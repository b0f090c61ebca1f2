"""How the API prints where its caller gives no functions of its own: data on stdout, all else on
stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

Say = Callable[[str], None]
"""Takes a line for people."""


def data(line: str) -> None:
    """Print a line of data."""
    print(line, flush=True)


def remark(line: str) -> None:
    """Print a line that is no data."""
    print(line, file=sys.stderr, flush=True)


def warning(line: str) -> None:
    """Print a warning."""
    remark(f"warning: {line}")
