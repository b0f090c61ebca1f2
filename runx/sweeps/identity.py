"""What makes two runs the same: CMD and the typed hyperparameters, LOGDIR symbolic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_CMD = "CMD"


class Identity(NamedTuple):
    """What makes runs the same: CMD and hyperparameters, but for those that don't count.

    ``ignored`` never count, CMD among them if named; ``defaults`` don't while they are equal to
    the value given here, so that adding them to a sweep makes no finished run a new one.
    """

    ignored: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = {}

    def of(self, cmd: str, hparams: Mapping[str, Any]) -> str:
        """Return the identity of a run.

        >>> plain, lenient = Identity(), Identity(frozenset({"workers"}), {"dropout": 0})
        >>> plain.of("train", {"lr": 1}) == plain.of("train", {"lr": 1, "workers": 4})
        False
        >>> lenient.of("train", {"lr": 1}) == lenient.of("train", {"lr": 1, "workers": 4})
        True
        >>> lenient.of("train", {"lr": 1}) == lenient.of("train", {"lr": 1, "dropout": 0.0})
        True
        """
        counted = {
            name: value
            for name, value in hparams.items()
            if name not in self.ignored and not self._is_default(name, value)
        }
        return identity("" if _CMD in self.ignored else cmd, counted)

    def _is_default(self, name: str, value: Any) -> bool:
        if name not in self.defaults:
            return False
        return identity("", {name: value}) == identity("", {name: self.defaults[name]})


def identity(cmd: str, hparams: Mapping[str, Any]) -> str:
    """Return a hash of CMD and its typed hyperparameters, LOGDIR symbolic.

    A parameter that is left out counts as one that isn't there.

    >>> identity("train", {"lr": 1}) == identity("train", {"x": None, "lr": 1.0})
    True
    """
    import hashlib
    import json

    given = {name: canonical(value) for name, value in hparams.items() if value is not None}
    text = json.dumps([cmd.strip(), given], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def canonical(value: Any) -> Any:
    """Return equal numbers as the same, and truth values apart from them once they are JSON.

    >>> canonical((1.0, 0.5, True))
    [1, 0.5, True]
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return value
