"""Where CMD takes values: ``{lr}`` one of them, ``{args}`` all others, ``{config}`` their file.

Found once for a sweep. What CMD places nowhere goes to its end, where that is its script's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from runx.errors import ExpressionError, SweepError
from runx.nearest import nearest
from runx.sweeps.shelltext import COMMENT, LOGDIR, LOGDIR_MARK, is_simple, marked, with_marks
from runx.sweeps.values import Hparam, Point

if TYPE_CHECKING:
    from runx.sweeps.shellfill import Filling


ARGS, FILE = "{args}", "{config}"
"""What CMD may have besides hyperparameters: all that it doesn't name, and the file of ARGS."""

_PLACEHOLDER = re.compile(r"(?<![{$])\{([^{}\n]+)\}(?!\})")

_TEMPLATE = re.compile(r"\{\{-?\s*([^{}\n]+?)\s*-?\}\}")

_NAME = re.compile(r"[A-Za-z_][\w.-]*(?=\Z|[!:|])", re.ASCII)

# These give the braces a meaning of their own: xargs -I{x}, and revisions of git.
_REPLACED = re.compile(r"\b(?:xargs|parallel)\b[^\n;&|]*?\s(?:-I\s*|-i|--replace=)[\"']?\{(\w+)\}")

_REVISION = re.compile(r"@\{(?:upstream|u|push)\}")

# What these are given is commands of theirs, or several: their end is looked at.
_OTHERS = re.compile(r"\b(?:\w*sh|su|runuser|script|flock|sg|sbatch)\s|\s:")

# Their arguments are joined to shell text, in which values are quoted once more.
_JOINS = re.compile(r"\b(?:eval|rsh|ssh|trap)\b")


class PlacementError(SweepError):
    """CMD can't be given its hyperparameters where they would stand."""


class Placement(NamedTuple):
    """CMD with marks: for values, by their names in ``names``, and for LOGDIR.

    With no names, all values follow at the end.
    """

    text: str
    names: tuple[str, ...]

    def others(self, point: Point, kept: Container[str] = ()) -> Point:
        """Return a point without what CMD names, but for what is ``kept``."""
        if not self.names:
            return point
        left_out = {name for name in self.names if name not in kept}
        hparams = tuple([each for each in point.hparams if each.name not in left_out])
        return point._replace(hparams=hparams)


def trimmed(cmd: str) -> str:
    """Return CMD without blanks around it and a backslash that joins its end to nothing.

    >>> trimmed("python x.py \\\\\\n")
    'python x.py'
    """
    text = cmd.strip()
    while (len(text) - len(text.rstrip("\\"))) % 2:
        text = text[:-1].rstrip()
    return text


def placement_of(cmd: str, point: Point, style: str = "dashes") -> Placement:
    """Return where CMD takes the values of a point."""
    names = tuple([hparam.name for hparam in point.hparams]) if "{" in cmd else ()
    return placement(cmd, names, style)


@lru_cache(maxsize=256)
def placement(cmd: str, names: tuple[str, ...], style: str = "dashes") -> Placement:
    """Return where CMD takes hyperparameters in an argument style.

    >>> placement("python x.py {lr} {x}", ("lr", "seed")).names
    ('lr', '{args}')
    """
    text = trimmed(cmd)
    if "{" not in text and not _JOINS.search(text):
        return Placement(text, ())
    places = list(_places(text, names, style))
    if not places and not _JOINS.search(text):
        return Placement(text, ())
    found = [_named(match, style) for match in places]
    if not places or _unplaced(found, names, style):
        found.append(ARGS)
    marks = iter([_mark(number) for number in range(len(found))])
    offsets = {match.start() for match in places}
    text = _PLACEHOLDER.sub(
        lambda match: next(marks) if match.start() in offsets else match[0], text
    )
    return Placement(marked(" ".join([text, *marks])), tuple(found))


def _mark(number: int) -> str:
    from runx.sweeps.shellfill import FIRST_MARK

    return chr(FIRST_MARK + number)


def _named(match: re.Match[str], style: str) -> str:
    """Return the name in a placeholder, or all of one that is no hyperparameter's."""
    is_special = match[0] == ARGS or (match[0] == FILE and style == "file")
    return match[0] if is_special else match[1]


def _unplaced(found: Collection[str], names: Collection[str], style: str) -> list[str]:
    """Return what is left for the end of CMD, given the names that it places."""
    if style == "env" or ARGS in found:
        return []
    if style == "file":
        return [] if FILE in found else [FILE[1:-1]]
    return [name for name in names if name not in found]


