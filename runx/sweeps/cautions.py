"""What HPARAMS may say by mistake: told, and done as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runx.sweeps.axes import Where
from runx.sweeps.values import Node, Scalar

_SHELL = re.compile(r"\$\{?([A-Za-z_]\w*)|^~(?=/|$)")
_FLEETING = re.compile(r"\{\{[^}]*\b(env\.\w+|run\.index|experiment\.name)\b")


def cautions(hparams: Node, at: Where) -> list[str]:
    """Tell of values that look as if a shell would change them, and of what isn't always the same.

    >>> cautions({"data": Scalar("$HOME/x", "$HOME/x")}, lambda *path: "sweep.yml:2")
    ['sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in']
    """
    return list(dict.fromkeys(_of(hparams, at, (), "")))


def _of(node: Node, at: Where, path: tuple[str | int, ...], name: str) -> Iterator[str]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield from (f"{at(*path)}: {name}: {told}" for told in _told(node.value))
        return
    for key, child in node.items() if isinstance(node, dict) else enumerate(node):
        inner = key if isinstance(key, str) and (not name or name.startswith("RUNX.")) else name
        yield from _of(child, at, (*path, key), inner)


def _told(text: str) -> Iterator[str]:
    found = _SHELL.search(text)
    if found:
        variable = found[1] or "HOME"
        seen = f"${variable}" if found[1] else "~"
        yield f"{seen} reaches the script as written; {{{{ env.{variable} }}}} fills it in"
    fleeting = _FLEETING.search(text)
    if fleeting:
        name = fleeting[1]
        yield f"{name} enters what identifies the run; --resume knows it by the same value alone"
