"""The runs of experiments, as sumx answers questions about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.analysis.columns import Column, names_of, varying
from runx.analysis.question import Asked
from runx.analysis.table import Table, chosen, deciding, ranked
from runx.api.inspect import logroot_of, warning
from runx.api.tables import experiments_of, fields_of, read, selected, table
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

if TYPE_CHECKING:
    from runx.api.tables import Field


@dataclass(frozen=True)
class Results:
    """The runs of experiments, read when they are looked at; each method returns new ones.

    >>> results("sweep").where("lr < 0.1").best("acc").name    # doctest: +SKIP
    'curious-rattlesnake_2026.02.06_14.19'
    """

    experiments: tuple[ExperimentDir, ...]
    asked: Asked

    def __iter__(self) -> Iterator[RunRecord]:
        """Return the runs, one after another as they are read, where nothing asks for an order."""
        question = self.asked.question
        if not question.where and not question.sortwith and question.top is None:
            return self._read()
        runs = chosen(self._read(), question)
        return iter(ranked(runs, deciding(runs, question))[: question.top])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self) -> Iterator[RunRecord]:
        return read(self.experiments, self.asked, warning, warning)

    def _with(self, **more: Any) -> Results:
        return replace(self, asked=replace(self.asked, **more))

    def where(self, expression: str) -> Results:
        """Keep the runs for which an expression holds, as with ``sumx --where``."""
        before = self.asked.where
        return self._with(where=f"({before}) and ({expression})" if before else expression)

    def sorted(self, *metrics: str, lower: bool | None = None) -> Results:
        """Order the runs, best first; ``lower`` says which way, where the names do not."""
        if lower is None:
            return self._with(sortwith=metrics)
        down, up = (metrics, ()) if lower else ((), metrics)
        return self._with(sortwith=metrics, lower=down, higher=up)

    def lower(self, *metrics: str) -> Results:
        """Let less of these metrics be better."""
        return self._with(lower=(*self.asked.lower, *metrics))

    def higher(self, *metrics: str) -> Results:
        """Let more of these metrics be better."""
        return self._with(higher=(*self.asked.higher, *metrics))

    def top(self, count: int) -> Results:
        """Keep the first ones alone."""
        return self._with(top=count)

    def at(self, epoch: float | str) -> Results:
        """Take metrics at an epoch, or ``"min"``: the last that all runs have reached."""
        return self._with(at=str(epoch))

    def launch(self, launch: str) -> Results:
        """Keep the runs of one launch: the beginning of its time, or ``"last"``."""
        return self._with(launch=launch)

    def columns(self, *names: str) -> Results:
        """Show these: hyperparameters, metrics, ``acc:best``, ``acc@10``, ``train.loss``."""
        return self._with(columns=names)

    def ignore(self, *names: str) -> Results:
        """Leave hyperparameters out."""
        return self._with(ignore=(*self.asked.ignore, *names))

    def all_hparams(self) -> Results:
        """Show the hyperparameters that don't differ, too."""
        return self._with(all_hparams=True)

    def over(self, *names: str, agg: Sequence[str] = ()) -> Results:
        """Take runs together that differ in these alone: means and deviations over seeds."""
        return self._with(over=names, agg=tuple(agg) or self.asked.agg)

    def by(self, *names: str, agg: Sequence[str] = ()) -> Results:
        """Take runs together that are the same in these."""
        return self._with(by=names, agg=tuple(agg) or self.asked.agg)

    def best_per(self, name: str) -> Results:
        """Show the best run alone for each value of a hyperparameter."""
        return self._with(best_per=name)

    def importance(self, metric: str) -> Results:
        """Show which hyperparameter moves a metric."""
        return self._with(importance=metric)

    def pivot(self, down: str, across: str, values: str = "") -> Results:
        """Show the means of a metric by two hyperparameters."""
        return self._with(pivot=(down, across), values=values)

    def compare(self, one: str, other: str) -> Results:
        """Test whether two settings, as ``"lr=1"`` and ``"lr=2"``, differ."""
        return self._with(compare=(one, other))

    def best(self, metric: str, lower: bool | None = None) -> RunRecord:
        """Return the run with the best value of a metric."""
        best = next(iter(self.sorted(metric, lower=lower)), None)
        if best is None:
            raise RunxError(f"no best run by {metric}: there are no runs")
        return best

    def fields(self) -> list[Field]:
        """Return what there is to show, sort and select by."""
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
        from runx.export.plots import plotted

        output = str(file) if file is not None else None
        asked = replace(self.asked, plot=what, output=output, log=log, smooth=smooth)
        return plotted(what, selected(list(self._read()), asked), asked)

    def page(self, file: str | Path) -> int:
        """Write everything as one page of HTML; return how many runs it shows."""
        from runx.api.tables import write_page

        return write_page(self.experiments, self.asked, Path(file), warning)

    def summary(self) -> Table:
        """Return the table that sumx shows; a group's numbers are spreads."""
        return table(list(self._read()), self.asked, people=True)

    def written(self, form: str = "table", precision: int | None = None) -> str | bytes:
        """Return the table in one of the formats of ``sumx --format``."""
        from runx.analysis.cells import DIGITS
        from runx.export.formats import format_named

        kind = format_named(form)
        summary = table(list(self._read()), self.asked, kind.people)
        return kind.render(summary, precision or DIGITS)

    def json(self) -> list[dict[str, Any]]:
        """Return everything that is known of each run."""
        from json import loads

        rows: list[dict[str, Any]] = loads(self.written("json"))
        return rows

    def frame(self, polars: bool = False) -> Any:
        """Return a data frame, of pandas or polars, with every hyperparameter and digit."""
        asked = replace(self.asked, all_hparams=True)
        summary = table(list(self._read()), asked, people=False)
        if not (
            asked.over or asked.by or asked.agg or asked.importance or asked.pivot or asked.compare
        ):
            summary = _with_states(summary)
        heads = [column.heading for column in summary.columns]
        return _table(heads, [row.cells for row in summary.rows], polars)

    def history(self, name: str, polars: bool = False) -> Any:
        """Return a metric's course in every run as one long data frame; ``train.loss`` too."""
        from runx.analysis.curves import course, phase_of

        phase, metric = phase_of(name)
        runs = list(self)
        names = varying(runs)
        taken = ("run", "epoch", metric)
        heads = ["run", *(f"hparams.{one}" if one in taken else one for one in names), *taken[1:]]
        rows = [
            [run.name, *(run.hparams.get(name) for name in names), epoch, value]
            for run in runs
            for epoch, value in course(run, metric, phase)
        ]
        if not rows and any(run.metrics for run in runs):
            there = listed(nearest_first(metric, names_of(run.metrics for run in runs)))
            raise RunxError(f"no run has a course of {name}; there {there}")
        return _table(heads, rows, polars)

    def artifact(self, name: str) -> dict[str, Path]:
        """Return a file that runs have left in their directories, by the runs' names."""
        found = {}
        for run in self:
            files = (run.dir.path / name, run.dir.path / "artifacts" / name)
            if there := next((file for file in files if file.exists()), None):
                found[run.name] = there
        return found

    def __repr__(self) -> str:
        return str(self.written("table"))

    def _repr_html_(self) -> str:
        return str(self.written("html"))


