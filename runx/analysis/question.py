"""What a person wants to know of their runs, and what has to be looked for to answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runx.analysis.better import lower_is_better
from runx.analysis.columns import DETAILS
from runx.analysis.reduce import Measure

_AT = r"best|min|max|mean|last|\d+"


_SPEC = re.compile(rf"(?:(?P<phase>train|val|test)\.)?(?P<metric>.+?)(?:[:@](?P<at>{_AT}))?", re.S)


_IN_TEXT = re.compile(
    rf"\b(?:train|val|test)\.[\w./-]*\w(?:[:@](?:{_AT}))?|\b[\w./-]*\w[:@](?:{_AT})\b"
)


_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person wants to see of their runs.

    ``columns`` are names; empty, the table chooses. ``where`` is an expression. ``at`` is an epoch
    that metrics are taken from instead of the last.
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

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is to be looked for in every run beyond its last epoch."""
        names = (*self.columns, *self.extra, *specs(self.where))
        wanted = [self.deciding(name) for name in self.sortwith]
        wanted += [found for name in names if (found := self.measure(name))]
        return tuple(dict.fromkeys(wanted))

    @property
    def details(self) -> frozenset[str]:
        """What is to be read of every run beside its metrics."""
        words = {*self.columns, *self.sortwith, *self.extra, *_WORD.findall(self.where)}
        return frozenset(words & set(DETAILS))

    def measure(self, text: str) -> Measure | None:
        """Read a metric that says where it is to be taken; None where it says nothing.

        >>> Question().measure("train.loss:best")
        Measure(name='train.loss:best', metric='loss', at='min', phase='train')
        """
        found = _SPEC.fullmatch(text)
        if not found or not (found["phase"] or found["at"]):
            return None
        at = found["at"] or "last"
        return Measure(
            text, found["metric"], self._pooled(found["metric"], at), found["phase"] or "val"
        )

    def deciding(self, name: str) -> Measure:
        """Read a metric to sort with: its best value, where it doesn't say otherwise."""
        if name.endswith("-best"):
            name = name.removesuffix("-best")
        return self.measure(name) or Measure(best(name), name, self._pooled(name, "best"))

    def _pooled(self, metric: str, at: str) -> str:
        if at != "best":
            return at
        return "min" if self.is_lower(metric) else "max"

    def is_lower(self, metric: str) -> bool:
        """Whether less of a metric is better."""
        return lower_is_better(metric, self.lower, self.higher)


def best(metric: str) -> str:
    """Name the best value of a metric, as the original does."""
    return f"{metric}-best"


def specs(where: str) -> Iterator[str]:
    """Find the metrics in an expression that say where they are to be taken.

    >>> list(specs("lr < 1 and acc:best > train.acc and acc@10 == 3"))
    ['acc:best', 'train.acc', 'acc:10']
    """
    return (found.replace("@", ":") for found in _IN_TEXT.findall(where))


@dataclass(frozen=True, slots=True)
class Asked:
    """What sumx's command line asks for."""

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
    plot: str = ""
    log: str = ""
    smooth: float = 0.0

    @property
    def format(self) -> str:
        """How the table is written."""
        return "json" if self.as_json else self.form

    @property
    def question(self) -> Question:
        """What is asked of the runs."""
        number = None if self.at in (None, "min", "last") else float(self.at or 0)
        return Question(
            sortwith=self.sortwith,
            ignore=self.ignore,
            lower=self.lower,
            higher=self.higher,
            columns=self.columns,
            all_hparams=self.all_hparams,
            where=self.where,
            top=None if self.best_per else self.top,
            at=number,
            extra=self._extra,
        )

    @property
    def _extra(self) -> tuple[str, ...]:
        """Name what else is looked at, and has to be read of every run."""
        single = (self.best_per, self.importance, self.values, *(self.pivot or ()))
        launch = ("launch",) if self.launch else ()
        return (*self.over, *self.by, *filter(None, single), *launch)
