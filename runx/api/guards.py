"""What keeps a launch here from going on in vain: what is tried again, and when nothing more is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runx.config.experiment import Experiment as Settings
from runx.local.options import LocalOptions, Policy
from runx.rundir.handback import NO_RETRIES, Retries

if TYPE_CHECKING:
    from runx.launching.plan import PlannedAttempt


def policy(settings: Settings, local: LocalOptions, jobs: int) -> Policy:
    """Return how runs are executed here, ``jobs`` at a time."""
    return Policy(
        jobs=jobs,
        retries=_retries(settings, local),
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )


def _retries(settings: Settings, local: LocalOptions) -> Retries:
    """Return which failed runs are tried again: by --retries in this launch, else by RETRIES."""
    if local.retries is not None:
        return Retries(local.retries)
    return settings.retries or NO_RETRIES


def tried_before(planned: PlannedAttempt, settings: Settings, local: LocalOptions) -> int:
    """Return how often a run was tried again by RETRIES before; --retries counts from now on."""
    if local.retries is not None or not settings.retries:
        return 0
    from runx.local.retries import tried_again

    return tried_again(planned.run.dir, range(1, planned.attempt))


def closing(settings: Settings) -> Callable[[], str]:
    """Return what tells, before a start, why nothing more of an experiment is started."""
    if not settings.max_failures:
        return str
    from runx.rundir.held import held_because

    return lambda: held_because(settings.dir)
