"""How a launch ended: what went to a farm, or what failed here and why, and what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.disk.orders import CANCEL
from runx.launching.tasks import Ended
from runx.rundir import RunDir

if TYPE_CHECKING:
    from runx.api.starting import Launched

Say = Callable[[str], None]


def report(launched: Launched, again: str, say: Say) -> int:
    """Print what a launch came to, the next command last; return the exit status."""
    name = launched.experiment
    if launched.submitted is not None:
        runs = "1 run" if launched.submitted == 1 else f"{launched.submitted} runs"
        say(f"{runs} submitted; runx status {name} shows how they stand")
        return 0
    return Report(
        name, launched.hparams, launched.ended, launched.left, launched.stopped, again
    ).told(say)


class Report(NamedTuple):
    """What is known when nothing runs any more.

    ``hparams`` has every run of the launch; ``left`` is how many of them were somebody else's;
    ``again`` is the command that starts what is missing.
    """

    experiment: str
    hparams: Mapping[RunDir, Mapping[str, Any]]
    ended: Sequence[Ended]
    left: int
    stopped: bool
    again: str

    def told(self, say: Say) -> int:
        """Say it, the next command last; give the exit status that it comes to."""
        failed = [end for end in self.ended if _is_failure(end)]
        if not failed and not self.stopped and self._done == len(self.hparams) - self.left:
            rest = f", {self.left} left alone" if self.left else ""
            runs = f"{self._done} run{'s' * (self._done != 1)}"
            say(f"{runs} done{rest}; sumx {self.experiment} ranks them")
            return 0
        say(("stopped: " if self.stopped else "") + self._counted(len(failed)))
        if failed:
            for line in self._digest(failed, say):
                say(line)
        say(f"{'retry' if failed and not self.stopped else 'go on'}: {self.again}")
        return 130 if self.stopped else 1

    @property
    def _done(self) -> int:
        return sum(end.status == 0 for end in self.ended)

    def _counted(self, failed: int) -> str:
        total = len(self.hparams)
        cancelled = len(self.ended) - self._done - failed
        parts = [
            f"{failed} of {total} runs failed" if failed else f"{self._done} of {total} runs done",
            f"{cancelled} cancelled" if cancelled else "",
            f"{self.left} left alone" if self.left else "",
            f"{missing} not started"
            if (missing := total - len(self.ended) - self.left) > 0
            else "",
        ]
        return ", ".join(filter(None, parts))

    def _digest(self, failed: Sequence[Ended], say: Say) -> list[str]:
        """Group what failed by its reason, and say what only those runs have in common."""
        from runx.disk.facts import facts
        from runx.disk.output import tail
        from runx.reading.failures import Failure, digest, told
        from runx.states.state import state
        from runx.types import Result

        def result(end: Ended, stands: str) -> Result:
            run = end.task.run
            hparams = self.hparams[run]
            return Result(run.path.name, run, hparams, stands, {}, experiment=self.experiment)

        failures = []
        for end in failed:
            stands = state(facts(end.task.run, time.time, say))
            failures.append(Failure(result(end, stands.name), stands, tail(end.task.run.output)))
        others = [result(end, "done") for end in self.ended if end.status == 0]
        return told(digest(failures, others))


def _is_failure(end: Ended) -> bool:
    return bool(end.status) and end.order != CANCEL
