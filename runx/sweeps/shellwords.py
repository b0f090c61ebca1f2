"""Words of shell text, and the programs that take one as shell text or code of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from runx.sweeps.shellscan import CONTINUED, HERE, HERE_QUOTED, SHELL, Char, unquoted
from runx.sweeps.shelltext import COMMENT

_ENDS_COMMAND = frozenset("\n;&|()")

PREFIX = re.compile(r"[A-Za-z_]\w*\+?=.*|[!{]|if|then|else|elif|do|while|until|time", re.S)
"""What bash itself reads before a command: assignments and keywords."""

_WRAPPERS = frozenset(["builtin", "command", "env", "exec", "nohup", "sudo"])

_TAKES_SHELL_TEXT = re.compile(r"-(?!exec)[eilux]*c|--wrap|--command")

# Of the programs that are known to.
_GIVES_COMMANDS = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*|--wrap|--command")

_SHELLS = re.compile(rf"(?:.*/)?{SHELL}")

_SHELL_OPTIONS = re.compile(
    r"(?:(?:[-+]\w*[oO]|--rcfile|--init-file) \S+ |[-+](?!\w*[oO] )[\w-]+ )*"
)

_SSH_WITH_VALUE = re.compile(r"-\w*[BbcDEeFIiJLlmOopQRSWw]")

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


def from_program(words: Sequence[str]) -> Sequence[str]:
    """Return the words of a command from its program on.

    >>> from_program(["time", "A=1", "nohup", "python", "x.py", "A=1"])
    ['python', 'x.py', 'A=1']
    """
    start = 0
    while start < len(words) and (words[start] in _WRAPPERS or PREFIX.fullmatch(words[start])):
        start += 1
    return words[start:]


def program_of(words: Sequence[str]) -> str:
    """Return the name of a command's program, empty where there is none.

    >>> program_of(["sudo", "/bin/su", "-c"]), program_of(["A=1"])
    ('su', '')
    """
    return next(iter(from_program(words)), "").rpartition("/")[2]


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
    names, program = from_program(before), program_of(before)
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
    lead = "".join(f"{word} " for word in _joined(names)) if is_joined else ""
    is_shell_text = follows or is_option or is_joined
    return Word(rest if is_option else text, is_shell_text, is_joined, refused, lead)


def _joined(names: Sequence[str]) -> list[str]:
    """Return the words that a program joins to shell text: of ssh, those after the host.

    >>> _joined(["ssh", "-p", "22", "-t", "host", "bash", "-c"])
    ['bash', '-c']
    """
    words = list(names[1:])
    if program_of(names) not in ("ssh", "rsh"):
        return words
    while words and words[0].startswith("-"):
        del words[: 2 if _SSH_WITH_VALUE.fullmatch(words[0]) else 1]
    return words[1:]


def takes_commands(before: Sequence[str]) -> bool:
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
    return program_of(before) in TAKE_COMMANDS


def _takes_code(names: Sequence[str], interpreters: re.Pattern[str]) -> str:
    """Return the interpreter that takes what follows these words as code, as after ``-W x -c``."""
    for at, name in enumerate(names):
        options = names[at + 1 :]
        if not (interpreters.fullmatch(name) and options and _GIVES_CODE.fullmatch(options[-1])):
            continue
        pairs = zip(["", *options], options, strict=False)
        if all(word.startswith("-") or last in ("-W", "-X", "-I", "-M") for last, word in pairs):
            return name.rpartition("/")[2]
    return ""
