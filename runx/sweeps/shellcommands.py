"""The commands of a CMD: which one further arguments at its end would reach, and where they belong.

A CMD may be several commands, of which at most one is the script that hyperparameters are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from runx.sweeps.shellscan import CONTINUED, ENDS_WORD, HERE, HERE_QUOTED, Char, chars_of
from runx.sweeps.shellscan import unquoted as text_of
from runx.sweeps.shelltext import BARE, COMMENT, NO_PROGRAMS
from runx.sweeps.shellwords import (
    JOINS_SHELL_TEXT,
    PREFIX,
    TAKE_COMMANDS,
    from_program,
    program_of,
    takes_commands,
)

_ENDS_COMMAND = frozenset("\n;&|")

_NO_COMMAND = frozenset(["for", "select", "case", "fi", "done", "esac", "}", "))"])

_FUNCTION = re.compile(
    r"\s*(?:function\s+([\w.:-]+)\s*(?:\(\s*\))?|([\w.:-]+)\s*\(\s*\))\s*(?=\{|\Z)"
)

_CASE = re.compile(r"\s*case\s.*?\sin\s[^)]*\)", re.DOTALL)

_BEFORE_GROUP = re.compile(r"(?:(?:!|time|if|then|else|elif|do|while|until|\{)\s+)*")

_PARAMETERS = re.compile(r"\$[@*]|\$\{[@*]|\bshift\b")

_OPTION = re.compile(r"--(?:wrap|command)=")

# Programs that prepare and tidy up: no hyperparameter is for one of them where there is a script.
_UTILITIES = """
apt apt-get awk aws basename cat chgrp chmod chown clear cmake cmp conda cp curl cut date dd df
diff dirname du echo expr file find free gawk gcloud git grep gsutil gunzip gzip head hostname id jq
ldconfig ln locale ls lscpu lsof make md5sum mkdir mkfifo mktemp mount mv ninja nproc nvcc
nvidia-smi paste pgrep pip pip3 pkill printenv printf ps readlink realpath rm rmdir rsync scp sed
seq sha256sum sort stat stty sync tail tar tee top touch tput tr tree tty uname uniq unzip uptime
virtualenv wc wget which who whoami yes zcat zip
"""

_USE_NOTHING = NO_PROGRAMS | {"false", "sleep", "true"}

_RANKS = dict.fromkeys(_USE_NOTHING, 2) | dict.fromkeys(
    [*_UTILITIES.split(), ".", "eval", "source"], 1
)

_PREPARES = frozenset(["activate", "fetch", "install", "lock", "pull", "sync", "update", "upgrade"])

# They part the arguments of several commands, or of one from what it is executed with.
_SEPARATORS = frozenset([":", ":::", ":::+", "::::"])


class Command(NamedTuple):
    """A simple command: its words unquoted, the offset of its end, and whether it is in another.

    ``end`` is where arguments belong: in ``sh -c "..."`` it is inside of the quotes.
    """

    words: tuple[str, ...]
    end: int
    is_inner: bool = False

    @property
    def program(self) -> str:
        """The name of the program, what precedes it left out."""
        return program_of(self.words)

    @property
    def rank(self) -> int:
        """0 of what may be a script, 1 of a program that prepares or tidies up, 2 of builtins."""
        what = from_program(self.words)[1:3]
        if not self.program or what == ("-m", "pip") or not _PREPARES.isdisjoint(what[:1]):
            return 2
        if what[:1] in (("run",), ("exec",)):
            return 0
        return _RANKS.get(self.program, 0)


class _Segment(NamedTuple):
    """The steps of a command, from one separator to the next; ``end`` is the offset of its end."""

    chars: list[Char]
    start: int
    end: int


class _Word(NamedTuple):
    """A word, its text unquoted, and the offsets of its start and end."""

    text: str
    start: int
    end: int

    def quoted(self, text: str) -> tuple[int, int] | None:
        """Return the offsets of what is in its quotes; None where they aren't around all of it."""
        option = _OPTION.match(text, self.start, self.end)
        start = option.end() if option else self.start
        is_quoted = text[start] in "'\"" and text[self.end - 1] == text[start]
        return (start + 1, self.end - 1) if is_quoted and self.end - start > 2 else None


class Ending(NamedTuple):
    """Whether arguments at the end of a CMD reach its script, and where else they would."""

    is_script: bool
    place: int


def ending(text: str) -> Ending:
    """Return whether arguments at the end of a CMD are for its one script, and their likely place.

    >>> ending("cd x && python x.py"), ending("python x.py && echo done")
    (Ending(is_script=True, place=19), Ending(is_script=False, place=11))
    """
    functions: dict[str, bool] = {}
    commands = list(_commands(text, 0, functions))
    if not commands:
        return Ending(False, len(text))
    last = commands[-1]
    takers = [each for each in commands if functions.get(each.program, True)] or commands
    best = min(command.rank for command in takers)
    wanted = [command for command in takers if command.rank == best]
    is_end = not last.is_inner and last.end == len(text.rstrip())
    is_clear = len(commands) == 1 or wanted == [last] or functions.get(last.program, False)
    is_script = is_end and is_clear and not _SEPARATORS.intersection(last.words)
    return Ending(is_script, wanted[-1].end)


