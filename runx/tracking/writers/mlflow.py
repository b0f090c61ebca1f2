"""MLflow: one run there for each run here, the same one over all attempts."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import Any

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.writers import Destination


class Mlflow:
    """Logs to MLflow, to MLFLOW_TRACKING_URI or else to a store in the experiment's directory."""

    def __init__(self, destination: Destination) -> None:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise LogxError("the writer mlflow needs mlflow: pip install mlflow-skinny") from error
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            uri = (destination.run.path.parent / "mlruns").absolute().as_uri()
            # Plain files are the one store that many runs at once can share without a server;
            # newer MLflows want to be asked for it.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self._client = MlflowClient(tracking_uri=uri)
        self._id = self._resumed(destination) or self._begun(destination)

    def write(self, record: Record) -> None:
        """Log the record's numbers, each under its phase, with one call."""
        from mlflow.entities import Metric

        when = int(1000 * (record.timestamp or time.time()))
        step = int(record.epoch or 0)
        prefix = f"{record.phase}/" if record.phase else ""
        metrics = [
            Metric(allowed(prefix + name), float(value), when, step)
            for name, value in record.metrics.items()
        ]
        self._client.log_batch(self._id, metrics=metrics)

    def close(self) -> None:
        """End the run there; a script that ended in an exception has failed."""
        status = "FAILED" if hasattr(sys, "last_type") else "FINISHED"
        self._client.set_terminated(self._id, status=status)

    def _resumed(self, destination: Destination) -> Any:
        """Go on with the run of an earlier attempt, if there is one."""
        known = destination.notes.get("mlflow_run_id")
        if known:
            self._client.update_run(known, status="RUNNING")
        return known

    def _begun(self, destination: Destination) -> Any:
        from mlflow.entities import Param

        info = destination.info
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or info.experiment
        found = self._client.get_experiment_by_name(experiment)
        where = found.experiment_id if found else self._client.create_experiment(experiment)
        run = self._client.create_run(where, run_name=info.name, tags={"runx.tag": info.tag})
        destination.notes.keep(mlflow_run_id=run.info.run_id)
        params = [
            Param(allowed(name), str(value)[:6000]) for name, value in destination.hparams.items()
        ]
        self._client.log_batch(run.info.run_id, params=params)
        return run.info.run_id


def allowed(name: str) -> str:
    """Put _ for what MLflow doesn't allow in names.

    >>> allowed("val/top 5 (%)")
    'val/top 5 ___'
    """
    return re.sub(r"[^\w\-. :/]", "_", name)
