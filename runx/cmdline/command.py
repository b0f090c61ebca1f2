"""Points to command lines: the words a script is given, and how a shell is told them.

A value is never seen by a shell unquoted. CMD is the user's own shell text; of it only LOGDIR is
replaced, as the quotes around it ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from runx.cmdline import styles
from runx.cmdline.configfile import CONFIG, environment
from runx.cmdline.styles import DASHES, Style
from runx.language import shelltext
from runx.language.shelltext import LOGDIR, quote
from runx.types import Hparam, Point

VARIABLE = "RUNX_LOGDIR"
"""The shell variable that holds a run's directory in run.sh."""

_HELD = 1 << 16
_FILE = f"{LOGDIR}/{CONFIG}"
_CONFIG_IN_CMD = "{config}"


@lru_cache(maxsize=_HELD)
def words(hparam: Hparam, style: Style = DASHES) -> tuple[str, ...]:
    """Give the words that tell a script one hyperparameter, LOGDIR symbolic.

    >>> words(Hparam("lr", 0.001, "1e-3"))
    ('--lr', '1e-3')
    >>> words(Hparam("sizes", (1, 2), ("1", "2"))), words(Hparam("amp", True, None))
    (('--sizes', '1', '2'), ('--amp',))
    >>> words(Hparam("amp", False, None)), words(Hparam("extra", "-x", "-x"))
    ((), ('--extra=-x',))
    """
    return styles.words(hparam, style)


def arguments(point: Point, style: Style = DASHES, cmd: str = "") -> tuple[str, ...]:
    """Give the words that a script is given, LOGDIR symbolic.

    >>> arguments(Point((Hparam("lr", 0.1, "0.1"), Hparam("adam", True, None))))
    ('--lr', '0.1', '--adam')
    """
    if style.style == "file":
        return () if _CONFIG_IN_CMD in cmd else ("--config", _FILE)
    return tuple([word for hparam in point.hparams for word in words(hparam, style)])


def with_logdir(text: str, logdir: str) -> str:
    """Put a run's directory in the place of every LOGDIR of a value.

    >>> with_logdir("LOGDIR/code:LOGDIR", "/logs/run")
    '/logs/run/code:/logs/run'
    """
    return text.replace(LOGDIR, logdir)


def shell_command(cmd: str, point: Point, logdir: str, style: Style = DASHES) -> str:
    """Write a training command as a shell takes it, on one line if CMD is on one.

    >>> shell_command("python train.py", Point((Hparam("note", "a b", "a b"),)), "/logs/run")
    "python train.py --note 'a b'"
    """
    before = ""
    if style.style == "env" and (variables := environment(point, style)):
        spelt = [f"{name}={quote(with_logdir(text, logdir))}" for name, text in variables.items()]
        before = f"export {' '.join(spelt)}; "
    if style.style == "file":
        told = "".join([" " + quote(word) for word in arguments(point, style, cmd)])
    else:
        told = "".join([_spelled(hparam, style) for hparam in point.hparams])
    if LOGDIR in told and shelltext.is_safe(logdir):
        told = with_logdir(told, logdir)
    elif LOGDIR in told:
        filled = [with_logdir(word, logdir) for word in arguments(point, style, cmd)]
        told = "".join([" " + quote(word) for word in filled])
    return before + _command(_with_config(cmd, style), logdir) + told


def script_command(cmd: str, point: Point, style: Style = DASHES) -> str:
    """Write a training command for run.sh, which knows the run's directory as $RUNX_LOGDIR.

    >>> script_command("python LOGDIR/code/x.py", Point((Hparam("out", "LOGDIR/o", "LOGDIR/o"),)))
    'python "$RUNX_LOGDIR"/code/x.py --out "$RUNX_LOGDIR"/o'
    """
    variable = shelltext.variable(VARIABLE)
    told = arguments(point, style, cmd)
    spelt = [" " + _by_variable(word, variable[shelltext.BARE]) for word in told]
    return shelltext.filled(_trimmed(_with_config(cmd, style)), variable) + "".join(spelt)


def script_exports(point: Point, style: Style) -> str:
    """Write the lines of run.sh that put hyperparameters into the environment, if any do.

    >>> script_exports(Point((Hparam("out", "LOGDIR/o", "LOGDIR/o"),)), Style("env", prefix="HP_"))
    'export HP_OUT="$RUNX_LOGDIR"/o\\n'
    """
    if style.style != "env":
        return ""
    variable = shelltext.variable(VARIABLE)[shelltext.BARE]
    told = environment(point, style).items()
    return "".join(f"export {name}={_by_variable(text, variable)}\n" for name, text in told)


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

    given = {name: canonical(value) for name, value in hparams.items() if value is not None}
    text = json.dumps([_trimmed(cmd), given], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def canonical(value: Any) -> Any:
    """Make equal numbers the same, and keep truth values apart from them once they are JSON.

    >>> canonical((1.0, 0.5, True))
    [1, 0.5, True]
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return value


@lru_cache(maxsize=_HELD)
def _spelled(hparam: Hparam, style: Style) -> str:
    return "".join([" " + quote(word) for word in words(hparam, style)])


def _with_config(cmd: str, style: Style) -> str:
    return cmd.replace(_CONFIG_IN_CMD, _FILE) if style.style == "file" else cmd


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
