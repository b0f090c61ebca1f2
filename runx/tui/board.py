"""What is on the screen: the table of runs and a pane beside it, followed while it is shown."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from subprocess import Popen

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from runx.analysis.overview import counts
from runx.errors import RunxError
from runx.printable import one_line
from runx.rundir.run import RunRecord
from runx.tui.live import LiveRuns
from runx.tui.panes import MOST_LINES, Panes
from runx.tui.widgets import Lines, RunsTable

PAUSE = 2.0
"""Seconds between two looks, at least."""
SHARE = 30
"""The least time between two looks, in times of what a look takes."""
_SAID = 6.0
"""Seconds for which the last line of the console takes the place of the keys."""
_SETTLE = 0.05
"""Seconds for which the cursor stays before its run is read."""
CONSOLE = "console"
PANES = ("output", "curves", "details", "load", "images", CONSOLE)
KEYS = (
    *(("/", "filter"), ("s", "sort"), ("m", "mark"), ("c", "cancel"), ("h", "hold")),
    *(("r", "release"), ("t", "retry"), ("o", "page"), ("?", "keys"), ("q", "quit")),
)


class Board(App[None]):
    """Experiments in the terminal: what is shown of them."""

    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012  as textual has it
    CSS = """
    #head, #tabs, #foot { height: 1; }
    #head { text-style: bold; }
    RunsTable { height: 2fr; }
    #beside { height: 3fr; }
    #tabs { text-style: underline; }
    Lines { height: 1fr; }
    Lines, RunsTable { scrollbar-size-vertical: 1; }
    .-wide #body { layout: horizontal; }
    .-wide #runs { width: 1fr; height: 100%; }
    .-wide #beside { width: 1fr; height: 100%; margin-left: 1; }
    .alone #runs { display: none; }
    #about, #asks { display: none; height: auto; border: none; padding: 0; }
    #about { max-height: 5; color: $accent; }
    """

    class Said(Message):
        """A line was added to the console."""

    def __init__(self, runs: LiveRuns, logroot: Path) -> None:
        # The terminal's own colours, and with NO_COLOR none.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.runs, self.logroot = runs, logroot
        self.console_lines: deque[str] = deque(maxlen=MOST_LINES)
        self.pane, self.is_reversed = PANES[0], False
        self.panes = Panes(self.warn)
        # Widgets are not looked up: they may lie below a question.
        self.table, self.beside = RunsTable(), Lines("pane")
        self.head, self.tabs, self.foot = (Static(id=name) for name in ("head", "tabs", "foot"))
        self.about, self.asks = Static(id="about"), Input(id="asks", select_on_focus=False)
        self.reading = asyncio.Lock()
        self._shown: object = None
        self._is_saying, self._until = False, 0.0
        self.pages: list[Popen[bytes]] = []

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield self.head
        with Container(id="body"):
            yield self.table
            with Vertical(id="beside"):
                yield self.tabs
                yield self.beside
        yield self.about
        yield self.asks
        yield self.foot

    def on_mount(self) -> None:
        """Show the runs, and follow them."""
        self._show_keys()
        self.show_runs()
        self.table.focus()
        self._follow()

    def on_unmount(self) -> None:
        """Stop serving pages."""
        for process in self.pages:
            process.terminate()

    def say(self, line: str) -> None:
        """Add a line to the console; any thread may."""
        self.console_lines.append(f"{datetime.now():%H:%M:%S}  {one_line(line)}")
        if not self._is_saying:
            self._is_saying = self.post_message(self.Said())

    def warn(self, line: str) -> None:
        """Add a warning to the console, once."""
        if not any(known.endswith(f"  {one_line(line)}") for known in self.console_lines):
            self.say(line)

    def on_board_said(self) -> None:
        """Show soon what was said; of a thousand lines a second each would be too much."""
        self.set_timer(_SETTLE, self._show_said)

    def _show_said(self) -> None:
        """Show the last line of the console for a moment."""
        self._is_saying = False
        self.foot.update(Text(self.console_lines[-1], "reverse", no_wrap=True))
        self._until = time.monotonic() + _SAID
        self.set_timer(_SAID, self._show_keys)
        if self.pane == CONSOLE:
            self.show_pane()

    def _show_keys(self) -> None:
        if time.monotonic() < self._until - _SETTLE:
            return  # Something else has been said since.
        text = Text(no_wrap=True, overflow="ellipsis")
        for key, what in KEYS:
            text.append(key, "bold reverse").append(f" {what} ")
        self.foot.update(text)

    @work
    async def _follow(self) -> None:
        """Look again and again, for no more than a small share of the time."""
        while True:
            began = time.thread_time()
            seconds = await self.look()
            seconds += time.thread_time() - began
            await asyncio.sleep(max(PAUSE, SHARE * seconds))

    async def look(self) -> float:
        """Look at the runs, and show them; return the CPU seconds that the look took."""
        seconds = 0.0
        try:
            async with self.reading:
                seconds = await asyncio.to_thread(_timed, self.runs.look)
        except (OSError, RunxError) as error:
            self.warn(str(error))
        self.show_runs()
        self.show_pane()
        return seconds

    def show_runs(self) -> None:
        """Show the table anew, and above it how many runs are in which state."""
        try:
            table = self.runs.table(time.time())
        except RunxError as error:
            self.head.update(Text(one_line(str(error)), "red", no_wrap=True))
            return
        rows = table.rows[::-1] if self.is_reversed else table.rows
        self.table.show(table._replace(rows=rows))
        self.head.update(self._head(len(rows)))

    def _head(self, shown: int) -> Text:
        names = [each.path.name for each in self.runs.experiments]
        name = names[0] if len(names) == 1 else f"{len(names)} experiments"
        records, question = self.runs.records, self.runs.question
        text = Text(f"{one_line(name)}: {len(records)} runs", no_wrap=True, overflow="ellipsis")
        if records:
            text.append(f": {counts(record.state for record in records)}")
        if question.where:
            text.append(f"; {shown} with {one_line(question.where)}", "cyan")
        if question.sortwith:
            text.append(f"; by {one_line(', '.join(question.sortwith))}", "cyan")
        return text

    def on_runs_table_moved(self) -> None:
        """Show the run at the cursor in the pane."""
        self.show_pane()

    def on_resize(self) -> None:
        """Draw the pane for its new size."""
        self.call_after_refresh(self.show_pane)

    @work(exclusive=True, group="pane")
    async def show_pane(self) -> None:
        """Read what the pane shows, and show it."""
        record, name = self.table.selected, self.pane
        self.tabs.update(self._tabs())
        await asyncio.sleep(_SETTLE)
        lines: Sequence[Text | str] = [*self.console_lines] or ["nothing was done yet"]
        if name != CONSOLE:
            lines = await self._read_pane(name, record)
        about = name, record.dir if record else None
        is_new, self._shown = about != self._shown, about
        self.beside.show(lines, follows=name in ("output", CONSOLE), new=is_new)

    async def _read_pane(self, name: str, record: RunRecord | None) -> Sequence[Text | str]:
        # The run at the cursor, and after it those that are marked.
        chosen = [record, *self.table.chosen] if record else []
        size = self.beside.scrollable_content_region.size
        try:
            async with self.reading:
                return await asyncio.to_thread(
                    self.panes.lines, name, self.runs, chosen, (size.width, size.height)
                )
        except (OSError, RunxError) as error:
            return [one_line(str(error))]

    def _tabs(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for at, name in enumerate(PANES):
            text.append(f" {at + 1} {name} ", "reverse" if name == self.pane else "")
        record = self.table.selected
        return text.append(f" {one_line(record.name)}" if record else "")


def _timed(work: Callable[[], None]) -> float:
    """Return the CPU seconds that a function takes."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
