"""What is to be drawn, however it is drawn."""

from __future__ import annotations

from typing import Any, NamedTuple

from runx.analysis.courses import Curve


class Picture(NamedTuple):
    """Curves or dots over two axes, or lines across several."""

    title: str
    across: str
    up: str
    log: str = ""
    curves: tuple[Curve, ...] = ()
    dots: bool = False
    note: str = ""
    axes: tuple[str, ...] = ()
    lines: tuple[tuple[Any, ...], ...] = ()
