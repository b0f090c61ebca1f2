"""The application: what each key does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import ClassVar, Literal

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.suggester import SuggestFromList
from textual.widgets import Input

from runx.analysis.columns import fields
from runx.analysis.question import Question
from runx.errors import RunxError
from runx.printable import one_line
from runx.rundir.run import RunRecord
from runx.tui import steer
from runx.tui.board import PANES, Board
from runx.tui.dialogs import Confirm
from runx.tui.live import LiveRuns, question_of

HELP = """\
j k  up down   the next run, the last; g G the first, the last of all
m  space       mark it: curves and steering are of all that are marked
u              unmark all
/              a filter: lr < 0.1 and state == 'running'
s  S           sort: acc, or lr,train.loss; the other way round
1 to 6  [ ]    output, curves, details, load, images, console
tab            to the pane, where j k g G scroll; and back
enter  escape  the pane alone; beside the table
n p            the next metric of the curves, the one before
x y            curves over seconds; on a logarithmic scale; and back
c h r          cancel, hold, release runs
t              retry runs: what launched them, with --resume
o              the page that follows these experiments (runx watch)
q              quit; what was started goes on, the page ends"""


def follow(
    names: Sequence[str], where: str, sortwith: str, logroot: Path, warn: Callable[[str], None]
) -> None:
    """Show experiments until a person quits.

    Raises:
        RunxError: There is no such experiment, or the question is none that its runs can answer.
    """
    runs = LiveRuns(names, logroot, Path.cwd(), question_of(where, sortwith), warn)
    runs.start()
    if mistake := runs.check(runs.question):
        raise RunxError(mistake)
    app = Top(runs, logroot)
    runs.warn = app.warn
    app.run()


class Top(Board):
    """Experiments in the terminal, and the keys that act on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", priority=True),
        Binding("s", "sort", priority=True),
        Binding("S", "reverse"),
        Binding("m,space", "mark"),
        Binding("u", "unmark"),
        *(Binding(str(at + 1), f"pane('{name}')") for at, name in enumerate(PANES)),
        Binding("left_square_bracket", "turn(-1)"),
        Binding("right_square_bracket", "turn(1)"),
        Binding("tab", "switch", priority=True),
        Binding("enter", "alone(True)"),
        Binding("escape", "leave"),
        Binding("n", "metric(1)"),
        Binding("p", "metric(-1)"),
        Binding("x", "axis('seconds')"),
        Binding("y", "axis('log')"),
        *(Binding(verb[0], f"change('{verb}')") for verb in steer.DONE),
        Binding("t", "retry"),
        Binding("o", "page"),
        Binding("question_mark", "keys"),
        Binding("q", "quit"),
        Binding("ctrl+c", "quit", priority=True),
    ]

    def action_pane(self, name: str) -> None:
        """Show another pane."""
        self.pane = name
        self.show_pane()

    def action_turn(self, by: int) -> None:
        """Show the pane before or after."""
        self.action_pane(PANES[(PANES.index(self.pane) + by) % len(PANES)])

    def action_switch(self) -> None:
        """Go from the table to the pane, or back; take what is suggested for a text."""
        if self.asks.display:
            self.asks.action_cursor_right()
            return
        (self.beside if self.table.has_focus else self.table).focus()

    def action_alone(self, alone: bool) -> None:
        """Show the pane alone, or beside the table."""
        self.query_one("#body").set_class(alone, "alone")
        (self.beside if alone else self.table).focus()
        self.call_after_refresh(self.show_pane)

    def action_leave(self) -> None:
        """Leave what was asked for as it was, or the pane alone."""
        if self.asks.display:
            self._show_prompt(False)
        else:
            self.action_alone(False)

    def action_metric(self, by: int) -> None:
        """Show the curves of another metric."""
        metrics, view = self.panes.curves.metrics, self.panes.view
        if view.metric in metrics:
            after = metrics[(metrics.index(view.metric) + by) % len(metrics)]
            self.panes.view = view._replace(metric=after)
        self.action_pane("curves")

    def action_axis(self, name: Literal["seconds", "log"]) -> None:
        """Draw curves over seconds, or on a logarithmic scale; or back."""
        view = self.panes.view
        if name == "log":
            self.panes.view = view._replace(log=not view.log)
        else:
            self.panes.view = view._replace(seconds=not view.seconds)
        self.action_pane("curves")

    def action_mark(self) -> None:
        """Mark the run at the cursor, or unmark it."""
        self.table.toggle_mark()
        self.show_pane()

    def action_unmark(self) -> None:
        """Unmark all runs."""
        self.table.unmark()
        self.show_pane()

    def action_reverse(self) -> None:
        """Turn the order of the runs round."""
        self.is_reversed = not self.is_reversed
        self.show_runs()

    def action_filter(self) -> None:
        """Ask for which runs are shown."""
        what = "show runs for which this holds, such as  lr < 0.1 and 'owl' in run"
        question = self.runs.question
        self._prompt(what, question.where, lambda text: replace(question, where=text))

    def action_sort(self) -> None:
        """Ask what runs are sorted by."""
        what = "sort by columns or metrics, such as  acc  or  lr,train.loss"
        question = self.runs.question
        by = ",".join(question.sortwith)
        self._prompt(what, by, lambda text: question_of(question.where, text))

    def _prompt(self, what: str, text: str, asked: Callable[[str], Question]) -> None:
        """Ask for a text, until what is ``asked`` with it is without a mistake."""
        self._asked = asked
        self.about.update(Text(what))
        self.asks.value, self.asks.cursor_position = text, len(text)
        names = filter(str.isprintable, fields(self.runs.records))
        self.asks.suggester = SuggestFromList(names)
        self._show_prompt(True)

    def _show_prompt(self, is_shown: bool) -> None:
        # The focus moves at once: keys that were hit since are meant for the prompt.
        self.about.display = self.asks.display = is_shown
        self.screen.set_focus(self.asks if is_shown else self.table)

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """Ask the question that was typed, or show what is wrong with it."""
        question = self._asked(submitted.value.strip())
        if mistake := self.runs.check(question):
            self.about.update(Text(one_line(mistake), "red"))
        else:
            self._show_prompt(False)
            self._ask(question)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action may be taken: while a text is asked for, few may."""
        return not self.asks.display or action in ("leave", "quit", "switch")

    @work
    async def _ask(self, question: Question) -> None:
        """Show what answers another question."""
        async with self.reading:
            self.runs.ask(question)
        await self.look()

    def action_change(self, verb: str) -> None:
        """Cancel, hold or release runs, once that is confirmed."""
        if chosen := self.table.chosen:
            self._confirm(f"{verb} {steer.named(chosen)}?", partial(self._change, verb, chosen))

    @work
    async def _change(self, verb: str, chosen: Sequence[RunRecord]) -> None:
        try:
            await asyncio.to_thread(steer.change, verb, chosen, self.logroot, self.say)
        except (OSError, RunxError) as error:
            self.say(str(error))
        self.runs.expect_changes()
        await self.look()

    def action_retry(self) -> None:
        """Start runs again by the commands that launched them, once that is confirmed."""
        chosen = self.table.chosen
        if commands := steer.retries(chosen, self.runs.records, self.say):
            lines = "\n".join(f"{each.folder}$ {each}" for each in commands)
            question = f"retry {steer.named(chosen)}?\n\n{lines}"
            self._confirm(question, partial(self._start, commands))

    def action_page(self) -> None:
        """Serve a page that follows the experiments until this ends, once that is confirmed."""
        if names := [os.fspath(each.path) for each in self.runs.experiments]:
            has_screen = "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
            words = ("watch", *names, *(["--open"] if has_screen else []))
            command = steer.Command(words, Path.cwd())
            question = f"serve a page that follows them, until you quit?\n\n{command}"
            self._confirm(question, partial(self._start, [command], self.pages))

    def _start(
        self, commands: Sequence[steer.Command], started: list[Popen[bytes]] | None = None
    ) -> None:
        """Start commands, and add their processes to ``started``."""
        for command in commands:
            self.say(str(command))
            try:
                process = steer.run(command, self.say)
            except RunxError as error:
                self.say(str(error))
            else:
                if started is not None:
                    started.append(process)

    def _confirm(self, question: str, act: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                act()

        self.push_screen(Confirm(question), answered)

    def action_keys(self) -> None:
        """Show what the keys do."""
        self.push_screen(Confirm(HELP, "any key closes this"))
