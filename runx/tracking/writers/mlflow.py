"""The writer to MLflow: one MLflow run for each run, which later attempts continue."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import Any

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.plain import shown
from runx.tracking.writers import Destination


class Mlflow:
    """Logs to MLFLOW_TRACKING_URI, by default to a store in the experiment's directory."""

    def __init__(self, destination: Destination) -> None:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise LogxError("the writer mlflow needs mlflow: pip install mlflow-skinny") from error
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            uri = (destination.run.path.parent / "mlruns").absolute().as_uri()
            # The file store is the one that several runs can share without a server; newer
            # versions of MLflow have to be asked for it.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self._client = MlflowClient(tracking_uri=uri)
        self._id = self._resume(destination) or self._create(destination)

    def write(self, record: Record) -> None:
        """Log the metrics of a record, as PHASE/NAME, with one call."""
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
        """End the MLflow run, as failed where the script has raised an exception."""
        status = "FAILED" if hasattr(sys, "last_type") else "FINISHED"
        self._client.set_terminated(self._id, status=status)

    def _resume(self, destination: Destination) -> Any:
        """Continue the MLflow run of an earlier attempt and return its id, None without one."""
        run_id = destination.notes.get("mlflow_run_id")
        if run_id:
            self._client.update_run(run_id, status="RUNNING")
        return run_id

    def _create(self, destination: Destination) -> Any:
        """Create an MLflow run with the hyperparameters; return its id."""
        from mlflow.entities import Param

        info = destination.info
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or info.experiment
        experiment = self._client.get_experiment_by_name(name)
        id = experiment.experiment_id if experiment else self._client.create_experiment(name)
        run = self._client.create_run(id, run_name=info.name, tags={"runx.tag": info.tag})
        destination.notes.keep(mlflow_run_id=run.info.run_id)
        params = [
            Param(allowed(name), shown(value)[:6000]) for name, value in destination.hparams.items()
        ]
        self._client.log_batch(run.info.run_id, params=params)
        return run.info.run_id


def allowed(name: str) -> str:
    """Return a name with _ for each character that MLflow doesn't allow.

    >>> allowed("val/top 5 (%)")
    'val/top 5 ___'
    """
    return re.sub(r"[^\w\-. :/]", "_", name)
