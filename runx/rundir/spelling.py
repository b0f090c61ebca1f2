"""Values as text: of one value, of a list, and in Hydra's grammar."""

from __future__ import annotations

import re
from typing import Any

from runx.errors import ArgumentError, SweepError
from runx.sweeps.scalars import value_text
from runx.sweeps.values import Hparam, Value

# What argparse takes for a number; it takes -1e-3 for a flag.
_NEGATIVE = re.compile(r"-(\d+|\d*\.\d+)\Z", re.ASCII)

# No double has more digits than this before or after its point.
_MOST_DIGITS = 400

_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)\Z", re.IGNORECASE)

# Compiled where it is used: far-off code points take as long as all else that is compiled here.
_UNPRINTABLE = "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"

_HYDRA_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?\Z", re.ASCII)

_HYDRA_WORD = re.compile(r"[A-Za-z_/][\w./@%+-]*\Z", re.ASCII)

_HYDRA_OTHER = re.compile(r"(true|false|null|nan|[-+]?inf)\Z", re.IGNORECASE)


def is_flag(text: str) -> bool:
    """Return whether argparse takes a text for a flag, or might.

    >>> is_flag("-v"), is_flag("-1e-5"), is_flag("-5"), is_flag("-")
    (True, True, False, False)
    """
    return text.startswith("-") and text != "-" and not _NEGATIVE.match(text)


def unlike_flag(name: str, value: Value, text: str) -> str:
    """Return an item of a list so that argparse takes it for no flag.

    >>> unlike_flag("betas", -1e-5, "-1e-5"), unlike_flag("betas", -5, "-5")
    ('-0.00001', '-5')
    """
    if not is_flag(text):
        return text
    if isinstance(value, float) and value - value == 0:
        from decimal import Decimal

        number = Decimal(text)
        if abs(number.adjusted()) < _MOST_DIGITS:
            return f"{number:f}"
    raise ArgumentError(
        f"{name} is a list with {text!r} in it, which argparse takes for a flag;"
        " use list: comma, repeat, json or python"
    )


def joined(hparam: Hparam, lists: str) -> str:
    """Return a value as one text; ``lists`` is how ARGS has them.

    >>> joined(Hparam("k", (1, "a"), ("1", "a")), "comma")
    '1,a'
    """
    if not isinstance(hparam.text, tuple):
        return _text(hparam.value, hparam.text)
    if lists == "json":
        return _json(hparam.value)
    if lists == "python":
        return repr(_as_list(hparam.value))
    if lists not in ("comma", "space"):
        raise SweepError(f"{hparam.name} is a list; say how it is written, list: comma or json")
    between = "," if lists == "comma" else " "
    for item in items_of(hparam):
        if between in item:
            raise SweepError(
                f"{hparam.name} has an item with {between!r} in it: {item!r}; use list: json"
            )
    return between.join(items_of(hparam))


def items_of(hparam: Hparam) -> tuple[str, ...]:
    """Return the text of each item of a list.

    >>> items_of(Hparam("k", (1e-5, True, None, ("a",)), ("1e-5", "true", "null", "[a]")))
    ('1e-5', 'True', 'None', '["a"]')
    """
    assert isinstance(hparam.value, tuple)
    assert isinstance(hparam.text, tuple)
    return tuple(map(_text, hparam.value, hparam.text))


def _text(value: Value, text: str | tuple[str, ...] | None) -> str:
    """Return the text of a value as Python reads it, that of the file where they are the same."""
    if isinstance(value, tuple):
        from json import dumps  # not at start

        return dumps(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and isinstance(text, str) and _NOT_FINITE.match(text):
        return str(value)
    return str(text)


def _json(value: Value) -> str:
    """Return JSON that is YAML, too, which has no pairs of surrogates and no such characters."""
    from json import dumps  # not at start

    text = dumps(value, ensure_ascii=False)
    return re.sub(_UNPRINTABLE, lambda match: f"\\u{ord(match[0]):04x}", text)


def _as_list(value: Value) -> Any:
    return [_as_list(item) for item in value] if isinstance(value, tuple) else value


def hydra_value(value: Value, text: Any) -> str:
    """Return a value as Hydra's grammar reads it with its type.

    See https://hydra.cc/docs/advanced/override_grammar/basic/.
    """
    if isinstance(value, tuple):
        texts = text if isinstance(text, tuple) and len(text) == len(value) else value
        return "[" + ",".join(map(hydra_value, value, texts)) + "]"
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