def results(*experiments: str | Path, logroot: str | Path | None = None) -> Results:
    """Find experiments as sumx does: by names under LOGROOT, patterns or paths."""
    names = tuple(str(name) for name in experiments) or ("*",)
    asked = Asked(experiments=names, logroot=logroot_of(logroot), cwd=Path.cwd())
    return Results(tuple(experiments_of(asked)), asked)


def _with_states(summary: Table) -> Table:
    """Have a column of states whatever they are, without a remark for people in it."""
    kept = [at for at, column in enumerate(summary.columns) if column.kind != "state"]
    columns = (*(summary.columns[at] for at in kept), Column("state", "state"))
    rows = tuple(
        row._replace(
            cells=(*(row.cells[at] for at in kept), row.result.state if row.result else None)
        )
        for row in summary.rows
    )
    return summary._replace(columns=columns, rows=rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]], polars: bool) -> Any:
    kind = "polars" if polars else "pandas"
    try:
        if polars:
            import polars as library

            columns = zip(*rows, strict=True) if rows else ((),) * len(heads)
            return library.DataFrame(dict(zip(heads, map(_of_one_kind, columns), strict=True)))
        import pandas

        return pandas.DataFrame(rows, columns=list(heads))
    except ImportError as error:
        raise RunxError(f"a data frame needs {kind}: pip install {kind}") from error


def _of_one_kind(cells: Sequence[Any]) -> list[Any]:
    """Make the cells of a column alike, as polars wants them: else they are text.

    >>> _of_one_kind((1, 0.5, None)), _of_one_kind((1, "x", None)), _of_one_kind(([1, 2],))
    ([1.0, 0.5, None], ['1', 'x', None], ['[1, 2]'])
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) <= 1 and kinds <= {bool, int, float, str}:
        return list(cells)
    from runx.analysis.cells import for_machines

    make = float if kinds == {int, float} else for_machines
    return [None if cell is None else make(cell) for cell in cells]