def _commands(text: str, offset: int, functions: dict[str, bool]) -> Iterator[Command]:
    """Yield the simple commands of a text that stands at an offset; note its functions.

    Of each it is noted whether it may hand its arguments on.
    """
    for segment in _segments(text):
        body = text[segment.start : segment.end]
        defined = _FUNCTION.match(body)
        if defined:
            passes = bool(_PARAMETERS.search(text, segment.start))
            functions[defined[1] or defined[2]] = passes
        if head := defined or _CASE.match(body):
            skipped = segment.start + head.end()
            segment = _Segment(
                [c for c in segment.chars if c.offset >= skipped], skipped, segment.end
            )
        group = _group(text, segment)
        if group is not None:
            inner = _commands(text[slice(*group)], offset + group[0], functions)
            yield from (command._replace(is_inner=True) for command in inner)
            continue
        words = _words(segment)
        while words and PREFIX.fullmatch(words[0].text):
            del words[0]
        if words and words[0].text not in _NO_COMMAND:
            yield from _command(text, offset, words, segment.end, functions)


def _command(
    text: str, offset: int, words: list[_Word], end: int, functions: dict[str, bool]
) -> Iterator[Command]:
    """Yield a command, or those that it hands to another shell."""
    names = tuple([word.text for word in words])
    at = _handed_on(text, words)
    if at is not None:
        inner: list[Command] = []
        if inside := words[at].quoted(text):
            start, stop = inside
            if program_of(names) in JOINS_SHELL_TEXT and text[start] == text[stop - 1] in (
                "'",
                '"',
            ):
                start, stop = start + 1, stop - 1
            inner = list(_commands(text[start:stop], offset + start, functions))
        for command in inner or [Command(names, offset + end)]:
            yield command._replace(is_inner=True)
    elif names[-1] == ";" or (names[0] == "find" and names[-1] == "+"):
        # What find -exec ends by is no place for arguments.
        yield Command(names, offset + len(text[: words[-1].start].rstrip()), True)
    else:
        yield Command(names, offset + end)


def _handed_on(text: str, words: list[_Word]) -> int | None:
    """Return which word another shell reads, if arguments at the end don't reach its script."""
    names = [word.text for word in words]
    for at in range(1, len(words)):
        is_command = takes_commands(names[:at]) and not names[at].startswith("-")
        is_option = program_of(names) in TAKE_COMMANDS and _OPTION.match(names[at])
        if is_command or is_option:
            # Further words are its parameters.
            return None if _PARAMETERS.search(names[at]) and at + 1 < len(words) else at
    inside = words[-1].quoted(text)
    if inside and program_of(names) in JOINS_SHELL_TEXT:
        inner = text[slice(*inside)]
        is_nested = any(each.program in JOINS_SHELL_TEXT for each in _commands(inner, 0, {}))
        # Of quotes in quotes the end may be no place for arguments.
        is_clear = "'\\''" not in inner or not is_nested
        return None if is_clear and ending(inner).is_script else len(words) - 1
    return None


def _segments(text: str) -> Iterator[_Segment]:
    """Yield the commands of a text, cut at what separates commands."""
    segment: list[Char] = []
    chars = chars_of(text)
    for at, char in enumerate(chars):
        is_remark = char.quotes in (COMMENT, HERE, HERE_QUOTED)
        is_remark = is_remark or (char.quotes == BARE and char.text == "#" and char.is_mark)
        if is_remark or (_is_separator(char) and not _is_redirection(chars, at)):
            yield from _segment(text, segment)
            segment = []
        else:
            segment.append(char)
    yield from _segment(text, segment)


def _segment(text: str, chars: list[Char]) -> Iterator[_Segment]:
    while chars and not chars[-1].text.strip(" \t\n\\"):
        chars = chars[:-1]
    while chars and not chars[0].text.strip(" \t\n"):
        chars = chars[1:]
    if chars:
        last = chars[-1]
        yield _Segment(chars, chars[0].offset, last.offset + len(last.text))


def _is_separator(char: Char) -> bool:
    return char.quotes == BARE and char.depth == 1 and char.text in _ENDS_COMMAND


def _is_redirection(chars: list[Char], at: int) -> bool:
    """Return whether an ``&`` or ``|`` belongs to a redirection, as in ``2>&1``."""
    before = chars[at - 1].text if at else ""
    after = chars[at + 1].text if at + 1 < len(chars) else ""
    if chars[at].text == "&":
        return before in ("<", ">") or (after == ">" and before != "&")
    return chars[at].text == "|" and before == ">"


def _group(text: str, segment: _Segment) -> tuple[int, int] | None:
    """Return the offsets of what is in the brackets of a ``( )``, None where there are none."""
    prefix = _BEFORE_GROUP.match(text, segment.start)
    start = prefix.end() if prefix else segment.start
    if text[start : start + 1] != "(":
        return None
    closers = [c.offset for c in segment.chars if c.is_mark and c.text == ")" and c.depth == 2]
    return start + 1, closers[-1] if closers else segment.end


def _words(segment: _Segment) -> list[_Word]:
    """Return the words of a command but for its redirections."""
    words: list[list[Char]] = [[]]
    is_target = False
    for char in segment.chars:
        is_array = char.text == "(" and bool(words[-1]) and words[-1][-1].text == "="
        is_end = char.quotes == BARE and char.depth == 1 and char.text in ENDS_WORD
        if is_end and not is_array:
            is_redirection = char.text in "<>"
            if words[-1] and (is_target or (is_redirection and text_of(words[-1]).isdigit())):
                words[-1], is_target = [], False
            is_target = is_target or is_redirection
            words.append([])
        elif char.text != CONTINUED:
            words[-1].append(char)
    if is_target:
        words[-1] = []
    return [
        _Word(text_of(word), word[0].offset, word[-1].offset + len(word[-1].text))
        for word in words
        if word
    ]
