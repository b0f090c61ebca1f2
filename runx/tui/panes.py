"""What the panes beside the table show of runs, as lines of text."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runx.analysis.description import description, description_lines
from runx.analysis.table import sort_keys
from runx.export.terminal import sparkline
from runx.local.nvidia import Listing, list_gpus
from runx.printable import one_line, printable
from runx.report.details import images
from runx.report.tail import LOG_MORE, read_log
from runx.rundir.output import tail
from runx.rundir.records import rows
from runx.rundir.run import RunRecord
from runx.tui.curves import Curves, CurveView
from runx.tui.live import LiveRuns

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from rich.text import Text

MOST_LINES = 10_000
"""Lines of an output that are kept."""
_ROW = 4_096
"""Bytes of the end of system.csv in which its last row lies."""
_SYSTEM_TAIL = 1 << 20
_LIST_EVERY = 5.0
"""Seconds between two calls of nvidia-smi, which takes a while on some machines."""
Warn = Callable[[str], None]


class Output:
    """The output of one run after another, read on from where it was left."""

    def __init__(self) -> None:
        self._file = Path()
        self._place = -1
        self._lines: list[str] = []

    def lines(self, record: RunRecord) -> list[str]:
        """Return the last lines of a run's output, without what a terminal would obey."""
        if self._file != record.place.output:
            self._file, self._place, self._lines = record.place.output, -1, []
        if _size(self._file) - self._place > LOG_MORE:
            self._place = -1  # Faster than anybody reads: the end alone is of use.
        part = read_log(self._file, self._place, not record.status.alive)
        if part.place < self._place:
            self._lines = []  # It was begun anew.
        self._place = part.place or -1
        if part.text:
            # A progress bar ends no line: its next state takes the place of the last one.
            added = printable(part.text).split("\n")
            self._lines = [*self._lines[:-1], *added][-MOST_LINES:]
        shown = self._lines[:-1] if self._lines[-1:] == [""] else self._lines
        return shown or ["no output yet"]


def _size(file: Path) -> int:
    """Return the bytes of a file, 0 where there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


class Panes:
    """What the panes show, read on while it is looked at."""

    def __init__(self, warn: Warn) -> None:
        self.view = CurveView()
        self.curves = Curves(warn)
        self._output, self._warn = Output(), warn
        self._gpus, self._gpus_until = Listing(), -math.inf

    def lines(
        self, name: str, runs: LiveRuns, chosen: Sequence[RunRecord], size: tuple[int, int]
    ) -> Sequence[Text | str]:
        """Return what a pane shows, of the first of the runs that are chosen, or of all of them.

        ``size`` is that of the pane in columns and lines.
        """
        if name == "load":
            if time.monotonic() > self._gpus_until:
                self._gpus, self._gpus_until = list_gpus(), time.monotonic() + _LIST_EVERY
            return load(self._gpus, chosen[:1], runs.records, size[0])
        if not chosen:
            return ["no runs"]
        if name == "output":
            return self._output.lines(chosen[0])
        if name == "details":
            return details(chosen[0], time.time(), self._warn)
        if name == "images":
            return pictures(chosen[0], *size)
        self.curves.read(chosen[1:] or chosen)
        if self.view.metric not in self.curves.metrics:
            self.view = self.view._replace(metric=self._first_metric(runs))
        return self.curves.lines(self.view, *size)

    def _first_metric(self, runs: LiveRuns) -> str:
        """Return the metric that runs are ranked by, or any that there is."""
        keys = sort_keys(runs.records, replace(runs.question, sortwith=()))
        metrics = self.curves.metrics
        ranked = [key.column.name for key in keys if key.column.name in metrics]
        return next(iter((*ranked, *metrics)), "")


def details(record: RunRecord, now: float, warn: Warn) -> list[str]:
    """Return everything about a run, as runx show has it."""
    try:
        lines = description_lines(description(record, now, warn))
        return [line for text in lines for line in printable(text).split("\n")]
    except OSError as error:
        return [f"{one_line(record.name)}: can't be read: {error.strerror}"]


def load(
    listing: Listing, chosen: Sequence[RunRecord], records: Sequence[RunRecord], columns: int
) -> list[str]:
    """Return this machine's GPUs, and the load that logx has measured of runs.

    Those that run are shown by their last figures, those that are ``chosen`` by all of them.
    """
    lines = [f"GPU {gpu.index}  {gpu.used:>7,} MiB in use  {gpu.uuid}" for gpu in listing.gpus]
    lines = lines or [listing.problem or "this machine has no NVIDIA GPU that it lists"]
    for record in chosen:
        lines += ["", *_history(record, columns)]
    running = [each for each in records if each.status.alive]
    figures = {each.name: last for each in running if (last := _last(each))}
    width = max(map(len, figures), default=0)
    return [*lines, "", *(f"{one_line(name):{width}}  {text}" for name, text in figures.items())]


def _last(record: RunRecord) -> str:
    """Return the last figures that a run has measured of its load, "" without any."""
    measured = list(rows(tail(record.dir.system, _ROW)))
    return _figures(measured[-1].metrics) if measured else ""


def _figures(metrics: Mapping[str, object]) -> str:
    return "  ".join(f"{one_line(name)} {value}" for name, value in metrics.items())


def _history(record: RunRecord, columns: int) -> Iterator[str]:
    series: dict[str, list[float]] = {}
    for row in rows(tail(record.dir.system, _SYSTEM_TAIL)):
        for name, value in row.metrics.items():
            if row.phase == "system" and not isinstance(value, str):
                series.setdefault(one_line(name), []).append(float(value))
    yield one_line(record.name)
    if not series:
        yield "  no load measured yet; logx does it every 30 s"
    width = max(map(len, series), default=0)
    for name, values in series.items():
        yield f"  {name:{width}} {values[-1]:>9,.6g}  {sparkline(values, columns - width - 14)}"


def pictures(record: RunRecord, columns: int, lines: int) -> list[Text | str]:
    """Return the last image of each name that a run has logged, drawn with half blocks."""
    found = images(record.dir)
    if not found:
        return ["no images, in its artifacts or for TensorBoard"]
    try:
        from PIL import Image
    except ImportError:
        return ["images need pillow: pip install pillow"]
    drawn: list[Text | str] = []
    for each in found:
        drawn.append(f"{one_line(each.name)}, step {each.step}")
        try:
            with Image.open(io.BytesIO(each.content)) as image:
                image.draft("RGB", (columns, 2 * lines))
                image.thumbnail((columns, max(2 * lines - 4, 4)))
                drawn += half_blocks(image.convert("RGB"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            drawn.append(f"can't be shown: {one_line(str(error))}")
    return drawn


def half_blocks(image: Picture) -> Iterator[Text]:
    """Yield the lines of an RGB image, each letter of which shows two pixels above each other."""
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    width, height, content = image.width, image.height, image.tobytes()
    colours = [Color.from_rgb(*content[at : at + 3]) for at in range(0, len(content), 3)]
    for top in range(0, height, 2):
        below = min(top + 1, height - 1)
        line = Text()
        for x in range(width):
            upper, lower = colours[top * width + x], colours[below * width + x]
            line.append("▀", Style(color=upper, bgcolor=lower))
        yield line
