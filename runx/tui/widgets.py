"""The table of runs, and panes of lines: drawn line by line, for thousands of them."""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from itertools import chain, repeat
from typing import ClassVar

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from runx.analysis.cells import DIGITS
from runx.analysis.table import Table
from runx.export.table import aligned, body, fitted, head, right
from runx.export.terminal import MARKS
from runx.rundir.run import RunRecord
from runx.rundir.state import ENDED_BADLY
from runx.tui.curves import COLOURS

_STATES = {"running": "green", "queued": "yellow", **dict.fromkeys(ENDED_BADLY, "red")}
_GUTTER = 2


class Lines(ScrollView, can_focus=True):
    """Lines of text, those that are too long continued on the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Text | str] = []
        self._rows: list[Text | str] = []
        self._follows, self._is_at_end = False, True

    def show(self, lines: Sequence[Text | str], follows: bool = False, new: bool = False) -> None:
        """Show lines; those that ``follow`` what is added show their end, unless it was left.

        ``new`` ones are others than before, and shown from their beginning.
        """
        self._lines, self._follows = lines, follows
        self._is_at_end |= new
        if new and not follows:
            self.scroll_home(animate=False, immediate=True)
        self._wrap()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the end is seen, also of what will be added."""
        super().watch_scroll_y(old_value, new_value)
        self._is_at_end = new_value >= self.max_scroll_y

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width or 80
        self._rows = []
        for line in self._lines:
            if isinstance(line, Text) or (line.isascii() and len(line) <= width):
                self._rows.append(line)
            else:
                self._rows += chop_cells(line.expandtabs(), width) or [""]
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()
        if self._follows and self._is_at_end:
            self.call_after_refresh(self.scroll_end, animate=False)

    def on_resize(self) -> None:
        """Wrap the lines anew."""
        self._wrap()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        at, width = y + self.scroll_offset.y, self.size.width
        line = self._rows[at] if at < len(self._rows) else ""
        if isinstance(line, Text):
            segments = list(line.render(self.app.console))
        else:
            segments = [Segment(line.expandtabs())]
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)

    @property
    def text(self) -> str:
        """All that it holds."""
        return "\n".join(str(line) for line in self._lines)


class RunsTable(ScrollView, can_focus=True):
    """The table of runs, with a cursor and marks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move(-1000000000)", show=False),
        Binding("G,end", "move(1000000000)", show=False),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", show=False),
        Binding("pageup,ctrl+u,ctrl+b", "page(-1)", show=False),
    ]

    class Moved(Message):
        """The cursor is at another run."""

    def __init__(self) -> None:
        super().__init__(id="runs")
        self._table = Table((), ())
        self._texts: list[str] = ["", ""]
        self._places: dict[str, int] = {}
        self.records: list[RunRecord] = []
        self.cursor = 0
        self.marks: dict[str, str] = {}
        """The marks of runs, by their directories, in the order of their curves."""

    def show(self, table: Table) -> None:
        """Show a table; the cursor stays at its run, or where that was."""
        before = self.selected
        self._table = table
        self.records = [row.record for row in table.rows if row.record]
        self._places = {os.fspath(record.dir): at for at, record in enumerate(self.records)}
        self._mark(self.marks.keys() & self._places.keys())
        self.cursor = self._places.get(os.fspath(before.dir) if before else "", self.cursor)
        self._fit()
        self.action_move(0)
        after = self.selected
        if (before and before.dir) != (after and after.dir):
            self.post_message(self.Moved())

    def _fit(self) -> None:
        """Lay out the columns that fit."""
        width = self.scrollable_content_region.width or 80
        table, _ = fitted(self._table, width - _GUTTER, DIGITS)
        self._texts = aligned(head(table), body(table, DIGITS), right(table)).split("\n")
        self.virtual_size = Size(width, len(self.records) + 1)
        self.refresh()

    def on_resize(self) -> None:
        """Lay out the columns anew."""
        self._fit()
        self.call_after_refresh(self.action_move, 0)

    @property
    def selected(self) -> RunRecord | None:
        """The run at the cursor."""
        return self.records[self.cursor] if self.cursor < len(self.records) else None

    @property
    def chosen(self) -> list[RunRecord]:
        """The runs that are marked, in the order of their marks, else the one at the cursor."""
        marked = [self.records[self._places[key]] for key in self.marks]
        return marked or [record for record in [self.selected] if record]

    def toggle_mark(self) -> None:
        """Mark the run at the cursor, or unmark it, and go to the next."""
        if self.selected is None:
            return
        self._mark({*self.marks} ^ {os.fspath(self.selected.dir)})
        self.action_move(1)
        self.refresh()

    def unmark(self) -> None:
        """Unmark all runs."""
        self._mark(set())
        self.refresh()

    def _mark(self, keys: Set[str]) -> None:
        """Mark these runs and no others, those that are marked already before others."""
        ordered = [*(key for key in self.marks if key in keys), *(keys - self.marks.keys())]
        marks = chain(MARKS, repeat(">"))
        self.marks = dict(zip(ordered, marks, strict=False))

    def action_move(self, by: int) -> None:
        """Move the cursor down by some rows."""
        before = self.cursor
        self.cursor = min(max(self.cursor + by, 0), max(len(self.records) - 1, 0))
        room = max(self.size.height - 1, 1)
        top = min(max(self.scroll_offset.y, self.cursor - room + 1), self.cursor)
        self.scroll_to(y=top, animate=False, immediate=True)
        self.refresh()
        if self.cursor != before:
            self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move the cursor by a page."""
        self.action_move(by * max(self.size.height - 2, 1))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the run that is clicked."""
        if event.y:
            self.action_move(event.y - 1 + self.scroll_offset.y - self.cursor)

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen: the headings, or a run."""
        at, width = y - 1 + self.scroll_offset.y, self.size.width
        if y == 0:
            segments = [Segment(" " * _GUTTER + self._texts[0], Style(bold=True, underline=True))]
        elif at < len(self.records):
            segments = self._row(at)
        else:
            segments = []
        style = Style(reverse=True) if y and at == self.cursor and self.records else Style()
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style + style)

    def _row(self, at: int) -> list[Segment]:
        record = self.records[at]
        mark = self.marks.get(os.fspath(record.dir), " ")
        colour = Style(color=_STATES.get(record.state))
        mark_style = Style(color=COLOURS.get(mark), bold=True)
        return [Segment(f"{mark:{_GUTTER}}", mark_style), Segment(self._texts[at + 2], colour)]
