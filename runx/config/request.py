"""What is asked for: the experiment's file to load, and what overrides it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.sweeps.overrides import Override
from runx.sweeps.values import Node

if TYPE_CHECKING:
    from runx.config.best import Best


class Request(NamedTuple):
    """The experiment's file to load, and what overrides it.

    ``flags`` maps a key to its text. With ``here``, runs are made on this machine whatever FARM is.
    ``sweeps`` are the names of SWEEPS to add. ``tree`` replaces the content of the file where a
    caller in Python has none, ``text`` where it was read from elsewhere. ``now`` and ``launch``,
    the time and the name of the launch, are for names of runs; they are the current time and a new
    name where they are missing. Unless it ``executes``, HPARAMS is what the files say, without what
    functions give. Where it ``claims``, a number that the name of the experiment holds is its own
    from then on. ``together``: steps that name another farm than this machine go where the others
    do. ``best`` are points of earlier runs, instead of those that HPARAMS leaves open.
    """

    file: Path
    cwd: Path
    environment: Mapping[str, str]
    config: Path | None = None
    flags: Mapping[str, str] = {}
    tag: str = ""
    cooldir: bool = True
    here: bool = False
    overrides: tuple[str | Override, ...] = ()
    sweeps: tuple[str, ...] = ()
    now: datetime | None = None
    launch: str = ""
    tree: Mapping[str, Node] | None = None
    text: str | None = None
    executes: bool = True
    claims: bool = False
    best: Best | None = None
    together: bool = False

    def at(self, farm: str) -> Request:
        """Return the request for the same experiment with its runs at a farm, here for none."""
        if not farm:
            return self._replace(here=True, claims=False)
        texts = [each if isinstance(each, str) else each.text for each in self.overrides]
        others = zip(self.overrides, texts, strict=True)
        return self._replace(
            here=False,
            claims=False,
            together=True,
            flags={**self.flags, "FARM": farm},
            overrides=tuple(each for each, text in others if not text.startswith("FARM=")),
        )
