"""The options of a session of logx, and the phases that metrics may be of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from runx.errors import LogxError
from runx.tracking.plain import flag, plain, text_of
from runx.tracking.writers import LOCAL

PHASES = {
    **dict.fromkeys(("trn", "train", "training"), "train"),
    **dict.fromkeys(("val", "validate", "validation"), "val"),
    "test": "test",
}
"""The names that scripts use for phases, and the phase of each."""


class Options(NamedTuple):
    """The arguments of initialize() other than the directory."""

    hparams: Mapping[str, Any]
    phases: Iterable[str]
    writers: Iterable[Any]
    no_timestamp: bool
    strict: bool
    system: bool | float
    is_worker: bool = False
    config: Mapping[str, Any] | None = None

    def for_workers(self) -> Options:
        """Return them for another process, in values that pickle can hold."""
        return self._replace(
            hparams=plain(self.hparams),
            writers=tuple(each for each in self.writers if each in LOCAL),
            is_worker=True,
        )


def options_of(
    phases: Any, writers: Any, tensorboard: bool, no_timestamp: bool, strict: bool, system: Any
) -> Options:
    """Return the options of a session; raises LogxError where a list is none."""
    try:
        named = (writers,) if isinstance(writers, str) else tuple(writers or ())
        phases = phases if isinstance(phases, str) else tuple(phases or ())
    except Exception as error:  # an object of the script's own, or an array, may raise anything
        raise LogxError(f"initialize: writers= and phases= take lists: {text_of(error)}") from error
    named = (*named, "tensorboard") if flag(tensorboard, "tensorboard=") else named
    is_untimed, is_strict = flag(no_timestamp, "no_timestamp="), flag(strict, "strict=")
    return Options({}, phases, named, is_untimed, is_strict, system)


def known_phases(further: Iterable[str]) -> dict[str, str]:
    """Return a phase for each name of one; raises LogxError where a name is not allowed."""
    if isinstance(further, str):
        raise LogxError(f"phases= takes a list of names, not {further!r}")
    for name in further:
        if not isinstance(name, str):
            raise LogxError(f"phases= takes a list of names, and {text_of(name)} is none")
        if not name.replace("_", "").replace("-", "").isalnum() or name in ("start", "system"):
            raise LogxError(f"phases: {name!r} can't be a phase; use letters, digits, _ and -")
    return {**{name: name for name in further}, **PHASES}
