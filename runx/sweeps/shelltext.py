"""Shell text: words quoted, and LOGDIR found and replaced in commands, as bash reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

LOGDIR = "LOGDIR"
"""The placeholder of a run's directory in CMD and in values."""

LOGDIR_MARK = "\ud800"
"""What stands for LOGDIR where values are filled in: no text of a file has this character."""

BARE, DOUBLE, SINGLE, ANSI, COMMENT = "bare", "double", "single", "ansi", "comment"
"""The kinds of quotes that a part of a command stands in; ANSI ones are ``$'...'``."""

BRACED = "braced"
"""Inside ``"${x:-here}"``, where an apostrophe must be quoted once more for bash."""

_UNSAFE = re.compile(r"[^\w@%+=:,./-]", re.ASCII)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_WORD = re.compile(r"(?<![\w$\\])(?<!\$\{)LOGDIR(?!\w)")

_FIRST = re.compile(r"[\w./+-]+(?=\s|\Z)", re.ASCII)

_SPECIAL = frozenset("\n;&|<>()`$#{}!*?[]~\\")

_MAY_BREAK = frozenset(";&|<>()`{}#")

_KEYWORDS = """
case coproc do done elif else esac fi for function if in select then time until while
"""

KEYWORDS = frozenset(_KEYWORDS.split())
"""Words of bash's own language. Quoted, they are words like others."""

# Words that are no programs: builtins of bash, and functions that clusters define.
_BUILTINS = """
. : [ [[ alias bg bind break builtin caller case cd command compgen complete compopt conda continue
coproc declare dirs disown do done echo elif else enable esac eval exec exit export fc fg fi for
function getopts hash help history if in jobs kill let local logout mamba mapfile micromamba ml
module nvm popd printf pushd pwd pyenv read readarray readonly return select set shift shopt source
spack suspend test then time times trap type typeset ulimit umask unalias unset until wait while
"""

NO_PROGRAMS = frozenset(_BUILTINS.split())


class Piece(NamedTuple):
    """A part of a command, and the kind of quotes that the LOGDIR after it stands in."""

    text: str
    quotes: str


def quote(word: str) -> str:
    """Return a word quoted, on one line whatever it holds.

    >>> quote("a.b"), quote("a b"), quote("it's"), quote("two\\nlines"), quote("")
    ('a.b', "'a b'", "'it'\\\\''s'", "$'two\\\\nlines'", "''")
    """
    if not word:
        return "''"
    if not _UNSAFE.search(word):
        return word
    if not _CONTROL.search(word):
        return f"'{in_single_quotes(word)}'"
    escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "$'" + _CONTROL.sub(lambda match: f"\\{ord(match[0]):03o}", escaped) + "'"


def quoted_around(word: str, kept: str) -> str:
    """Return a word quoted but for what is kept, as a placeholder, outside of quotes.

    >>> [quoted_around(word, "LOGDIR") for word in ("LOGDIR/a b", "xLOGDIR", "a b")]
    ["LOGDIR'/a b'", 'xLOGDIR', "'a b'"]
    """
    if kept not in word:
        return quote(word)
    return kept.join([quote(part) if part else "" for part in word.split(kept)])


def in_double_quotes(text: str) -> str:
    """Return a text as it is spelt inside of double quotes."""
    return re.sub(r'([\\"$`])', r"\\\1", text)


def in_single_quotes(text: str) -> str:
    """Return a text as it is spelt inside of single quotes."""
    return text.replace("'", "'\\''")


def place(path: str) -> dict[str, str]:
    """Return the spelling of a path in each kind of quotes.

    >>> place("/a b")["bare"], place("/a b")["double"]
    ("'/a b'", '/a b')
    """
    doubled = in_double_quotes(path)
    return {
        BARE: quote(path),
        DOUBLE: doubled,
        BRACED: f'"{doubled}"',
        SINGLE: in_single_quotes(path),
        ANSI: f"'{quote(path)}$'",
        COMMENT: path,
    }


