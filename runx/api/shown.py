"""What notebooks show in place of text: pictures and pages, made when they are looked at."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from runx.errors import RunxError

_HEIGHT = 640  # of a page in a notebook, in pixels
_LONGEST = 50_000  # characters that are shown as text


class Shown(str):
    """Text, and what a notebook shows of it instead: ``rich`` makes that, of the type ``mime``."""

    __slots__ = ("_mime", "_rich")

    _mime: str
    _rich: Callable[[], str]

    def __new__(cls, text: str, mime: str, rich: Callable[[], str]) -> Shown:
        """Make a text that is shown as something richer where that is possible."""
        shown = super().__new__(cls, text)
        shown._mime, shown._rich = mime, rich
        return shown

    def __repr__(self) -> str:
        return str(self) if len(self) < _LONGEST else f"<{len(self)} characters>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": repr(self)}
        try:
            return {**bundle, self._mime: self._rich()}
        except RunxError:  # Without matplotlib there is the text.
            return bundle


def framed(page: str) -> str:
    """Return a page as a frame of another, which keeps its style sheets and programs apart."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts allow-downloads"'
        f' style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
    )
