"""The identity of a run: a hash of CMD and the typed hyperparameters, LOGDIR symbolic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from runx.sweeps.values import Trial

_CMD, _TRIAL = "CMD", "RUNX.TRIAL"


class Identity(NamedTuple):
    """How runs are identified: by CMD and hyperparameters, but for those that don't count.

    The names in ``ignored`` never count, and CMD doesn't if it is among them. A hyperparameter in
    ``defaults`` doesn't while it has the value given there: adding one changes no identity.
    """

    ignored: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = {}

    def of(self, cmd: str, hparams: Mapping[str, Any], trial: Trial | None = None) -> str:
        """Return the identity of a run; one of a search has fixed values and a trial.

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
        if trial is not None:
            counted[_TRIAL] = tuple(trial)
        return identity("" if _CMD in self.ignored else cmd, counted)

    def _is_default(self, name: str, value: Any) -> bool:
        if name not in self.defaults:
            return False
        return identity("", {name: value}) == identity("", {name: self.defaults[name]})


def identity(cmd: str, hparams: Mapping[str, Any]) -> str:
    """Return a hash of CMD and its typed hyperparameters, LOGDIR symbolic.

    A hyperparameter of None is left out, and an ``{args}`` at the end of CMD, where it would be.

    >>> identity("train", {"lr": 1}) == identity("train {args}", {"x": None, "lr": 1.0})
    True
    """
    import hashlib
    import json

    values = {name: canonical(value) for name, value in hparams.items() if value is not None}
    cmd = re.sub(r"\s+\{args\}\Z", "", cmd.strip())
    text = json.dumps([cmd, values], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values of a hyperparameter count as one.

    >>> is_same((1.0, 2), [1, 2]), is_same(1, True)
    (True, False)
    """
    return repr(canonical(one)) == repr(canonical(other))


def canonical(value: Any) -> Any:
    """Return a value so that equal numbers are the same JSON, and truth values differ from them.

    >>> canonical((1.0, 0.5, True))
    [1, 0.5, True]
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return value
