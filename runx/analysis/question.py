"""What to show of runs, as asked for, and what has to be read of each run for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runx.analysis.better import lower_is_better
from runx.analysis.columns import DETAILS
from runx.analysis.reduce import Measure

if TYPE_CHECKING:
    from runx.rundir.run import RunRecord

_AT = r"best|min|max|mean|last|\d+"
_SPEC = re.compile(rf"(?:(?P<phase>train|val|test)\.)?(?P<metric>.+?)(?:[:@](?P<at>{_AT}))?", re.S)
_IN_TEXT = re.compile(
    rf"\b(?:train|val|test)\.[\w./-]*\w(?:[:@](?:{_AT}))?|\b[\w./-]*\w[:@](?:{_AT})\b"
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Question:
    """What a table shows of runs.

    ``columns`` are names; empty, the table chooses. ``where`` is an expression. ``at`` is an epoch
    that metrics are taken from instead of the last. ``extra`` are other names to read. ``others``
    are runs that a condition has left out: what these alone have is a name all the same.
    ``preferred`` are what searches went by: to sort with where nothing else is said and any run
    has it. With ``pareto`` only what no other one is better than in all that is sorted by.
    """

    sortwith: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    all_hparams: bool = False
    where: str = ""
    top: int | None = None
    at: float | None = None
    extra: tuple[str, ...] = ()
    others: tuple[RunRecord, ...] = field(default=(), repr=False, compare=False)
    preferred: tuple[str, ...] = ()
    pareto: bool = False

    @cached_property
    def sort_measures(self) -> tuple[Measure, ...]:
        """The measures to sort by, one for each name in ``sortwith``, else ``preferred``."""
        return tuple([self.sort_measure(name) for name in self.sortwith or self.preferred])

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is to be read of every run's metrics beyond its last epoch."""
        names = (*self.columns, *self.extra, *specs(self.where))
        measures = [measure for name in names if (measure := self.measure(name))]
        return tuple(dict.fromkeys((*self.sort_measures, *measures)))

    @property
    def details(self) -> frozenset[str]:
        """What is to be read of every run beside its metrics."""
        names = {*self.columns, *self.sortwith, *self.extra, *_WORD.findall(self.where)}
        return frozenset(names & set(DETAILS))

    def measure(self, text: str) -> Measure | None:
        """Return the measure that a name like ``train.loss:best`` specifies, None for a plain name.

        >>> Question().measure("train.loss:best")
        Measure(name='train.loss:best', metric='loss', at='min', phase='train')
        """
        match = _SPEC.fullmatch(text)
        if not match or not (match["phase"] or match["at"]):
            return None
        at = match["at"] or "last"
        if at == "best":
            at = "min" if self.is_lower(match["metric"]) else "max"
        return Measure(text, match["metric"], at, match["phase"] or "val")

    def sort_measure(self, name: str) -> Measure:
        """Return the measure to sort by: a metric's best value, named as the original names it.

        >>> Question().sort_measure("acc")
        Measure(name='acc-best', metric='acc', at='max', phase='val')
        """
        metric = name.removesuffix("-best")
        if measure := self.measure(metric):
            return measure
        return Measure(f"{metric}-best", metric, "min" if self.is_lower(metric) else "max")

    def is_lower(self, metric: str) -> bool:
        """Return whether less of a metric is better."""
        return lower_is_better(metric, self.lower, self.higher)


def specs(where: str) -> Iterator[str]:
    """Return the metrics in an expression that specify where in their history they are taken.

    >>> list(specs("lr < 1 and acc:best > train.acc and acc@10 == 3"))
    ['acc:best', 'train.acc', 'acc:10']
    """
    return (spec.replace("@", ":") for spec in _IN_TEXT.findall(where))


@dataclass(frozen=True)
class TableOptions:
    """The options of sumx's command line, or of the same question from Python."""

    experiments: tuple[str, ...]
    logroot: Path
    cwd: Path
    sortwith: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    all_hparams: bool = False
    fields: bool = False
    where: str = ""
    top: int | None = None
    at: str | None = None
    over: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    agg: tuple[str, ...] = ()
    best_per: str = ""
    launch: str = ""
    label: tuple[str, ...] = ()
    form: str = "table"
    output: str | None = None
    precision: int | None = None
    csv_file: str | None = None
    html_file: str | None = None
    as_json: bool = False
    watch: float | None = None
    importance: str = ""
    pivot: tuple[str, str] | None = None
    values: str = ""
    compare: tuple[str, str] | None = None
    diff: tuple[str, str] | None = None
    ablation: str = ""
    plot: str = ""
    log: str = ""
    smooth: float = 0.0
    others: tuple[RunRecord, ...] = field(default=(), repr=False, compare=False)
    preferred: tuple[str, ...] = ()
    pareto: bool = False

    @property
    def format(self) -> str:
        """How the table is written."""
        return "json" if self.as_json else self.form

    @cached_property
    def question(self) -> Question:
        """What the table shows; names that other options need are read besides."""
        single = (
            *(self.best_per, self.importance, self.ablation, self.values),
            *(self.pivot or ()),
        )
        launch = ("launch",) if self.launch else ()
        return Question(
            sortwith=self.sortwith,
            ignore=self.ignore,
            lower=self.lower,
            higher=self.higher,
            columns=self.columns,
            all_hparams=self.all_hparams,
            where=self.where,
            top=None if self.best_per else self.top,
            at=None if self.at in (None, "min", "last") else float(self.at or 0),
            extra=(*self.over, *self.by, *filter(None, single), *launch),
            others=self.others,
            preferred=self.preferred,
            pareto=self.pareto,
        )
