"""The steps of a run, as STEPS says them: what each executes, for whom, after what, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.rundir.handback import Requeue
    from runx.rundir.shell import Shell
    from runx.sweeps.values import Hparam

When: TypeAlias = Literal["done", "ended"]
"""When a step may start that waits for another: when that is done, or has ended somehow."""


class Per(NamedTuple):
    """Of what there is one execution of a step: of each run, of the sweep, or of some values.

    Of the sweep: no ``names`` and not ``without``. Of each run: nothing and ``without``, since all
    hyperparameters differ but none. Else of each combination of the values of ``names``, or of all
    but these.

    >>> Per((), True).is_run, Per(("dataset",)).is_run
    (True, False)
    """

    names: tuple[str, ...] = ()
    without: bool = False

    @property
    def is_run(self) -> bool:
        """Whether each run has it for itself."""
        return self.without and not self.names


RUN, SWEEP = Per((), True), Per()


class Step(NamedTuple):
    """One entry of STEPS.

    ``resources``: None where the step goes into the job of the step before. ``farm``: the name of
    one of its own, ``local`` for this machine, "" for the experiment's. ``requeue``, ``shell``:
    None where they are the experiment's. ``code``: the names of the files that a shared step rests
    on, None where it doesn't say. ``origin``: where it stands, as ``sweep.yml:12``.
    """

    name: str
    cmd: str
    after: Mapping[str, When] = {}
    per: Per = RUN
    resources: tuple[Hparam, ...] | None = None
    farm: str = ""
    requeue: Requeue | None = None
    shell: Shell | None = None
    code: tuple[str, ...] | None = None
    origin: str = ""


class Predecessor(NamedTuple):
    """What a step waits for: the directory of another, until that is done or has ended.

    ``upstream``: of one that is to end, those that it is itself after. It never begins where one
    of them fails.
    """

    dir: RunDir
    when: When = "done"
    upstream: tuple[RunDir, ...] = ()
