"""Argument styles: the ways in which hyperparameters become words, as ARGS sets them.

To add one, write a function from a hyperparameter to words, and its entry in STYLES.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from runx.errors import SettingsError, SweepError
from runx.nearest import suggestion
from runx.rundir.spelling import hydra_value, is_flag, items_of, joined, unlike_flag
from runx.sweeps.values import Hparam, Node, Scalar


class Style(NamedTuple):
    """How hyperparameters are written: lists, truth values and None; ``prefix`` precedes names.

    ``format`` is that of the file which ``style: file`` makes. ``split`` is ``true`` if a text is
    as many words as a shell would make of it.
    """

    style: str = "dashes"
    list: str = "space"
    bool: str = "flag"
    prefix: str = "--"
    none: str = "omit"
    format: str = "yaml"
    split: str = ""


DASHES = Style()
"""``--k v``, as NVIDIA's runx has it."""

FILE = Style("file", "", "value", "")
"""A configuration file that the script reads."""

_DEFAULTS = {
    "dashes": DASHES,
    "equals": Style("equals", "", "flag", "--"),
    "hydra": Style("hydra", "", "value", ""),
    "file": FILE,
    "env": Style("env", "space", "value", "HP_"),
}

_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "list": {
        "dashes": ("space", "comma", "repeat", "json", "python"),
        "equals": ("comma", "repeat", "json", "python"),
        "env": ("space", "comma", "json", "python"),
    },
    "bool": {
        "dashes": ("flag", "value", "no-flag"),
        "equals": ("flag", "value", "no-flag"),
        "env": ("flag", "value"),
    },
    "none": dict.fromkeys(_DEFAULTS, ("omit", "value")),
    "format": {"file": ("yaml", "json", "toml")},
    "split": {"dashes": ("true", "false")},
}
"""What the keys of ARGS may say, for each style."""


def style_of(settings: Mapping[str, Node], at: Callable[..., str]) -> Style:
    """Return the style that ARGS sets. ``at`` gives the place of its keys, for errors.

    >>> style_of({"list": Scalar("comma", "comma"), "bool": Scalar("value", "value")}, str)[:3]
    ('dashes', 'comma', 'value')
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
    for key, allowed in _CHOICES.items():
        if key in values and values[key] not in allowed.get(style, ()):
            takes = f"one of {', '.join(allowed[style])}" if style in allowed else "no such key"
            raise SettingsError(f"{at(key)}: ARGS: {key}: {values[key]}: {style} takes {takes}")
    return _DEFAULTS[style]._replace(**values)


def of_config(style: Style, format: str, own: Collection[str]) -> Style:
    """Return the style of an experiment with a CONFIG; ``own`` are the keys of its ARGS.

    The script has a value for each key of its file, so that None must be given to it as one.

    >>> of_config(FILE, "toml", ()).format, of_config(Style("hydra"), "yaml", ()).none
    ('toml', 'value')
    """
    if style.style == "file" and style.format != format and "format" in own:
        raise SettingsError(f"ARGS: format: {style.format}: CONFIG is {format}; leave format out")
    none = "value" if style.style in ("file", "hydra") and "none" not in own else style.none
    return style._replace(format=format, none=none)


@lru_cache(maxsize=1 << 16)
def words(hparam: Hparam, style: Style = DASHES) -> tuple[str, ...]:
    """Return the words of one hyperparameter, LOGDIR symbolic.

    >>> rate = Hparam("lr", 0.1, "0.1")
    >>> words(rate, DASHES), words(rate, Style("equals")), words(rate, Style("hydra", prefix=""))
    (('--lr', '0.1'), ('--lr=0.1',), ('lr=0.1',))
    """
    if hparam.value is None and style.none == "omit":
        return ()
    return STYLES[style.style](hparam, style)


def placed_words(hparam: Hparam, style: Style = DASHES) -> tuple[str, ...]:
    """Return the words of a value where CMD has its name: ``{lr}``, LOGDIR symbolic.

    >>> placed_words(Hparam("k", (1, "a"), ("1", "a"))), placed_words(Hparam("k", None, None))
    (('1', 'a'), ('',))
    """
    if style.style == "hydra":
        return (hydra_value(hparam.value, hparam.text),)
    if hparam.value is None and style.none == "omit":
        return ("",)
    if isinstance(hparam.text, tuple) and style.list in ("", "space", "repeat"):
        return items_of(hparam)
    if style.split == "true" and isinstance(hparam.text, str):
        return shell_words(hparam)
    is_word = hparam.value is None or isinstance(hparam.value, bool)
    if is_word and style.style in ("env", "file"):
        from json import dumps  # not at start

        return (dumps(hparam.value),)
    return (joined(hparam, style.list),)


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
    if style.split == "true" and isinstance(hparam.text, str):
        return (*_named(hparam.name, style), *shell_words(hparam))
    if isinstance(hparam.text, str) and not hparam.text.startswith(("-", "+", ".")):
        return (*_named(hparam.name, style), hparam.text)
    if isinstance(hparam.value, bool):
        return _flag(hparam, style)
    if isinstance(hparam.text, tuple) and style.list == "space":
        items = items_of(hparam)
        if len(items) == 1:
            return _pair(hparam.name, items[0], style)
        assert isinstance(hparam.value, tuple)
        texts = [unlike_flag(hparam.name, *each) for each in zip(hparam.value, items, strict=True)]
        return (*_named(hparam.name, style), *texts)
    if isinstance(hparam.text, tuple) and style.list == "repeat":
        return tuple(w for item in items_of(hparam) for w in _pair(hparam.name, item, style))
    return _pair(hparam.name, joined(hparam, style.list), style)


def _named(name: str, style: Style) -> tuple[str, ...]:
    """Return a name after its prefix, whose blanks separate words.

    >>> _named("lr", Style(prefix="-p ")), _named("lr", Style())
    (('-p', 'lr'), ('--lr',))
    """
    *before, last = style.prefix.split(" ")
    return (*filter(None, before), last + name)


def _pair(name: str, text: str, style: Style) -> tuple[str, ...]:
    """Return a name and its value as words, joined if the value looks like a flag.

    A name that is a word of its own, as after ``-p``, is no flag: nothing joins a value to it.
    """
    words = _named(name, style)
    if (is_flag(text) or text == "-") and not style.prefix.endswith(" "):
        return (*words[:-1], f"{words[-1]}={text}")
    return (*words, text)


def _equals(hparam: Hparam, style: Style) -> tuple[str, ...]:
    if isinstance(hparam.value, bool) and style.bool != "value":
        return _flag(hparam, style)
    *before, last = _named(hparam.name, style)
    if isinstance(hparam.text, tuple) and style.list == "repeat":
        return tuple(w for item in items_of(hparam) for w in (*before, f"{last}={item}"))
    return (*before, f"{last}={joined(hparam, style.list)}")


def _flag(hparam: Hparam, style: Style) -> tuple[str, ...]:
    if style.bool == "value":
        return (*_named(hparam.name, style), str(hparam.value))
    if hparam.value:
        return _named(hparam.name, style)
    return _named(f"no-{hparam.name}", style) if style.bool == "no-flag" else ()


def _hydra(hparam: Hparam, style: Style) -> tuple[str, ...]:
    if hparam.is_default:
        return ()  # Hydra reads it from CONFIG itself.
    *before, last = _named(hparam.name, style)
    return (*before, f"{last}={hydra_value(hparam.value, hparam.text)}")


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
