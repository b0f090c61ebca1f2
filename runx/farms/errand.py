"""What a farm is told about a run that it shall take."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runx.sweeps.values import Hparam, Value


@dataclass(frozen=True, slots=True)
class Errand:
    """One run to be submitted: how it is called, what it executes, and what it needs.

    ``command`` is the training command as one shell string; ``script`` the run.sh that runs it.
    """

    experiment: str
    run: str
    tag: str
    logdir: Path
    script: Path
    command: str
    hparams: Mapping[str, Value]
    resources: tuple[Hparam, ...]

    @property
    def name(self) -> str:
        """The job's name."""
        return f"{self.experiment}_{self.run}"

    @property
    def payload(self) -> str:
        """What the job does, as a shell command."""
        return f"bash {shlex.quote(str(self.script))}"
