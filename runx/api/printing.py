"""How the API prints where its caller gives no functions of its own: data on stdout, all else on
stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Say = Callable[[str], None]
"""Takes a line for people."""


def data(line: str) -> None:
    """Print a line of data, which may be lost: runs go on where nobody can be told."""
    with unheard():
        print(line, flush=True)


def remark(line: str) -> None:
    """Print a line that is no data, which may be lost, too."""
    with unheard():
        print(line, file=sys.stderr, flush=True)


@contextmanager
def unheard() -> Iterator[None]:
    """Let what is printed be lost where its reader has ended or its disk is full.

    Python keeps a part of it, and tries again with the next line.
    """
    with suppress(OSError):
        yield


def warning(line: str) -> None:
    """Print a warning."""
    remark(f"warning: {line}")
