"""What narrows, sorts and groups results, as the flags of sumx do: each returns new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runx.analysis.question import TableOptions

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Narrowing:
    """Options of a table, as flags of sumx set them, and methods that return others."""

    options: TableOptions

    def _with(self, **more: Any) -> Self:
        return replace(self, options=replace(self.options, **more))

    def where(self, expression: str) -> Self:
        """Keep the runs for which an expression holds, as with ``sumx --where``."""
        where = self.options.where
        return self._with(where=f"({where}) and ({expression})" if where else expression)

    def sorted(self, *metrics: str, lower: bool | None = None) -> Self:
        """Sort the runs, best first; ``lower`` is whether less is better, None by the names."""
        if lower is None:
            return self._with(sortwith=metrics)
        down, up = (metrics, ()) if lower else ((), metrics)
        return self._with(sortwith=metrics, lower=down, higher=up)

    def lower(self, *metrics: str) -> Self:
        """Take less of these metrics as better."""
        return self._with(lower=(*self.options.lower, *metrics))

    def higher(self, *metrics: str) -> Self:
        """Take more of these metrics as better."""
        return self._with(higher=(*self.options.higher, *metrics))

    def top(self, count: int) -> Self:
        """Keep the first ``count`` runs."""
        return self._with(top=count)

    def at(self, epoch: float | str) -> Self:
        """Take the metrics of an epoch, or of ``"min"``, the last that all runs have reached."""
        return self._with(at=str(epoch))

    def launch(self, launch: str) -> Self:
        """Keep the runs of one launch: the beginning of its time, or ``"last"``."""
        return self._with(launch=launch)

    def label(self, *labels: str) -> Self:
        """Keep the runs with all of these labels."""
        return self._with(label=(*self.options.label, *labels))

    def columns(self, *names: str) -> Self:
        """Show these: hyperparameters, metrics, ``acc:best``, ``acc@10``, ``train.loss``."""
        return self._with(columns=names)

    def ignore(self, *names: str) -> Self:
        """Leave hyperparameters and metrics out."""
        return self._with(ignore=(*self.options.ignore, *names))

    def all_hparams(self) -> Self:
        """Show also the hyperparameters that don't differ."""
        return self._with(all_hparams=True)

    def over(self, *names: str, agg: Sequence[str] = ()) -> Self:
        """Group runs that differ in nothing but these, such as seeds: means and deviations."""
        return self._with(over=names, agg=tuple(agg) or self.options.agg)

    def by(self, *names: str, agg: Sequence[str] = ()) -> Self:
        """Group runs that are equal in these."""
        return self._with(by=names, agg=tuple(agg) or self.options.agg)

    def best_per(self, name: str) -> Self:
        """Show only the best run for each value of a hyperparameter."""
        return self._with(best_per=name)

    def pareto(self, *metrics: str) -> Self:
        """Keep the runs that no other is better than in all of two metrics or more.

        By default those that are sorted by, or that a search went by.
        """
        return self._with(pareto=True, sortwith=metrics or self.options.sortwith)

    def importance(self, metric: str) -> Self:
        """Show how much each hyperparameter changes a metric."""
        return self._with(importance=metric)

    def pivot(self, down: str, across: str, values: str = "") -> Self:
        """Show the means of a metric by two hyperparameters."""
        return self._with(pivot=(down, across), values=values)

    def compare(self, one: str, other: str) -> Self:
        """Test whether two settings, as ``"lr=1"`` and ``"lr=2"``, differ."""
        return self._with(compare=(one, other))

    def ablation(self, metric: str) -> Self:
        """Show what each change of RUNX.ABLATE does to a metric."""
        return self._with(ablation=metric)
