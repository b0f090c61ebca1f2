"""``runx top`` played without a terminal: keys are pressed, and its screen is read."""

import asyncio
import time

from textual.widgets import Input

from runx.tui.app import Top
from runx.tui.live import LiveRuns, question_of

WAIT = 30


class Played:
    """``runx top`` while it is played."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    @property
    def lines(self):
        """The lines of the screen."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def console(self):
        return "\n".join(self.app.console_lines)

    def rows(self):
        """The names of the runs in the table, in their order."""
        return [record.name for record in self.app.table.records]

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text):
        """Give a text, and Enter, to what asks for one; to press each key would take long."""
        self.app.screen.query_one(Input).value = text
        await self.press("enter")

    async def until(self, condition):
        end = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < end, f"not true within {WAIT} s:\n{self.text}\n{self.console}"
            await self.pilot.pause(0.02)

    async def shows(self, *texts):
        """Wait until all texts are on the screen."""
        await self.until(lambda: all(text in self.text for text in texts))


def play(logroot, scene, *names, size=(80, 24), where="", sortwith=""):
    """Open experiments under a LOGROOT, and play a scene."""
    warnings = []
    runs = LiveRuns(names, logroot, logroot, question_of(where, sortwith), warnings.append)
    runs.start()
    app = Top(runs, logroot)
    runs.warn = app.warn

    async def played():
        async with app.run_test(size=size) as pilot:
            await scene(Played(app, pilot))

    asyncio.run(played())
    return warnings
