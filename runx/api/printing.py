"""How the API prints where its caller gives no functions of its own: data on stdout, all else on
stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from runx.printable import printable

Say = Callable[[str], None]
"""Takes a line for people."""


def data(line: str) -> None:
    """Print a line of data."""
    _print(line, sys.stdout)


def remark(line: str) -> None:
    """Print a line that is no data."""
    _print(line, sys.stderr)


def _print(line: str, stream: IO[Any]) -> None:
    """Print a line, which may be lost where the stream is on a full disk or nobody reads it."""
    with suppress(OSError):
        print(printable(line), file=stream, flush=True)


def warning(line: str) -> None:
    """Print a warning."""
    remark(f"warning: {line}")
