"""Argument styles: the ways in which hyperparameters become words, as ARGS sets them.

To add one, write a function from a hyperparameter to words, and its entry in STYLES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from runx.errors import SettingsError, SweepError
from runx.nearest import suggestion
from runx.sweeps.scalars import value_text
from runx.sweeps.values import Hparam, Node, Scalar, Value

# What argparse takes for a number; it takes -1e-3 for a flag.
_NEGATIVE = re.compile(r"-(\d+|\d*\.\d+)\Z", re.ASCII)

_HYDRA_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?\Z", re.ASCII)

_HYDRA_WORD = re.compile(r"[A-Za-z_/][\w./@%+-]*\Z", re.ASCII)

_HYDRA_OTHER = re.compile(r"(true|false|null|nan|[-+]?inf)\Z", re.IGNORECASE)


class Style(NamedTuple):
    """How hyperparameters, lists and truth values are written; ``prefix`` precedes names.

    ``split`` is ``true`` if a text is as many words as a shell would make of it.
    """

    style: str = "dashes"
    list: str = "space"
    bool: str = "flag"
    prefix: str = "--"
    split: str = ""


DASHES = Style()
"""``--k v``, as NVIDIA's runx has it."""

_DEFAULTS = {
    "dashes": DASHES,
    "equals": Style("equals", "", "flag", "--"),
    "hydra": Style("hydra", "", "value", ""),
    "file": Style("file", "", "value", ""),
    "env": Style("env", "space", "value", "HP_"),
}

_LISTS = {
    "dashes": ("space", "comma", "repeat", "json"),
    "equals": ("comma", "repeat", "json"),
    "env": ("space", "comma", "json"),
}

_SPLITS = {"dashes": ("true", "false")}

_BOOLS = {
    "dashes": ("flag", "value", "no-flag"),
    "equals": ("flag", "value", "no-flag"),
    "env": ("flag", "value"),
}


def style_of(settings: Mapping[str, Node], at: Callable[..., str]) -> Style:
    """Return the style that ARGS sets. ``at`` gives the place of its keys, for errors.

    >>> style_of({"style": Scalar("equals", "equals"), "list": Scalar("comma", "comma")}, str)
    Style(style='equals', list='comma', bool='flag', prefix='--', split='')
    """
    values: dict[str, str] = {}
    for key, node in settings.items():
        if key not in Style._fields:
            raise SettingsError(
                f"{at(key)}: ARGS: {key} is unknown: {suggestion(key, Style._fields)}"
            )
        if not isinstance(node, Scalar):
            raise SettingsError(f"{at(key)}: ARGS: {key} takes a word")
        values[key] = node.text
    style = values.get("style", "dashes")
    if style not in _DEFAULTS:
        raise SettingsError(
            f"{at('style')}: ARGS: {style} is no style: {suggestion(style, _DEFAULTS)}"
        )
    for key, allowed in (("list", _LISTS), ("bool", _BOOLS), ("split", _SPLITS)):
        if key in values and values[key] not in allowed.get(style, ()):
            takes = f"one of {', '.join(allowed[style])}" if style in allowed else "no such key"
            raise SettingsError(f"{at(key)}: ARGS: {key}: {values[key]}: {style} takes {takes}")
    return _DEFAULTS[style]._replace(**values)


@lru_cache(maxsize=1 << 16)
def words(hparam: Hparam, style: Style = DASHES) -> tuple[str, ...]:
    """Return the words of one hyperparameter, LOGDIR symbolic.

    >>> rate = Hparam("lr", 0.1, "0.1")
    >>> words(rate, DASHES), words(rate, Style("equals")), words(rate, Style("hydra", prefix=""))
    (('--lr', '0.1'), ('--lr=0.1',), ('lr=0.1',))
    """
    if hparam.value is None:
        return ()
    return STYLES[style.style](hparam, style)


def placed_words(hparam: Hparam, style: Style = DASHES) -> tuple[str, ...]:
    """Return the words of a value where CMD has its name: ``{lr}``, LOGDIR symbolic.

    >>> placed_words(Hparam("k", (1, "a"), ("1", "a"))), placed_words(Hparam("k", None, None))
    (('1', 'a'), ('',))
    """
    if style.style == "hydra":
        return (_hydra_value(hparam.value, hparam.text),)
    if hparam.value is None:
        return ("",)
    if isinstance(hparam.text, tuple) and style.list in ("", "space", "repeat"):
        return hparam.text
    if style.split == "true" and isinstance(hparam.text, str):
        return shell_words(hparam)
    text = joined(hparam, style)
    is_lower = isinstance(hparam.value, bool) and style.style in ("env", "file")
    return (text.lower() if is_lower else text,)


