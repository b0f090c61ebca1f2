"""Text as a POSIX shell reads it: quoting words, and finding LOGDIR in a command of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

LOGDIR = "LOGDIR"
"""What stands for a run's directory in CMD and in values."""

BARE, DOUBLE, SINGLE, ANSI, COMMENT = "bare", "double", "single", "ansi", "comment"

BRACED = "braced"
"""Inside ``"${x:-here}"``, where bash minds an apostrophe unless it is quoted once more."""

_UNSAFE = re.compile(r"[^\w@%+=:,./-]", re.ASCII)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_WHOLE = re.compile(r"(?<![\w$\\])(?<!\$\{)LOGDIR(?!\w)")

_FIRST = re.compile(r"[\w./+-]+(?=\s|\Z)", re.ASCII)

_ACTIVE = frozenset("\n;&|<>()`$#{}!*?[]~\\")

# Words that bash, or the functions that clusters put into its environment, answer themselves.
_ANSWERED = """
. : [ [[ alias bg bind break builtin caller case cd command compgen complete compopt conda continue
coproc declare dirs disown do done echo elif else enable esac eval exec exit export fc fg fi for
function getopts hash help history if in jobs kill let local logout mamba mapfile micromamba ml
module nvm popd printf pushd pwd pyenv read readarray readonly return select set shift shopt source
spack suspend test then time times trap type typeset ulimit umask unalias unset until wait while
"""

_NOT_FILES = frozenset(_ANSWERED.split())


class Piece(NamedTuple):
    """A stretch of a command, and the quotes that LOGDIR stands in after it."""

    text: str
    quotes: str


def quote(word: str) -> str:
    """Quote a word, on one line whatever it holds.

    >>> quote("a.b"), quote("a b"), quote("it's"), quote("two\\nlines"), quote("")
    ('a.b', "'a b'", "'it'\\\\''s'", "$'two\\\\nlines'", "''")
    """
    if not word:
        return "''"
    if not _UNSAFE.search(word):
        return word
    if not _CONTROL.search(word):
        return "'" + word.replace("'", "'\\''") + "'"
    escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "$'" + _CONTROL.sub(lambda found: f"\\{ord(found[0]):03o}", escaped) + "'"


def is_safe(text: str) -> bool:
    """Tell whether a text reads as itself in any kind of quotes, and in none.

    >>> is_safe("/logs/run_1"), is_safe("it's")
    (True, False)
    """
    return not _UNSAFE.search(text)


def place(path: str) -> dict[str, str]:
    """Write a path so that it reads as itself in each kind of quotes.

    >>> place("/a b")["bare"], place("/a b")["double"]
    ("'/a b'", '/a b')
    """
    doubled = re.sub(r'([\\"$`])', r"\\\1", path)
    return {
        BARE: quote(path),
        DOUBLE: doubled,
        BRACED: f'"{doubled}"',
        SINGLE: path.replace("'", "'\\''"),
        ANSI: f"'{quote(path)}$'",
        COMMENT: path,
    }


def variable(name: str) -> dict[str, str]:
    """Write a shell variable so that it expands, whole, in each kind of quotes.

    >>> variable("D")["bare"], variable("D")["single"]
    ('"$D"', '\\'"$D"\\'')
    """
    return {
        BARE: f'"${name}"',
        DOUBLE: f"${{{name}}}",
        BRACED: f"${{{name}}}",
        SINGLE: f"'\"${name}\"'",
        ANSI: f"'\"${name}\"$'",
        COMMENT: LOGDIR,
    }


@lru_cache(maxsize=64)
def pieces(command: str) -> tuple[Piece, ...]:
    """Cut a command where LOGDIR stands as a whole word that no ``$`` precedes.

    >>> [tuple(piece) for piece in pieces("train --out LOGDIR/x $LOGDIR")]
    [('train --out ', 'bare'), ('/x $LOGDIR', '')]
    """
    spots = [found.start() for found in _WHOLE.finditer(command)]
    quotes = dict(_quotes(command)) if spots else {}
    cuts, start = [], 0
    for spot in spots:
        if spot in quotes:
            cuts.append(Piece(command[start:spot], quotes[spot]))
            start = spot + len(LOGDIR)
    return (*cuts, Piece(command[start:], ""))


def filled(command: str, spelling: dict[str, str]) -> str:
    """Put a directory in LOGDIR's place, spelt as the quotes around it ask for.

    >>> filled('ls "LOGDIR" LOGDIR', place("/a b"))
    'ls "/a b" \\'/a b\\''
    """
    return "".join(piece.text + spelling.get(piece.quotes, "") for piece in pieces(command))


def is_simple(command: str) -> bool:
    """Tell whether a command is one program with arguments, so that ``exec`` may precede it.

    >>> is_simple("python train.py"), is_simple("cd x && python train.py"), is_simple("A=1 python")
    (True, False, False)
    """
    first = _FIRST.match(command)
    if not first or first[0] in _NOT_FILES:
        return False
    return not any(quotes == BARE and command[spot] in _ACTIVE for spot, quotes in _quotes(command))


def _quotes(text: str) -> Iterator[tuple[int, str]]:
    """Give the places in a command, each with the quotes it stands in.

    An escaped character is passed over with its backslash, as what opens or closes is.
    """
    stack = [("", BARE)]
    spot = 0
    while spot < len(text):
        yield spot, stack[-1][1]
        spot += _step(text, spot, stack)


def _step(text: str, spot: int, stack: list[tuple[str, str]]) -> int:
    """Note what a character opens or closes; give how many characters that took."""
    closer, quotes = stack[-1]
    here, pair = text[spot], text[spot : spot + 2]
    if here == closer:
        stack.pop()
        return 1
    if quotes in (SINGLE, COMMENT):
        return 1
    if here == "\\":
        return 2
    if quotes == ANSI:
        return 1
    opened = _opened(here, pair, quotes)
    if opened:
        stack.append(opened[1:])
        return len(opened[0])
    if here == "#" and quotes == BARE and (spot == 0 or text[spot - 1] in " \t\n;&|("):
        stack.append(("\n", COMMENT))
    return 2 if pair == "$$" else 1


def _opened(here: str, pair: str, quotes: str) -> tuple[str, str, str] | None:
    """Say what begins here: its opening, what closes it, and how its inside is quoted."""
    if pair == "$(":
        return pair, ")", BARE
    if pair == "${":
        return pair, "}", BRACED if quotes == DOUBLE else quotes
    if here == "`":
        return here, "`", BARE
    if here == '"':
        return here, '"', DOUBLE
    if quotes == BARE:
        if pair == "$'":
            return pair, "'", ANSI
        if here == "'":
            return here, "'", SINGLE
        if here == "(":
            return here, ")", BARE
    return None
