"""The operators of HPARAMS: what a mapping such as ``{logspace: [1e-4, 1e-1, 4]}`` stands for.

To add one, write a function from the operator's argument to the list of values, and its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from runx.types import Node

Operator: TypeAlias = "Callable[[Node], list[Node]]"

OPERATORS: Mapping[str, Operator] = {}