def shell_words(hparam: Hparam) -> tuple[str, ...]:
    """Return the words that a shell makes of a text that is not quoted.

    >>> shell_words(Hparam("m", "audio 'a b'", "audio 'a b'"))
    ('audio', 'a b')
    """
    import shlex

    try:
        return tuple(shlex.split(str(hparam.text)))
    except ValueError as error:
        message = f"{hparam.name}: {hparam.text!r} can't be split: {str(error).lower()}"
        raise SweepError(f"split: {message}; write it as a list, [[a, b]]") from None


def _dashes(hparam: Hparam, style: Style) -> tuple[str, ...]:
    flag = style.prefix + hparam.name
    if style.split == "true" and isinstance(hparam.text, str):
        return (flag, *shell_words(hparam))
    if isinstance(hparam.text, str) and not hparam.text.startswith("-"):
        return (flag, hparam.text)
    if isinstance(hparam.value, bool):
        return _flag(hparam, style)
    if isinstance(hparam.text, tuple) and style.list == "space":
        return (flag, *hparam.text)
    if isinstance(hparam.text, tuple) and style.list == "repeat":
        return tuple(word for item in hparam.text for word in _pair(flag, item))
    return _pair(flag, joined(hparam, style))


def _pair(flag: str, text: str) -> tuple[str, ...]:
    """Return a flag and its value as two words, or as one if the value looks like a flag."""
    if text.startswith("-") and not _NEGATIVE.match(text):
        return (f"{flag}={text}",)
    return (flag, text)


def _equals(hparam: Hparam, style: Style) -> tuple[str, ...]:
    flag = style.prefix + hparam.name
    if isinstance(hparam.value, bool) and style.bool != "value":
        return _flag(hparam, style)
    if isinstance(hparam.text, tuple) and style.list == "repeat":
        return tuple(f"{flag}={item}" for item in hparam.text)
    return (f"{flag}={joined(hparam, style)}",)


def _flag(hparam: Hparam, style: Style) -> tuple[str, ...]:
    flag = style.prefix + hparam.name
    if style.bool == "value":
        return (flag, str(hparam.value))
    if hparam.value:
        return (flag,)
    return (f"{style.prefix}no-{hparam.name}",) if style.bool == "no-flag" else ()


def _hydra(hparam: Hparam, style: Style) -> tuple[str, ...]:
    return (f"{style.prefix}{hparam.name}={_hydra_value(hparam.value, hparam.text)}",)


def _hydra_value(value: Value, text: Any) -> str:
    """Return a value as Hydra's grammar reads it with its type.

    See https://hydra.cc/docs/advanced/override_grammar/basic/.
    """
    if isinstance(value, tuple):
        texts = text if isinstance(text, tuple) and len(text) == len(value) else value
        return "[" + ",".join(map(_hydra_value, value, texts)) + "]"
    if value is None:
        return "null"
    if isinstance(value, str):
        return _hydra_text(value)
    if isinstance(text, str) and _HYDRA_NUMBER.match(text):
        return text
    return value_text(value).replace(".inf", "inf").replace(".nan", "nan")


def _hydra_text(text: str) -> str:
    if _HYDRA_WORD.match(text) and not _HYDRA_OTHER.match(text):
        return text
    # Backslashes count only before a quote; before an interpolation they stop it.
    quoted = re.sub(r"(\\*)('|\Z)", lambda match: match[1] * 2 + match[2].replace("'", "\\'"), text)
    return "'" + re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", quoted) + "'"


def _no_words(_hparam: Hparam, _style: Style) -> tuple[str, ...]:
    return ()


STYLES: Mapping[str, Callable[[Hparam, Style], tuple[str, ...]]] = {
    "dashes": _dashes,
    "env": _no_words,
    "equals": _equals,
    "file": _no_words,
    "hydra": _hydra,
}
"""The function of each style from a hyperparameter to its words."""


def joined(hparam: Hparam, style: Style) -> str:
    """Return a value as one text, a list as the style has it.

    >>> joined(Hparam("k", (1, "a"), ("1", "a")), Style(list="comma"))
    '1,a'
    """
    if isinstance(hparam.value, bool):
        return str(hparam.value)
    if not isinstance(hparam.text, tuple):
        return str(hparam.text)
    if style.list == "json":
        import json

        return json.dumps(hparam.value)
    if style.list not in ("comma", "space"):
        raise SweepError(f"{hparam.name} is a list; say how it is written, list: comma or json")
    between = "," if style.list == "comma" else " "
    for item in hparam.text:
        if between in item:
            raise SweepError(
                f"{hparam.name} has an item with {between!r} in it: {item!r}; use list: json"
            )
    return between.join(hparam.text)
