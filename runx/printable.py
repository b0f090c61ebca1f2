"""Text made fit for terminals: what isn't printed but obeyed, or can't be encoded, is escaped."""

from __future__ import annotations

import re

# Colours (SGR), which a script's output may have.
_COLOUR = re.compile(r"\x1b\[[\d;:]*m")

_KEPT = frozenset("\n\t")


def one_line(text: str) -> str:
    r"""Return a text as one line: control characters and bytes that are no UTF-8 are escaped.

    >>> one_line("two\nlines"), one_line("\x1b[31m"), one_line("\udcff")
    ('two\\nlines', '\\x1b[31m', '\\xff')
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def printable(text: str) -> str:
    r"""Return lines of text with all escaped that a terminal would obey, but tabs.

    >>> printable("a\tb\nc\x07")
    'a\tb\nc\\x07'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter in _KEPT else _escaped(letter) for letter in text)


def coloured(text: str) -> str:
    r"""Return a script's output with its colours, tabs and returns, and all else escaped.

    >>> coloured("\x1b[31mred\x1b[0m\x1b]0;title\x07")
    '\x1b[31mred\x1b[0m\\x1b]0;title\\x07'
    """
    if text.isprintable():
        return text
    plain = [printable(part).replace("\\r", "\r") for part in _COLOUR.split(text)]
    colours = [*_COLOUR.findall(text), ""]
    return "".join(part + colour for part, colour in zip(plain, colours, strict=True))


def _escaped(letter: str) -> str:
    """Return a letter, escaped as in Python; one that stands for a byte as that byte."""
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(letter)[1:-1]
