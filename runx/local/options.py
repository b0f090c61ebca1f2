"""The options of a launch on this machine."""

from __future__ import annotations

from typing import Any, NamedTuple


class LocalOptions(NamedTuple):
    """The options by which runs are executed here; times are in seconds.

    ``jobs`` is how many run at once: None where it isn't given, 0 for auto. ``is_fallback``: runs
    are executed here because no farm is set, without -i.
    """

    jobs: int | None = None
    gpus_per_run: int | None = None
    retries: int = 0
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    stream: bool = False
    attach: bool = False
    is_fallback: bool = False

    def given(self) -> dict[str, Any]:
        """Return those that are not as usual; one run at a time says nothing about a farm.

        >>> LocalOptions(jobs=1, retries=2).given()
        {'retries': 2}
        """
        usual = LocalOptions(jobs=self.jobs if self.jobs == 1 else None)._asdict()
        usual["is_fallback"] = self.is_fallback
        return {name: value for name, value in self._asdict().items() if value != usual[name]}
