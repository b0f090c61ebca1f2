"""What a script can ask about its run; the half of logx that only reads."""

from __future__ import annotations

from runx.errors import LogxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runx.tracking.context import Hparams, RunInfo
    from runx.tracking.session import Session


class Script:
    """Hyperparameters, name and time of the run that this process belongs to."""

    _session: Session | None = None

    @property
    def _open(self) -> Session:
        if self._session is None:
            raise LogxError("logx is not initialized; call logx.initialize() first")
        return self._session

    @property
    def hparams(self) -> Hparams:
        """The run's hyperparameters, read-only: logx.hparams.lr or logx.hparams["lr"]."""
        if self._session is not None:
            return self._session.hparams
        from runx.tracking.context import hparams_of, launched

        return hparams_of(launched(), {})

    @property
    def run(self) -> RunInfo:
        """The run's name, experiment, tag, attempt and logdir."""
        if self._session is not None:
            return self._session.info
        from runx.tracking.context import RunInfo, launched

        return RunInfo(launched())

    def seed(
        self,
        seed: Any = None,
        *,
        deterministic: bool = False,
        function: Callable[[Any], object] | None = None,
    ) -> Any:
        """Seed Python, NumPy and torch, from the hyperparameter seed unless one is given.

        A function of one's own gets the value instead, whatever it is. Gives the seed.
        """
        if seed is None and "seed" not in self.hparams:
            raise LogxError("seed: there is no hyperparameter seed; add one, or give logx.seed(1)")
        value = self.hparams["seed"] if seed is None else seed
        if function is not None:
            function(value)
        else:
            from runx.tracking.seeding import seed_all

            seed_all(value, deterministic)
        return value

    def remaining_time(self) -> float | None:
        """How many seconds the run still has, or None where nobody says."""
        import time

        from runx.tracking.stopping import remaining

        return remaining(time.time())

    def should_stop(self, within: float = 0.0, all_ranks: bool = False) -> bool:
        """Tell whether to save and leave: it was asked for, or ``within`` seconds it is over.

        With ``all_ranks`` every rank has to ask, and all get the same answer.
        """
        from runx.tracking.context import launched
        from runx.tracking.ranks import anywhere
        from runx.tracking.stopping import is_time

        run = launched() if self._session is None else self._session.run
        yes = is_time(run, within)
        return anywhere(yes) if all_ranks else yes
