"""Tables, data frames and pictures of the runs of experiments, as sumx makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar, overload

from runx.analysis.columns import (
    check_ignored,
    metric_column,
    names_of,
    resolve,
    value,
    varying,
)
from runx.analysis.groups import Grouping, grouping_columns, groups
from runx.analysis.question import TableOptions
from runx.analysis.table import Table, best_first, chosen, rank, sort_keys
from runx.api.frames import frame_of, headings, with_states
from runx.api.narrowing import Narrowing
from runx.api.printing import warning
from runx.api.project import logroot_of
from runx.api.run_result import RunResult
from runx.api.searches import as_searched
from runx.api.shown import Shown, framed
from runx.api.tables import experiments_of, fields_of, read, selected, table
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.rundir.artifacts import artifact_path
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

if TYPE_CHECKING:
    from runx.api.experiment import Experiment
    from runx.api.tables import Field

Made = TypeVar("Made")


@dataclass(frozen=True)
class Results(Narrowing):
    """The runs of experiments, read at each look; a method that narrows them returns new ones.

    >>> results("sweep").where("lr < 0.1").best("acc").name    # doctest: +SKIP
    'curious-rattlesnake_2026.02.06_14.19'
    """

    experiments: tuple[ExperimentDir, ...]

    def __iter__(self) -> Iterator[RunResult]:
        """Return the runs, as they are read unless they are selected or sorted."""
        return map(RunResult._make, self._ordered())

    def _ordered(self) -> Iterator[RunRecord]:
        question = self.options.question
        is_plain = not question.where and not question.sortwith and not question.pareto
        if is_plain and question.top is None:
            return self._read()
        runs = chosen(self._read(), question)
        return iter(best_first(runs, sort_keys(runs, question), question))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, place: int) -> RunResult: ...
    @overload
    def __getitem__(self, place: slice) -> list[RunResult]: ...
    def __getitem__(self, place: int | slice) -> RunResult | list[RunResult]:
        """Return a run by its place, or some."""
        return list(self)[place]

    def _read(self) -> Iterator[RunRecord]:
        return read(self.experiments, self.options, warning, warning, attempts=True)

    def _all(self) -> list[RunRecord]:
        runs = list(self._read())
        check_ignored(runs, self.options.ignore)
        return runs

    def best(self, metric: str = "", lower: bool | None = None) -> RunResult:
        """Return the run with the best value of a metric, by default the first that is sorted by.

        Raises:
            RunxError: There are no runs, no such metric, or none is named.
        """
        if not (metric or self.options.sortwith or self.options.preferred):
            raise RunxError('best by which metric? best("acc"), or sorted("acc").best()')
        metric = metric or ("" if self.options.sortwith else self.options.preferred[0])
        is_own = metric in self.options.preferred and lower is None
        kept = self._with(sortwith=(metric,)) if is_own else self.sorted(metric, lower=lower)
        ordered = kept if metric else self
        best = next(iter(ordered), None)
        if best is None:
            name = metric or self.options.sortwith[0]
            raise RunxError(f"no best run by {name}: there are no runs")
        return best

    def map(self, function: Callable[[RunResult], Made]) -> list[Made]:
        """Return what a function makes of each run, in their order.

        >>> results("sweep").map(lambda run: run.hparams["lr"])    # doctest: +SKIP
        [0.1, 0.2]
        """
        return [function(run) for run in self]

    def agg(self, function: Callable[[list[Any]], Made], metric: str = "") -> dict[Any, Made]:
        """Return what a function makes of each group of runs, or of a ``metric``'s values there.

        The keys are the values that ``by`` names, or all that differ but those of ``over``: a tuple
        where there are several. Runs without the metric are left out.

        >>> results("sweep").by("lr").agg(max, "acc")    # doctest: +SKIP
        {0.1: 0.91, 0.2: 0.93}
        """
        runs = list(self)
        if not runs:
            return {}
        grouping = Grouping(self.options.over, self.options.by)
        columns = grouping_columns(runs, self.options.question, grouping)
        members = groups(runs, columns)
        members.sort(key=lambda group: [rank(value(group[0], each), True) for each in columns])
        measured = resolve(metric, runs) if metric else None
        made = {}
        for group in members:
            values = [value(run, measured) for run in group] if measured else group
            values = [each for each in values if each is not None]
            key = tuple(_hashable(value(group[0], column)) for column in columns)
            if values:
                made[key[0] if len(key) == 1 else key] = function(values)
        return made

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

        A notebook shows a picture in place of the text. ``log`` names the logarithmic axes,
        ``"x"``, ``"y"`` or ``"xy"``; ``smooth`` is from 0 to 1.
        """
        from runx.export.picture import svg
        from runx.export.plots import pictured, plot_runs
        from runx.export.terminal import drawn

        output = str(file) if file is not None else None
        options = replace(self.options, plot=what, output=output, log=log, smooth=smooth)
        runs, options = selected(self._all(), options)
        if output:
            return plot_runs(what, runs, options)
        picture = pictured(what, runs, options)
        return Shown(drawn(picture), "image/svg+xml", lambda: svg(picture))

    def parallel(self, file: str | Path | None = None) -> str:
        """Draw a line for each run across its hyperparameters and metrics."""
        return self.plot("parallel", file)

    def html(self, file: str | Path | None = None) -> str:
        """Return the report, one page of HTML, which a notebook shows; or write it to a file."""
        if file is not None:
            return f"{file}: {self.page(file)} runs"
        with TemporaryDirectory() as folder:
            path = Path(folder) / "page.html"
            self.page(path)
            page = path.read_text(encoding="utf-8")
        return Shown(page, "text/html", lambda: framed(page))

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
        """Return the paths of an artifact, or of a file or folder of runs, by the runs' names."""
        paths = {run.name: artifact_path(run.dir, name) for run in self}
        return {run: path for run, path in paths.items() if path}

    def __repr__(self) -> str:
        return str(self.written("table"))

    def _repr_html_(self) -> str:
        return str(self.written("html"))


def _hashable(cell: Any) -> Any:
    """Return a hyperparameter that can be a key; lists are tuples.

    >>> _hashable([1, [2]]), _hashable({"a": 1})
    ((1, (2,)), (('a', 1),))
    """
    if isinstance(cell, dict):
        return tuple((name, _hashable(inner)) for name, inner in cell.items())
    return tuple(map(_hashable, cell)) if isinstance(cell, (list, tuple)) else cell


def results(*experiments: str | Path | Experiment, logroot: str | Path | None = None) -> Results:
    """Return the runs of experiments: names under LOGROOT, patterns or paths, by default all.

    An ``Experiment`` stands for the runs under its own LOGROOT.
    """
    paths = (
        each if isinstance(each, (str, Path)) else each.settings.dir.path for each in experiments
    )
    names = tuple(map(str, paths)) or ("*",)
    options = TableOptions(experiments=names, logroot=logroot_of(logroot), cwd=Path.cwd())
    dirs = tuple(experiments_of(options, warning))
    return Results(as_searched(options, dirs), dirs)