def placed_names(cmd: str, names: Collection[str], style: str = "dashes") -> list[str]:
    """Return the names of what CMD places itself, ``{args}`` and ``{config}`` among them.

    >>> placed_names("python x.py {lr} {x}", ["lr", "seed"])
    ['lr']
    """
    return list(
        dict.fromkeys(_named(match, style) for match in _places(trimmed(cmd), names, style))
    )


def _places(text: str, names: Collection[str], style: str) -> Iterator[re.Match[str]]:
    """Yield what names a value in CMD, but for remarks and what has another meaning there."""
    known = {ARGS, *names, *([FILE] if style == "file" else [])}
    found = [match for match in _PLACEHOLDER.finditer(text) if _named(match, style) in known]
    remarks = _remarks(text) if found and "#" in text else ()
    others = set(_REPLACED.findall(text))
    for match in found:
        before = text[: match.start()]
        is_escaped = (len(before) - len(before.rstrip("\\"))) % 2 == 1
        is_revision = bool(_REVISION.match(text, max(0, match.start() - 1)))
        if not (is_escaped or is_revision or match[1] in others or match.start() in remarks):
            yield match


def _remarks(text: str) -> set[int]:
    """Return the offsets of what is in a comment."""
    from runx.sweeps.shellscan import chars_of

    return {char.offset for char in chars_of(text) if char.quotes == COMMENT}


def filled(
    placed: Placement,
    point: Point,
    args: tuple[str, ...],
    file: str,
    words_of: Callable[[Hparam], tuple[str, ...]],
    spelling: Mapping[str, str],
) -> str:
    """Return CMD with a point's values; ``spelling`` is that of LOGDIR in each kind of quotes.

    Raises:
        PlacementError: A value can't stand where CMD has its name.
    """
    from runx.sweeps.shellfill import Filling, fill

    by_name = {hparam.name: hparam for hparam in point.hparams}

    def filling(name: str) -> Filling:
        if name == ARGS:
            return Filling(_symbolic(args), is_list=True, is_given=True)
        if name == FILE:
            return Filling(_symbolic((file,)), is_given=True)
        words = words_of(by_name[name])
        is_list = isinstance(by_name[name].text, tuple) or len(words) != 1
        return Filling(_symbolic(words), is_list, is_given=True, blended=True)

    fillings = {_mark(number): filling(name) for number, name in enumerate(placed.names)}
    try:
        text = fill(placed.text, fillings, is_cmd=True)
    except ExpressionError as error:
        message = str(error).replace(LOGDIR_MARK, LOGDIR)
        raise PlacementError(f"CMD: {message}") from None
    return with_marks(text, spelling)


def _symbolic(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([word.replace(LOGDIR, LOGDIR_MARK) for word in words])


def is_program(cmd: str) -> bool:
    """Return whether CMD is one program with arguments, all of which are its own."""
    return is_simple(cmd) and not _OTHERS.search(cmd)


def refusal(cmd: str, names: tuple[str, ...], style: str = "dashes") -> str:
    """Return why what CMD doesn't place can't follow at its end; empty where it can.

    >>> refusal("python x.py | tee log", ("lr",))[-29:]
    ' python x.py {args} | tee log'
    """
    text = trimmed(cmd)
    if templates := [match for match in _TEMPLATE.finditer(text) if match[1] in names]:
        return f"{templates[0][0]}: write {{{templates[0][1]}}}: in CMD one pair of braces is all"
    found = {_named(match, style) for match in _places(text, names, style)}
    left = _unplaced(found, names, style)
    if not left or is_program(text):
        return ""
    from runx.sweeps.shellcommands import ending

    is_script, place = ending(text)
    if is_script:
        return ""
    start, stop = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    line = f"{text[start:place]} {{args}}{text[place : stop if stop >= 0 else len(text)]}"
    return (
        "which of its commands are the hyperparameters for? Say so by {args}, or by"
        f" {{{left[0]}}} for one of them: {line.strip()}"
    )


def unmatched(cmd: str, names: Collection[str], style: str = "dashes") -> dict[str, str]:
    """Return the names in CMD that are nearly those of hyperparameters, each with the nearest.

    >>> unmatched("python x.py {lrr} {x:.3f} {print}", ["lr", "x"])
    {'lrr': 'lr', 'x:.3f': 'x'}
    """
    known = [ARGS[1:-1], *names, *([FILE[1:-1]] if style == "file" else [])]
    others = {*known, *_REPLACED.findall(cmd)}
    meant = {}
    for match in _PLACEHOLDER.finditer(cmd):
        name = _NAME.match(match[1])
        if name is None or match[1] in others or _REVISION.match(cmd, match.start() - 1):
            continue
        if close := nearest(name[0], known, most=1, least=0.75):
            meant[match[1]] = close[0]
    return meant
