"""Shell text letter by letter, as bash reads it: in which quotes, word and command each stands."""

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

_ENDS_WORD, _ENDS_COMMAND = frozenset(" \t\n;&|<>()"), frozenset("\n;&|()")

# What may precede the program of a command.
_BEFORE_PROGRAM = re.compile(
    r"[A-Za-z_]\w*=.*|[!{]|if|then|else|elif|do|while|until|time|sudo|env|exec|command|nohup", re.S
)

_TAKES_SHELL_TEXT = re.compile(r"-(?!exec)[eilux]*c|--wrap|--command")

# Of the programs that are known to.
_GIVES_COMMANDS = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*|--wrap|--command")

_SHELL = r"(?:ba|da|z|k|a)?sh"

_SHELLS = re.compile(rf"(?:.*/)?{_SHELL}")

_SHELL_OPTIONS = re.compile(
    r"(?:(?:[-+]\w*[oO]|--rcfile|--init-file) \S+ |[-+](?!\w*[oO] )[\w-]+ )*"
)

# These read a here-document as commands, or hand it to a shell.
_READS_COMMANDS = re.compile(
    rf"(?<![\w.-]){_SHELL}(?![\w.-])|\b(?:rsh|eval|sbatch|[qb]sub|parallel)\b"
)

TAKE_COMMANDS = frozenset(["su", "runuser", "script", "flock", "sg", "sbatch"])
"""Programs that have an option which takes shell text."""

JOINS_SHELL_TEXT = frozenset(["eval", "ssh", "rsh", "trap"])
"""Programs that make shell text of all their arguments."""

# Their operands are computed, and a computed subscript is executed: [[ 'a[$(date)]' -eq 1 ]].
_COMPUTES = frozenset(
    ["[[", "let", "declare", "typeset", "local", "unset", "read", "mapfile", "readarray"]
)

_LANGUAGE = re.compile(r"(?:.*/)?(?:python[\d.]*|perl|ruby|node|julia|Rscript|php|lua|octave)")

_OTHER_SHELL = re.compile(r"(?:.*/)?(?:fish|t?csh|pwsh|xonsh)")

_GIVES_CODE = re.compile(r"-\w*[ceErp]|--eval|--print")


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
        return self.quotes == BARE and self.depth == self.home and self.text in _ENDS_WORD


class Word(NamedTuple):
    """A word: its text without quotes, what the shell in it reads, and how it is read.

    ``body`` is the part that is a shell's text, where ``is_shell_text``; where ``is_joined``, it
    is only a part of that, after ``lead``. ``refused`` is why hardly a value may stand in it.
    """

    body: str
    is_shell_text: bool
    is_joined: bool
    refused: str
    lead: str = ""


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


def word_around(chars: list[Char], at: int, is_cmd: bool = False) -> Word:
    """Return the word that a step belongs to, in a command that submits or, if ``is_cmd``, in CMD.

    The program that submits is anybody's, so that any of its ``-c`` may take shell text.
    """
    home = chars[at].home
    if chars[at].quotes in (HERE, HERE_QUOTED, COMMENT):
        return Word("", False, False, "")
    first, last = at, at + 1
    while first and chars[first - 1].depth >= home and not _ends(chars[first - 1], home):
        first -= 1
    while last < len(chars) and chars[last].depth >= home and not _ends(chars[last], home):
        last += 1
    word, start = unquoted(chars[first:last]), unquoted(chars[first:at])
    if "".join(char.text for char in chars[max(0, first - 9) : first]).rstrip().endswith("<<<"):
        return Word(word, False, False, "after <<<")
    return _word(word, start, _words_before(chars, first, home), is_cmd)


def _ends(char: Char, home: int) -> bool:
    return char.depth == home and char.ends_word


def _words_before(chars: list[Char], first: int, home: int) -> list[str]:
    """Return the words of a command before a step, unquoted."""
    words: list[list[Char]] = [[]]
    for char in reversed(chars[:first]):
        if char.depth < home or (_ends(char, home) and char.text in _ENDS_COMMAND):
            break
        if _ends(char, home):
            words.append([])
        elif char.text != CONTINUED:
            words[-1].append(char)
    return [unquoted(word[::-1]) for word in reversed(words) if word]


def _word(text: str, start: str, before: list[str], is_cmd: bool) -> Word:
    """Return a word, given its text, that before the value, and the words before it."""
    names = [word for word in before if not _BEFORE_PROGRAM.fullmatch(word)]
    program = names[0].rpartition("/")[2] if names else ""
    flag, _, rest = text.partition("=")
    is_option = flag in ("--wrap", "--command") and "=" in start
    if is_cmd:
        is_option = is_option and program in TAKE_COMMANDS
        follows = takes_commands(before)
    else:
        follows = bool(before) and bool(_TAKES_SHELL_TEXT.fullmatch(before[-1]))
    is_joined = program in JOINS_SHELL_TEXT
    refused = ""
    if program in _COMPUTES or (program in ("test", "[", "printf") and "-v" in before):
        refused = f"after {program}, which computes it"
    elif re.match(r"\w+\[[^\]]*\Z", start) and not names:
        refused = "in a subscript"
    elif language := _takes_code(names, _LANGUAGE):
        refused = f"in code of {language}"
    elif shell := _takes_code(names, _OTHER_SHELL):
        refused = f"in commands of {shell}"
    lead = "".join(f"{word} " for word in names[1:]) if is_joined else ""
    is_shell_text = follows or is_option or is_joined
    return Word(rest if is_option else text, is_shell_text, is_joined, refused, lead)


def takes_commands(before: list[str]) -> bool:
    """Return whether what follows these words is given to a shell as its commands.

    >>> takes_commands(["srun", "bash", "-c", "-l"]), takes_commands(["python", "x.py", "-c"])
    (True, False)
    """
    if not any(_GIVES_COMMANDS.fullmatch(word) for word in before):
        return False
    shells = [at for at, word in enumerate(before) if _SHELLS.fullmatch(word)]
    options = before[shells[-1] + 1 :] if shells else []
    has_commands = any(_GIVES_COMMANDS.fullmatch(option) for option in options)
    if has_commands and _SHELL_OPTIONS.fullmatch("".join(f"{option} " for option in options)):
        return True
    if not _GIVES_COMMANDS.fullmatch(before[-1]):
        return False
    names = [word for word in before if not _BEFORE_PROGRAM.fullmatch(word)]
    return bool(names) and names[0].rpartition("/")[2] in TAKE_COMMANDS


def _takes_code(names: list[str], interpreters: re.Pattern[str]) -> str:
    """Return the interpreter that takes what follows these words as code, as after ``-W x -c``."""
    for at, name in enumerate(names):
        options = names[at + 1 :]
        if not (interpreters.fullmatch(name) and options and _GIVES_CODE.fullmatch(options[-1])):
            continue
        pairs = zip(["", *options], options, strict=False)
        if all(word.startswith("-") or last in ("-W", "-X", "-I", "-M") for last, word in pairs):
            return name.rpartition("/")[2]
    return ""


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
