"""Values as they are typed on a command line: text in which only quotes and brackets are YAML.

A plain text is taken as it stands, ``#``, ``*`` and ``: `` too, which a file would read otherwise.
What could be meant in more than one way is refused, with the ways to write it.
"""

from __future__ import annotations

import re

from runx.errors import SettingsError
from runx.sweeps.operators import DRAWS, OPERATORS
from runx.sweeps.scalars import quoted, scalar
from runx.sweeps.shelltext import quote
from runx.sweeps.values import Node
from runx.sweeps.yaml import parse_value

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)

_CLOSING = {"(": ")", "[": "]", "{": "}"}

_CALL = re.compile(r"([A-Za-z_][\w.]*)?\((.*)\)\Z", re.DOTALL)

_OPERATOR = re.compile(r"(\w+):\s")

# Functions of Hydra's grammar, and what they are here.
_HYDRA = {"range": "{{range: [{}]}}", "choice": "{}", "interval": "{{uniform: [{}]}}"}

_HYDRA_OTHERS = ("glob", "shuffle", "sort", "tag", "extend_list")


def axis_node(word: str, name: str, text: str) -> Node:
    """Return the value of a hyperparameter, or several with commas between as an axis.

    ``word`` is the whole override, for errors.

    >>> axis_node("c=#00ff00", "c", "#00ff00"), len(axis_node("lr=1,2", "lr", "1,2"))
    (Scalar(value='#00ff00', text='#00ff00', plain=True), 2)
    """
    if not text.strip(" \t"):
        raise SettingsError(
            f"{word}: {name} has no value; write {name}=null for none, {name}='\"\"' for an empty"
            f" text, or ~{name} to leave it out"
        )
    if text.startswith("="):
        raise SettingsError(
            f"{word}: write {name}={text.lstrip('=')}, or {_as_text(name, text)} for a text"
        )
    items = parts(word, name, text)
    if len(items) > 1 and not all(item.strip(" \t") for item in items):
        raise SettingsError(
            f"{word}: nothing stands beside a comma; leave out the comma, or a blank after it,"
            f" or quote a text: {_as_text(name, text)}"
        )
    if any(item.endswith("\\") for item in items[:-1]):
        raise SettingsError(
            f"{word}: a backslash keeps no comma; quote a text: {_as_text(name, _kept(text))}"
        )
    for item in items:
        _refuse_call(word, name, item.strip(" \t"))
    nodes = [value_node(word, item) for item in items]
    return nodes[0] if len(nodes) == 1 else nodes


def value_node(word: str, text: str) -> Node:
    """Return one value: YAML within quotes and brackets, else a plain text as it stands.

    >>> value_node("x", "a: b #c"), value_node("x", "[1, 'a']")[1].value
    (Scalar(value='a: b #c', text='a: b #c', plain=True), 'a')
    """
    text = text.strip(" \t")
    if text.startswith("{{"):
        return quoted(text)
    if text.startswith(("'", '"', "[", "{", "!!")):
        if any(0xD800 <= ord(char) < 0xE000 for char in text):
            raise SettingsError(f"{word}: not UTF-8 within quotes or brackets; leave them out")
        return parse_value(text, word)
    if (match := _OPERATOR.match(text)) and match[1] in (*OPERATORS, *DRAWS):
        return parse_value(f"{{{text}}}", word)
    return scalar(text)


def parts(word: str, name: str, text: str) -> list[str]:
    """Return the parts of a text between its commas, but for those in quotes and brackets.

    >>> parts("lr=1,[2,3]", "lr", "1,[2,3]")
    ['1', '[2,3]']
    """
    items: list[str] = []
    open_brackets: list[str] = []
    start = index = 0
    while index < len(text):
        char = text[index]
        may_be_quoted = open_brackets or not text[start:index].strip(" \t")
        if may_be_quoted and (match := _QUOTED.match(text, index)):
            index = match.end()
            continue
        if char in _CLOSING:
            open_brackets.append(char)
        elif open_brackets and char == _CLOSING[open_brackets[-1]]:
            open_brackets.pop()
        elif char == "," and not open_brackets:
            items.append(text[start:index])
            start = index + 1
        index += 1
    rest = text[start:]
    if open_brackets and "," in rest and not rest.strip(" \t").startswith(("[", "{", "'", '"')):
        problem = f"{open_brackets[-1]} isn't closed before a comma"
        raise SettingsError(f"{word}: {problem}; quote a text: {_as_text(name, text)}")
    return [*items, rest]


def _refuse_call(word: str, name: str, item: str) -> None:
    """Raise for what looks like a function or a tuple: it could be a text, too."""
    match = _CALL.match(item)
    if match is None:
        return
    function, given = match[1], match[2]
    as_text = f"for the text {_as_text(name, item)}"
    if function is None and "," in given:
        ways = f"{name}={quote(given)} for several runs, {name}={quote(f'[[{given}]]')} for a list"
    elif function in _HYDRA:
        ways = f"{name}={quote(_HYDRA[function].format(given))}"
    elif function in (*OPERATORS, *DRAWS):
        ways = f"{name}={quote(f'{{{function}: [{given}]}}')}"
    elif function in _HYDRA_OTHERS or (function and "," in given):
        raise SettingsError(f"{word}: {function}() is no operator; see docs/sweeps.md; {as_text}")
    else:
        return
    raise SettingsError(f"{word}: write {ways}; {as_text}")


def _kept(text: str) -> str:
    """Return a text without the backslashes that stand before its commas."""
    return text.replace("\\,", ",")


def _as_text(name: str, text: str) -> str:
    """Return the override that sets a text, as it is typed into a shell."""
    from json import dumps  # not at start

    return f"{name}={quote(dumps(text, ensure_ascii=False))}"
