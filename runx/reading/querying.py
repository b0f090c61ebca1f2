"""Results from Python: ``runx.results("sweep")``, for scripts and notebooks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runx.analysis.courses import course, phase_of
from runx.disk.experiments import find
from runx.errors import RunxError
from runx.formats import written
from runx.formats.cells import for_machines
from runx.language.nearest import listed, nearest_first
from runx.reading.read import Reader, read_experiment
from runx.rundir import ExperimentDir
from runx.tables.columns import Column, names_of, varying
from runx.tables.grouping import Grouping, grouped
from runx.tables.question import Question
from runx.tables.ranking import deciding, ranked
from runx.tables.summary import Summary, chosen, summarize
from runx.types import RunRecord


@dataclass(frozen=True)
class Results:
    """The runs of experiments, read when they are looked at; each method gives new ones.

    >>> results("sweep").where("lr < 0.1").best("acc").name    # doctest: +SKIP
    'curious-rattlesnake_2026.02.06_14.19'
    """

    experiments: tuple[ExperimentDir, ...]
    question: Question = Question()  # noqa: RUF009
    grouping: Grouping | None = None

    def __iter__(self) -> Iterator[RunRecord]:
        """Give the runs, one after another as they are read, where nothing asks for an order."""
        found = self._read()
        if not self.question.where and not self.question.sortwith:
            return found
        runs = chosen(found, self.question)
        return iter(ranked(runs, deciding(runs, self.question)) if self.question.sortwith else runs)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self) -> Iterator[RunRecord]:
        question = self.question
        reader = Reader(question.measures, _warn, details=question.details, attempts=False)
        for experiment in self.experiments:
            yield from read_experiment(experiment, reader)

    def where(self, expression: str) -> Results:
        """Keep the runs for which an expression holds, as with ``sumx --where``."""
        before = self.question.where
        both = f"({before}) and ({expression})" if before else expression
        return replace(self, question=replace(self.question, where=both))

    def sorted(self, *metrics: str, lower: bool | None = None) -> Results:
        """Order the runs, best first; ``lower`` says which way, where the names do not."""
        question = replace(self.question, sortwith=metrics)
        if lower is not None:
            down, up = (metrics, ()) if lower else ((), metrics)
            question = replace(question, lower=down, higher=up)
        return replace(self, question=question)

    def over(self, *names: str) -> Results:
        """Take runs together that differ in these alone: means and deviations over seeds."""
        return replace(self, grouping=Grouping(over=names))

    def by(self, *names: str) -> Results:
        """Take runs together that are the same in these."""
        return replace(self, grouping=Grouping(by=names))

    def best(self, metric: str, lower: bool | None = None) -> RunRecord:
        """Give the run with the best value of a metric."""
        found = next(iter(self.sorted(metric, lower=lower)), None)
        if found is None:
            raise RunxError(f"no best run by {metric}: there are no runs")
        return found

    def summary(self) -> Summary:
        """Give the table that sumx shows; a group's numbers are spreads."""
        if self.grouping:
            return grouped(self._read(), self.question, self.grouping)
        return summarize(self._read(), self.question)

    def frame(self, polars: bool = False) -> Any:
        """Give a data frame, of pandas or polars, with every hyperparameter and digit."""
        question = replace(self.question, all_hparams=True)
        if self.grouping:
            complete = self.grouping._replace(agg=self.grouping.agg or ("mean", "std", "n"))
            summary = grouped(self._read(), question, complete)
        else:
            summary = summarize(self._read(), question)
            summary = _with_states(summary)
        heads = [column.heading for column in summary.columns]
        return _table(heads, [row.cells for row in summary.rows], polars)

    def history(self, name: str, polars: bool = False) -> Any:
        """Give a metric's course in every run as one long data frame; ``train.loss`` too."""
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
        """Find a file that runs have left in their directories, by the runs' names."""
        found = {}
        for run in self:
            files = (run.dir.path / name, run.dir.path / "artifacts" / name)
            if there := next((file for file in files if file.exists()), None):
                found[run.name] = there
        return found

    def __repr__(self) -> str:
        return written("table", self.summary())

    def _repr_html_(self) -> str:
        return written("html", self.summary())


def results(*experiments: str | Path, logroot: str | Path | None = None) -> Results:
    """Find experiments as sumx does: by names under LOGROOT, patterns or paths."""
    if logroot is None:
        from runx.settings.load import logroot as settled

        logroot = settled(Path.cwd(), os.environ)
    names = [str(name) for name in experiments] or ["*"]
    return Results(tuple(find(names, Path(logroot).expanduser(), Path.cwd())))


def _with_states(summary: Summary) -> Summary:
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
    make = float if kinds == {int, float} else for_machines
    return [None if cell is None else make(cell) for cell in cells]


def _warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr)
