"""What sumx's command line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runx.tables.question import Question


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
