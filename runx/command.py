"""Points to command lines: the words a script is given, and how a shell is told them.

A value is never seen by a shell unquoted. CMD is the user's own shell text; of it only LOGDIR is
replaced, as the quotes around it ask for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from runx import shelltext
from runx.shelltext import LOGDIR, quote
from runx.types import Hparam, Point

VARIABLE = "RUNX_LOGDIR"
"""The shell variable that holds a run's directory in run.sh."""

# What argparse takes for a number; it takes -1e-3 for a flag, and so do its users' scripts.
_NEGATIVE = re.compile(r"-(\d+|\d*\.\d+)\Z", re.ASCII)
_HELD = 1 << 16


@lru_cache(maxsize=_HELD)
def words(hparam: Hparam) -> tuple[str, ...]:
    """Give the words that tell a script one hyperparameter, LOGDIR symbolic.

    >>> words(Hparam("lr", 0.001, "1e-3"))
    ('--lr', '1e-3')
    >>> words(Hparam("sizes", (1, 2), ("1", "2"))), words(Hparam("amp", True, None))
    (('--sizes', '1', '2'), ('--amp',))
    >>> words(Hparam("amp", False, None)), words(Hparam("extra", "-x", "-x"))
    ((), ('--extra=-x',))
    """
    flag = f"--{hparam.name}"
    if hparam.text is None:
        return (flag,) if hparam.value is True else ()
    if isinstance(hparam.text, tuple):
        return (flag, *hparam.text)
    if hparam.text.startswith("-") and not _NEGATIVE.match(hparam.text):
        return (f"{flag}={hparam.text}",)
    return (flag, hparam.text)


def arguments(point: Point) -> tuple[str, ...]:
    """Give the words that a script is given, LOGDIR symbolic.

    >>> arguments(Point((Hparam("lr", 0.1, "0.1"), Hparam("adam", True, None))))
    ('--lr', '0.1', '--adam')
    """
    return tuple([word for hparam in point.hparams for word in words(hparam)])


def with_logdir(text: str, logdir: str) -> str:
    """Put a run's directory in the place of every LOGDIR of a value.

    >>> with_logdir("LOGDIR/code:LOGDIR", "/logs/run")
    '/logs/run/code:/logs/run'
    """
    return text.replace(LOGDIR, logdir)


def shell_command(cmd: str, point: Point, logdir: str) -> str:
    """Write a training command as a shell takes it, on one line if CMD is on one.

    >>> shell_command("python train.py", Point((Hparam("note", "a b", "a b"),)), "/logs/run")
    "python train.py --note 'a b'"
    """
    told = "".join([_spelled(hparam) for hparam in point.hparams])
    if LOGDIR in told and shelltext.is_safe(logdir):
        told = with_logdir(told, logdir)
    elif LOGDIR in told:
        filled = [with_logdir(word, logdir) for word in arguments(point)]
        told = "".join([" " + quote(word) for word in filled])
    return _command(cmd, logdir) + told


def script_command(cmd: str, point: Point) -> str:
    """Write a training command for run.sh, which knows the run's directory as $RUNX_LOGDIR.

    >>> script_command("python LOGDIR/code/x.py", Point((Hparam("out", "LOGDIR/o", "LOGDIR/o"),)))
    'python "$RUNX_LOGDIR"/code/x.py --out "$RUNX_LOGDIR"/o'
    """
    variable = shelltext.variable(VARIABLE)
    told = [" " + _by_variable(word, variable[shelltext.BARE]) for word in arguments(point)]
    return shelltext.filled(_trimmed(cmd), variable) + "".join(told)


def is_execable(cmd: str) -> bool:
    """Tell whether ``exec`` may precede CMD: it is one program with its arguments.

    >>> is_execable("python train.py"), is_execable("python prepare.py; python train.py")
    (True, False)
    """
    return shelltext.is_simple(_trimmed(cmd))


def identity(cmd: str, hparams: Mapping[str, Any]) -> str:
    """Name what a run is by a hash of CMD and its typed hyperparameters, LOGDIR symbolic.

    A parameter that is left out counts as one that isn't there.

    >>> identity("train", {"lr": 1}) == identity("train", {"x": None, "lr": 1.0})
    True
    """
    import hashlib
    import json

    given = {name: _canonical(value) for name, value in hparams.items() if value is not None}
    text = json.dumps([_trimmed(cmd), given], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@lru_cache(maxsize=_HELD)
def _spelled(hparam: Hparam) -> str:
    return "".join([" " + quote(word) for word in words(hparam)])


def _command(cmd: str, logdir: str) -> str:
    trimmed = _trimmed(cmd)
    if LOGDIR not in trimmed:
        return trimmed
    return shelltext.filled(trimmed, shelltext.place(logdir))


def _trimmed(cmd: str) -> str:
    """Drop the newline with which a block of YAML ends: what follows it is the same command."""
    return cmd.strip()


def _by_variable(word: str, variable: str) -> str:
    if LOGDIR not in word:
        return quote(word)
    parts = word.split(LOGDIR)
    return variable.join(quote(part) if part else "" for part in parts)


def _canonical(value: Any) -> Any:
    """Make equal numbers the same, and keep truth values apart from them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    return value
