"""A point as a run's script is given it: as words, a configuration file or the environment.

A shell reads every value quoted. CMD is the user's own shell text; LOGDIR and the names of values
are replaced in it, as the quotes around them require.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from runx.errors import SweepError
from runx.rundir.logdir import Logdir
from runx.rundir.placement import ARGS, FILE, Placement, filled, placement_of
from runx.rundir.spelling import joined
from runx.rundir.styles import DASHES, Style, placed_words, words
from runx.sweeps import shelltext
from runx.sweeps.shelltext import LOGDIR, quoted_around
from runx.sweeps.values import Hparam, Point

_VARIABLE = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


def arguments(point: Point, style: Style = DASHES, cmd: str = "") -> tuple[str, ...]:
    """Return the words of the command line that stand for ``{args}``, LOGDIR symbolic.

    >>> arguments(Point((Hparam("lr", 0.1, "0.1"), Hparam("adam", True, None))))
    ('--lr', '0.1', '--adam')
    """
    return _arguments(point, style, _placement_of(cmd, point, style))


def _arguments(point: Point, style: Style, placed: Placement) -> tuple[str, ...]:
    if style.style == "file":
        return () if FILE in placed.names else ("--config", _file(style))
    hparams = placed.others(point).hparams
    return tuple([word for hparam in hparams for word in words(hparam, style)])


def _placement_of(cmd: str, point: Point, style: Style) -> Placement:
    return placement_of(cmd, point, style.style)


def shell_command(
    cmd: str, point: Point, logdir: Logdir, style: Style = DASHES, exported: bool = False
) -> str:
    """Return CMD with a point's arguments as shell text, on one line if CMD is on one.

    Where the environment holds the arguments it is set first, unless it is ``exported`` already.

    >>> point = Point((Hparam("note", "a b", "a b"), Hparam("out", "LOGDIR/o", "LOGDIR/o")))
    >>> shell_command("python train.py", point, Logdir.at("/logs/run"))
    "python train.py --note 'a b' --out /logs/run/o"
    >>> shell_command("python LOGDIR/code/x.py", point, Logdir.as_variable())
    'python "$RUNX_LOGDIR"/code/x.py --note \\'a b\\' --out "$RUNX_LOGDIR"/o'
    >>> shell_command("python train.py {note} {args} | tail", point, Logdir.at("/logs/run"))
    "python train.py 'a b' --out /logs/run/o | tail"
    """
    placed = _placement_of(cmd, point, style)
    if placed.names:
        line = _filled(placed, point, logdir, style)
    else:
        if style.style == "file":
            quoted = "".join([f" {word}" for word in _arguments(point, style, placed)])
        else:
            quoted = "".join([_quoted(hparam, style) for hparam in point.hparams])
        line = logdir.in_command(placed.text) + logdir.in_quoted(quoted)
    if style.style == "env" and not exported and (assigned := exports(point, logdir, style, cmd)):
        return f"export {' '.join(assigned)}; {line}"
    return line


def _file(style: Style) -> str:
    return f"{LOGDIR}/config.{style.format}"


def _filled(placed: Placement, point: Point, logdir: Logdir, style: Style) -> str:
    """Return CMD with values in the places that it has for them."""
    return filled(
        placed,
        point,
        _arguments(point, style, placed) if ARGS in placed.names else (),
        _file(style) if style.style == "file" else "",
        lambda hparam: placed_words(hparam, style),
        logdir.spelling,
    ).rstrip()


@lru_cache(maxsize=1 << 16)
def _quoted(hparam: Hparam, style: Style) -> str:
    return "".join([" " + quoted_around(word, LOGDIR) for word in words(hparam, style)])


def exports(point: Point, logdir: Logdir, style: Style, cmd: str = "") -> list[str]:
    """Return the assignments that put what CMD doesn't place into a script's environment.

    >>> exports(Point((Hparam("out", "a b", "a b"),)), Logdir.at("/x"), Style("env", prefix="HP_"))
    ["HP_OUT='a b'"]
    """
    variables = environment(unplaced(cmd, point, style), style).items()
    return [f"{name}={logdir.in_word(text)}" for name, text in variables]


def unplaced(cmd: str, point: Point, style: Style, kept: Container[str] = ()) -> Point:
    """Return a point as its file or environment has it: without what CMD places by name.

    What a CONFIG has is ``kept``, since the script expects all of its keys.

    >>> unplaced("python x.py {a}", Point((Hparam("a", 1, "1"),)), Style("file")).hparams
    ()
    """
    return _placement_of(cmd, point, style).others(point, kept)


def is_execable(cmd: str, point: Point | None = None, style: Style = DASHES) -> bool:
    """Return whether ``exec`` may precede CMD: it is one program with its arguments.

    >>> is_execable("python train.py"), is_execable("python prepare.py; python train.py")
    (True, False)
    """
    return shelltext.is_simple(_placement_of(cmd, point or Point(()), style).text)


def environment(point: Point, style: Style) -> dict[str, str]:
    """Return the environment variables that hold a point, LOGDIR symbolic.

    >>> environment(Point((Hparam("optimizer.lr", 0.1, "0.1"),)), Style("env", prefix="HP_"))
    {'HP_OPTIMIZER_LR': '0.1'}
    """
    import json  # not at start

    variables: dict[str, str] = {}
    names: dict[str, str] = {}
    for hparam in point.hparams:
        if (hparam.value is None and style.none == "omit") or (
            hparam.value is False and style.bool == "flag"
        ):
            continue
        variable = style.prefix + re.sub(r"\W", "_", hparam.name, flags=re.ASCII).upper()
        if not _VARIABLE.match(variable):
            raise SweepError(f"{hparam.name} would be {variable!r}, which no variable is called")
        if variable in variables:
            raise SweepError(f"{names[variable]} and {hparam.name} would both be {variable}")
        names[variable] = hparam.name
        is_word = hparam.value is None or isinstance(hparam.value, bool)
        text = json.dumps(hparam.value) if is_word else joined(hparam, style.list)
        variables[variable] = text
    return variables
