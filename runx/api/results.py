"""Tables, data frames and pictures of the runs of experiments, as sumx makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.analysis.columns import check_ignored, metric_column, names_of, varying
from runx.analysis.question import TableOptions
from runx.analysis.table import Table, chosen, ranked, sort_keys
from runx.api.frames import frame_of, headings, with_states
from runx.api.printing import warning
from runx.api.project import logroot_of
from runx.api.tables import experiments_of, fields_of, read, selected, table
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

if TYPE_CHECKING:
    from runx.api.experiment import Experiment
    from runx.api.tables import Field


@dataclass(frozen=True)
class Results:
    """The runs of experiments, read at each look; a method that narrows them returns new ones.

    >>> results("sweep").where("lr < 0.1").best("acc").name    # doctest: +SKIP
    'curious-rattlesnake_2026.02.06_14.19'
    """

    experiments: tuple[ExperimentDir, ...]
    options: TableOptions

    def __iter__(self) -> Iterator[RunRecord]:
        """Return the runs, as they are read unless they are selected or sorted."""
        question = self.options.question
        if not question.where and not question.sortwith and question.top is None:
            return self._read()
        runs = chosen(self._read(), question)
        return iter(ranked(runs, sort_keys(runs, question))[: question.top])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self) -> Iterator[RunRecord]:
        return read(self.experiments, self.options, warning, warning, attempts=True)

    def _all(self) -> list[RunRecord]:
        runs = list(self._read())
        check_ignored(runs, self.options.ignore)
        return runs

    def _with(self, **more: Any) -> Results:
        return replace(self, options=replace(self.options, **more))

    def where(self, expression: str) -> Results:
        """Keep the runs for which an expression holds, as with ``sumx --where``."""
        where = self.options.where
        return self._with(where=f"({where}) and ({expression})" if where else expression)

    def sorted(self, *metrics: str, lower: bool | None = None) -> Results:
        """Sort the runs, best first; ``lower`` is whether less is better, None by the names."""
        if lower is None:
            return self._with(sortwith=metrics)
        down, up = (metrics, ()) if lower else ((), metrics)
        return self._with(sortwith=metrics, lower=down, higher=up)

    def lower(self, *metrics: str) -> Results:
        """Take less of these metrics as better."""
        return self._with(lower=(*self.options.lower, *metrics))

    def higher(self, *metrics: str) -> Results:
        """Take more of these metrics as better."""
        return self._with(higher=(*self.options.higher, *metrics))

    def top(self, count: int) -> Results:
        """Keep the first ``count`` runs."""
        return self._with(top=count)

    def at(self, epoch: float | str) -> Results:
        """Take the metrics of an epoch, or of ``"min"``, the last that all runs have reached."""
        return self._with(at=str(epoch))

    def launch(self, launch: str) -> Results:
        """Keep the runs of one launch: the beginning of its time, or ``"last"``."""
        return self._with(launch=launch)

    def label(self, *labels: str) -> Results:
        """Keep the runs with all of these labels."""
        return self._with(label=(*self.options.label, *labels))

    def columns(self, *names: str) -> Results:
        """Show these: hyperparameters, metrics, ``acc:best``, ``acc@10``, ``train.loss``."""
        return self._with(columns=names)

    def ignore(self, *names: str) -> Results:
        """Leave hyperparameters and metrics out."""
        return self._with(ignore=(*self.options.ignore, *names))

    def all_hparams(self) -> Results:
        """Show also the hyperparameters that don't differ."""
        return self._with(all_hparams=True)

    def over(self, *names: str, agg: Sequence[str] = ()) -> Results:
        """Group runs that differ in nothing but these, such as seeds: means and deviations."""
        return self._with(over=names, agg=tuple(agg) or self.options.agg)

    def by(self, *names: str, agg: Sequence[str] = ()) -> Results:
        """Group runs that are equal in these."""
        return self._with(by=names, agg=tuple(agg) or self.options.agg)

    def best_per(self, name: str) -> Results:
        """Show only the best run for each value of a hyperparameter."""
        return self._with(best_per=name)

    def importance(self, metric: str) -> Results:
        """Show how much each hyperparameter changes a metric."""
        return self._with(importance=metric)

    def pivot(self, down: str, across: str, values: str = "") -> Results:
        """Show the means of a metric by two hyperparameters."""
        return self._with(pivot=(down, across), values=values)

    def compare(self, one: str, other: str) -> Results:
        """Test whether two settings, as ``"lr=1"`` and ``"lr=2"``, differ."""
        return self._with(compare=(one, other))

    def ablation(self, metric: str) -> Results:
        """Show what each change of RUNX.ABLATE does to a metric."""
        return self._with(ablation=metric)

    def best(self, metric: str, lower: bool | None = None) -> RunRecord:
        """Return the run with the best value of a metric.

        Raises:
            RunxError: There are no runs, or no such metric.
        """
        best = next(iter(self.sorted(metric, lower=lower)), None)
        if best is None:
            raise RunxError(f"no best run by {metric}: there are no runs")
        return best

    def fields(self) -> list[Field]:
        """Return the fields to show, sort and select by."""
        return fields_of(list(self._read()))

    def diff(self, one: str, other: str) -> list[str]:
        """Return the lines in which two runs differ."""
        from runx.api.tables import difference

        return difference(list(self._read()), one, other)

    def plot(
        self, what: str, file: str | Path | None = None, log: str = "", smooth: float = 0.0
    ) -> str:
        """Draw ``"acc"``, ``"lr vs acc"`` or ``"parallel"``: into a file, or as text.

        ``log`` names the logarithmic axes, ``"x"``, ``"y"`` or ``"xy"``; ``smooth`` is from 0 to 1.
        """
        from runx.export.plots import plot_runs

        output = str(file) if file is not None else None
        options = replace(self.options, plot=what, output=output, log=log, smooth=smooth)
        return plot_runs(what, *selected(self._all(), options))

    def page(self, file: str | Path) -> int:
        """Write the report, one page of HTML; return the number of its runs."""
        from runx.api.tables import write_page

        return write_page(self.experiments, self.options, Path(file), warning)

    def summary(self) -> Table:
        """Return the table as sumx shows it; the numbers of groups are means with deviations."""
        return table(self._all(), self.options, people=True)

    def written(self, form: str = "table", precision: int | None = None) -> str | bytes:
        """Return the table in one of the formats of ``sumx --format``."""
        from runx.analysis.cells import DIGITS
        from runx.export.formats import format_named

        chosen_format = format_named(form)
        summary = table(self._all(), self.options, chosen_format.people)
        return chosen_format.render(summary, precision or DIGITS)

    def json(self) -> list[dict[str, Any]]:
        """Return an object for each run, as ``sumx --json`` prints it."""
        from json import loads

        rows: list[dict[str, Any]] = loads(self.written("json"))
        return rows

    def frame(self, polars: bool = False) -> Any:
        """Return a data frame, of pandas or polars, with every hyperparameter and digit."""
        options = replace(self.options, all_hparams=True)
        summary = table(self._all(), options, people=False)
        if not (
            options.over
            or options.by
            or options.agg
            or options.importance
            or options.pivot
            or options.compare
            or options.ablation
        ):
            summary = with_states(summary)
        return frame_of(headings(summary.columns), [row.cells for row in summary.rows], polars)

    def history(self, name: str, polars: bool = False) -> Any:
        """Return a metric at each epoch of every run, ``train.loss`` too, as a long data frame."""
        from runx.analysis.curves import metric_history, phase_of

        phase, metric = phase_of(name)
        runs = list(self)
        names = varying(runs)
        own = ("name", "epoch", metric)
        hparams = [f"hparams.{name}" if name in own else name for name in names]
        rows = [
            [run.name, *(run.hparams.get(name) for name in names), epoch, value]
            for run in runs
            for epoch, value in metric_history(run, metric, phase)
        ]
        if not rows and any(run.metrics for run in runs):
            metrics = listed(nearest_first(metric, names_of(run.metrics for run in runs)))
            raise RunxError(f"no run has a course of {name}; there {metrics}")
        heading = metric_column(metric).heading
        return frame_of(["name", *hparams, "epoch", heading], rows, polars)

    def artifact(self, name: str) -> dict[str, Path]:
        """Return the paths of a file or folder in the runs' directories, by the runs' names."""
        paths = {}
        for run in self:
            places = (run.dir.path / name, run.dir.path / "artifacts" / name)
            if path := next((place for place in places if place.exists()), None):
                paths[run.name] = path
        return paths

    def __repr__(self) -> str:
        return str(self.written("table"))

    def _repr_html_(self) -> str:
        return str(self.written("html"))


def results(*experiments: str | Path | Experiment, logroot: str | Path | None = None) -> Results:
    """Return the runs of experiments: names under LOGROOT, patterns or paths, by default all.

    An ``Experiment`` stands for the runs under its own LOGROOT.
    """
    paths = (
        each if isinstance(each, (str, Path)) else each.settings.dir.path for each in experiments
    )
    names = tuple(map(str, paths)) or ("*",)
    options = TableOptions(experiments=names, logroot=logroot_of(logroot), cwd=Path.cwd())
    return Results(tuple(experiments_of(options, warning)), options)
