"""One run of results: its metrics over time, its checkpoints and its artifacts, read when asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runx.analysis.columns import names_of
from runx.api.frames import frame_of
from runx.errors import RunxError
from runx.nearest import suggestion
from runx.rundir.artifacts import artifact_entries, artifact_path
from runx.rundir.run import RunRecord


class RunResult(RunRecord):
    """A run as it is read back, and what lies in its directory.

    >>> results("sweep")[0].history()    # doctest: +SKIP
    >>> results("sweep").best("acc").load_checkpoint()["state_dict"]    # doctest: +SKIP
    """

    __slots__ = ()

    def history(self, *metrics: str, polars: bool = False) -> Any:
        """Return a data frame of metrics with a row for each epoch, by default of all of them.

        Those of training are called ``train.loss``.

        Raises:
            RunxError: The run has no such metric.
        """
        courses = _courses(self, metrics)
        epochs = sorted(names_of(courses.values()))
        rows = [[epoch, *(course.get(epoch) for course in courses.values())] for epoch in epochs]
        names = [f"metrics.{name}" if name == "epoch" else name for name in courses]
        return frame_of(["epoch", *names], rows, polars)

    def load_checkpoint(self, name: str = "best", weights_only: bool = True) -> Any:
        """Return what a checkpoint holds, on the CPU: the ``best``, the ``last``, or a file's.

        With ``weights_only`` loading can't run code that is in it.

        Raises:
            RunxError: There is none, it can't be loaded, or torch is missing.
        """
        path = _checkpoint(self, name)
        try:
            import torch
        except ImportError:
            raise RunxError("load_checkpoint needs torch: pip install torch") from None
        try:
            return torch.load(path, map_location="cpu", weights_only=weights_only)
        except Exception as error:  # what torch and pickle raise for a damaged file is open
            advice = "; if you trust it, weights_only=False" if weights_only else ""
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise RunxError(f"{path}: can't be loaded: {why}{advice}") from error

    def artifact(self, name: str) -> Path:
        """Return the path of an artifact, or of a file or folder that the run has left.

        Raises:
            RunxError: There is none of that name.
        """
        path = artifact_path(self.dir, name)
        if path is None:
            entries = artifact_entries(self.dir)
            advice = suggestion(name, entries) if entries else "logx.artifact has kept none"
            raise RunxError(f"{self.name}: no artifact or file {name}: {advice}")
        return path

    def __repr__(self) -> str:
        values = {**self.hparams, **self.metrics}
        shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return f"<{self.name}: {self.state}{', ' if shown else ''}{shown}>"


def _courses(run: RunRecord, metrics: tuple[str, ...]) -> Mapping[str, Mapping[Any, Any]]:
    """Return the values of metrics by their epochs; of an epoch that was repeated, the last."""
    from runx.analysis.curves import last_metrics, metric_history, phase_of

    phases = ("train", "test") if run.metrics else ("train",)
    others = (f"{phase}.{name}" for phase in phases for name in last_metrics(run, phase))
    names = [*run.metrics, *others]
    courses: dict[str, dict[Any, Any]] = {}
    for name in metrics or names:
        phase, metric = phase_of(name.removeprefix("metrics."))
        points = metric_history(run, metric, phase)
        if metrics and not points:
            raise RunxError(f"{run.name}: no course of {name}: {suggestion(name, names)}")
        courses[name] = {
            at if epoch is None else epoch: each for at, (epoch, each) in enumerate(points)
        }
    return courses


def _checkpoint(run: RunRecord, name: str) -> Path:
    """Return the path of a checkpoint: the best, the last, or a file of the run."""
    from runx.rundir.checkpoints import checkpoints_in

    found = checkpoints_in(run.dir)
    paths = {each.kind: each.path for each in found} | {each.path.name: each.path for each in found}
    path = paths.get(name) or artifact_path(run.dir, name)
    if path is None:
        advice = f"there are {', '.join(paths)}" if paths else "logx has saved none; name a file"
        raise RunxError(f"{run.name}: no checkpoint {name}: {advice}")
    return path
