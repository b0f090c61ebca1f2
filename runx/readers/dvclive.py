"""DVCLive's folders: params.yaml, and below ``plots/metrics`` a table for each metric.

Earlier runs lie in git, where only the last of a folder is to be seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Row, Warn
from runx.readers.content import (
    content_or_none,
    is_file,
    object_or_empty,
    walked,
    warn_of_lines,
)
from runx.readers.shaping import flat, measurement, rows_by_step, rows_of
from runx.rundir.record import dotted
from runx.rundir.records import number


def _is_run(folder: Path) -> bool:
    has_tables = os.path.isdir(f"{folder}/plots/metrics")
    return is_file(f"{folder}/metrics.json") and (has_tables or is_file(f"{folder}/params.yaml"))


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    hparams = dotted(object_or_empty(folder / "params.yaml", warn))
    last = object_or_empty(folder / "metrics.json", warn)
    tables = _tables(f"{folder}/plots/metrics", warn)
    source = "plots/metrics" if tables else "metrics.json"
    yield FoundRun(folder.name, folder, hparams, tables or _last(last), source=source)


def _tables(top: str, warn: Warn) -> list[Row]:
    """Return a row for each step; a table's path is the name of its metric, its columns step and
    value.
    """
    steps: dict[float, dict[str, float | str]] = {}
    for folder, names in walked(top, warn):
        for name in [name for name in names if name.endswith(".tsv")]:
            file = f"{folder}/{name}"
            metric = file[len(top) + 1 :].removesuffix(".tsv")
            lines = (content_or_none(file, warn) or b"").decode("utf-8", "replace").split("\n")
            damaged = []
            for place, line in enumerate(lines[1:-1], 2):
                step, _, value = line.rstrip("\r").rpartition("\t")
                at = number(step.rpartition("\t")[2])
                if isinstance(at, str):
                    damaged.append(place)
                else:
                    steps.setdefault(at, {})[metric] = number(value)
            warn_of_lines(file, damaged, warn)
    return rows_by_step(steps)


def _last(metrics: dict[str, Any]) -> list[Row]:
    """Return what a run without tables has: the values of its last step."""
    return rows_of([measurement(dict(flat(metrics)))]) if metrics else []


READER = DirReader("dvclive", _is_run, _read, "metrics.json beside params.yaml")
