"""The writer to Trackio: one of its runs for each run, which later attempts continue."""

from __future__ import annotations

import os
from typing import Any

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.plain import plain
from runx.tracking.writers import Destination
from runx.tracking.writers.wandb import stable_name


class Trackio:
    """Logs to TRACKIO_DIR, by default ``trackio`` in the experiment's directory.

    Where TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set it logs there, as Trackio has it.
    """

    def __init__(self, destination: Destination) -> None:
        folder = (destination.run.path.parent / "trackio").absolute()
        # It looks at this once, when it is imported.
        os.environ.setdefault("TRACKIO_DIR", str(folder))
        try:
            import trackio
        except ImportError as error:
            raise LogxError("the writer trackio needs trackio: pip install trackio") from error
        info = destination.info
        self._run = trackio.init(
            project=os.environ.get("TRACKIO_PROJECT") or stable_name(info.experiment),
            name=info.name,
            group=info.tag or None,
            config=config_of(destination.hparams),
            resume="allow",
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )

    def write(self, record: Record) -> None:
        """Log the metrics of a record, as PHASE/NAME."""
        prefix = f"{record.phase}/" if record.phase else ""
        values = {f"{prefix}{name}": value for name, value in record.metrics.items()}
        self._run.log(values, step=int(record.epoch or 0))

    def close(self) -> None:
        """Write what waits in memory."""
        self._run.finish()


def config_of(hparams: Any) -> dict[str, Any]:
    """Return hyperparameters as Trackio takes them: it has names with _ in front for itself.

    >>> config_of({"lr": 0.1, "_target_": "Net"})
    {'lr': 0.1, 'target_': 'Net'}
    """
    values = plain(dict(hparams))
    return {name.lstrip("_") or f"hparam{name}": value for name, value in values.items()}