def variable(name: str) -> dict[str, str]:
    """Return the spelling of a shell variable, expanded as one word, in each kind of quotes.

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
    """Return a command cut at each LOGDIR that is a whole word and follows no ``$``.

    >>> [tuple(piece) for piece in pieces("train --out LOGDIR/x $LOGDIR")]
    [('train --out ', 'bare'), ('/x $LOGDIR', '')]
    """
    offsets = [match.start() for match in _WORD.finditer(command)]
    quotes = dict(_quotes(command)) if offsets else {}
    cut, start = [], 0
    for offset in offsets:
        if offset in quotes:
            cut.append(Piece(command[start:offset], quotes[offset]))
            start = offset + len(LOGDIR)
    return (*cut, Piece(command[start:], ""))


def with_logdir(command: str, spelling: dict[str, str]) -> str:
    """Return a command with a directory for LOGDIR, spelt as the quotes around it require.

    >>> with_logdir('ls "LOGDIR" LOGDIR', place("/a b"))
    'ls "/a b" \\'/a b\\''
    """
    return "".join(piece.text + spelling.get(piece.quotes, "") for piece in pieces(command))


def marked(command: str) -> str:
    """Return a command with a mark for each LOGDIR that ``with_logdir`` would replace.

    >>> marked("ls LOGDIR $LOGDIR").encode(errors="replace")
    b'ls ? $LOGDIR'
    """
    return LOGDIR_MARK.join(piece.text for piece in pieces(command))


def with_marks(command: str, spelling: Mapping[str, str]) -> str:
    """Return a command with a directory for each mark, spelt as the quotes around it require."""
    if LOGDIR_MARK not in command:
        return command
    parts, start = [], 0
    for offset, quotes in _quotes(command):
        if command[offset] == LOGDIR_MARK:
            parts += [command[start:offset], spelling[quotes]]
            start = offset + 1
    return "".join([*parts, command[start:]])


def is_simple(command: str) -> bool:
    """Return whether a command is one program with arguments, so that ``exec`` may precede it.

    >>> is_simple("python train.py"), is_simple("cd x && python train.py"), is_simple("A=1 python")
    (True, False, False)
    """
    first = _FIRST.match(command)
    if not first or first[0] in NO_PROGRAMS:
        return False
    return not any(
        quotes == BARE and command[offset] in _SPECIAL for offset, quotes in _quotes(command)
    )


def may_be_malformed(command: str) -> bool:
    """Return whether bash might fail to read a command: it holds more than words and quotes.

    >>> may_be_malformed("python x.py 'a b'"), may_be_malformed("x 'a"), may_be_malformed("(x)")
    (False, True, True)
    """
    stack = [("", BARE)]
    offset = 0
    while offset < len(command):
        if stack[-1][1] not in (SINGLE, ANSI) and command[offset] in _MAY_BREAK:
            return True
        offset += step(command, offset, stack)
    first = {line.split(maxsplit=1)[0] for line in command.splitlines() if line.strip()}
    return len(stack) > 1 or not KEYWORDS.isdisjoint(first)


def _quotes(text: str) -> Iterator[tuple[int, str]]:
    """Yield the offsets in a command, each with the kind of quotes it stands in.

    There is none for an escaped character, nor for a second one that opens or closes.
    """
    stack = [("", BARE)]
    offset = 0
    while offset < len(text):
        yield offset, stack[-1][1]
        offset += step(text, offset, stack)


def step(text: str, offset: int, stack: list[tuple[str, str]]) -> int:
    """Push what a character opens or pop what it closes; return the number of characters."""
    closer, quotes = stack[-1]
    char, pair = text[offset], text[offset : offset + 2]
    if char == closer:
        stack.pop()
        return 1
    if quotes in (SINGLE, COMMENT):
        return 1
    if char == "\\":
        return 2
    if quotes == ANSI:
        return 1
    opened = _opened(char, pair, quotes)
    if opened:
        stack.append(opened[1:])
        return len(opened[0])
    if char == "#" and quotes == BARE and (offset == 0 or text[offset - 1] in " \t\n;&|()<>"):
        stack.append(("\n", COMMENT))
    return 2 if pair == "$$" else 1


def _opened(char: str, pair: str, quotes: str) -> tuple[str, str, str] | None:
    """Return what begins here, if anything: its opening, its closer, and the quotes inside."""
    if pair == "$(":
        return pair, ")", BARE
    if pair == "${":
        return pair, "}", BRACED if quotes == DOUBLE else quotes
    if char == "`":
        return char, "`", BARE
    if char == '"':
        return char, '"', DOUBLE
    if quotes == BARE:
        if pair == "$'":
            return pair, "'", ANSI
        if char == "'":
            return char, "'", SINGLE
        if char == "(":
            return char, ")", BARE
    return None
