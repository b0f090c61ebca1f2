"""Shell text letter by letter, as bash reads it: in which quotes and command each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from runx.sweeps.shelltext import ANSI, BARE, COMMENT, DOUBLE, SINGLE, step

HERE, HERE_QUOTED, ARITHMETIC = "here-document", "quoted here-document", "arithmetic"

HERE_CODE = "here-document that is executed"
"""What a shell reads of a here-document: all of it, or what is in its ``$( )``."""

CONTINUED = "\\\n"
"""What joins two lines to one."""

_HEREDOC = re.compile(
    r"""<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\([\w.-]+)|([\w.-]+))(?=[\s;&|)<>]|\Z)"""
)

ENDS_WORD = frozenset(" \t\n;&|<>()")

SHELL = r"(?:ba|da|z|k|a)?sh"
"""A regular expression of the shells that have bash's grammar."""

# These read a here-document as commands, or hand it to a shell.
_READS_COMMANDS = re.compile(
    rf"(?<![\w.-]){SHELL}(?![\w.-])|\b(?:rsh|eval|sbatch|[qb]sub|parallel)\b"
)


class Char(NamedTuple):
    """A step through a text: its offset and letters, and the quotes that it stands in.

    ``depth`` counts what is open around it, ``home`` is the depth of the command that it belongs
    to. ``problem`` says why hardly a value may stand here. ``is_mark`` is true of what opens or
    closes quotes.
    """

    offset: int
    text: str
    quotes: str
    depth: int
    home: int
    problem: str = ""
    is_mark: bool = False

    @property
    def ends_word(self) -> bool:
        """Whether it separates words of its command."""
        return self.quotes == BARE and self.depth == self.home and self.text in ENDS_WORD


def chars_of(text: str) -> list[Char]:
    """Return the steps of bash through a text; letters after a backslash are one with it."""
    return list(_Scan(text).chars())


class _Scan:
    """One reading of a text."""

    def __init__(self, text: str) -> None:
        self.text, self.offset = text, 0
        self.stack = [("", BARE)]
        self.arithmetic = 0
        self.lost = ""
        self.documents: list[re.Match[str]] = []

    def chars(self) -> Iterator[Char]:
        """Yield the steps."""
        while self.offset < len(self.text):
            if self.documents and self.text[self.offset] == "\n" and self.stack[-1][1] == BARE:
                yield self._char(1)
                yield from self._bodies()
                continue
            self._notice()
            char, depth = self._char(0), len(self.stack)
            width = step(self.text, self.offset, self.stack)
            letters = self.text[self.offset : self.offset + width]
            yield char._replace(text=letters, is_mark=depth != len(self.stack))
            self.offset += width

    def _char(self, width: int) -> Char:
        """Return the step of so many letters, and pass on."""
        depth = len(self.stack)
        commands = [
            at
            for at, (closer, quotes) in enumerate(self.stack, 1)
            if quotes == BARE and closer != "}"
        ]
        letters = self.text[self.offset : self.offset + width]
        char = Char(self.offset, letters, self.stack[-1][1], depth, commands[-1], self._problem())
        self.offset += width
        return char

    def _notice(self) -> None:
        """Note where arithmetic and here-documents begin."""
        quotes, here = self.stack[-1][1], self.text[self.offset : self.offset + 3]
        if len(self.stack) < self.arithmetic:
            self.arithmetic = 0
        if quotes in (SINGLE, ANSI, COMMENT) or self.arithmetic:
            return
        if here == "$((" or (here[:2] == "((" and quotes == BARE):
            self.arithmetic = len(self.stack) + 1
        elif here[:2] == "$[":
            self.lost = "after $["
        elif here[:2] == "<<" and here != "<<<" and quotes == BARE:
            document = _HEREDOC.match(self.text, self.offset)
            if document:
                self.documents.append(document)
            elif self.text[self.offset - 1 : self.offset] != "<":
                self.lost = "after such a here-document"

    def _problem(self) -> str:
        closers = [closer for closer, _ in self.stack]
        if self.lost:
            return self.lost
        if self.arithmetic and len(self.stack) >= self.arithmetic:
            return ARITHMETIC
        if "`" in closers:
            return "in backticks"
        if "}" in closers:
            return "in ${ }"
        # The ) of a case in brackets closes them for us, and not for bash.
        is_blurred = "(" in self.text and re.search(r"\besac\b", self.text)
        return "beside case ... esac and brackets" if is_blurred else ""

    def _bodies(self) -> Iterator[Char]:
        """Yield the steps through the here-documents that begin on this line."""
        for document in self.documents:
            dash, *delimiters, plain = document.groups()
            name = next(filter(None, [*delimiters, plain]), "")
            quotes = HERE if plain else HERE_QUOTED
            tabs = r"\t*" if dash else ""
            found = re.compile(f"^{tabs}{re.escape(name)}$", re.M).search(self.text, self.offset)
            stop = found.end() if found else len(self.text)
            line = self.text[self.text.rfind("\n", 0, document.start()) + 1 : self.offset - 1]
            is_code = bool(_READS_COMMANDS.search(line)) or bool(
                plain and re.search(r"`|\$[({\[]", self.text[self.offset : stop])
            )
            while self.offset < stop:
                char = self._char(1)
                problem = char.problem or (HERE_CODE if is_code else "")
                yield char._replace(quotes=quotes, problem=problem)
        self.documents = []


def unquoted(chars: list[Char]) -> str:
    """Return the text of a word without its quotes and backslashes."""
    letters = []
    for char in chars:
        if char.is_mark or char.text == CONTINUED:
            continue
        escapes = char.text[:1] == "\\" and len(char.text) == 2
        if escapes and (char.quotes != DOUBLE or char.text[1] in '\\"$`'):
            letters.append(char.text[1])
        else:
            letters.append(char.text)
    return "".join(letters)
