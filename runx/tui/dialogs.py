"""The question whether to do something."""

from __future__ import annotations

import time

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

UNREAD = 0.3
"""Seconds after which a question has been seen."""


class Confirm(ModalScreen[bool]):
    """Asks whether to do something, which only ``y`` does; or shows a text until a key is hit.

    Keys that were hit before a person can have read it, as over a slow line, mean nothing.
    """

    CSS = """
    Confirm { align: center middle; }
    Confirm > Static { width: 78; max-width: 100%; max-height: 100%; height: auto;
      border: solid $warning; }
    """

    def __init__(self, text: str, keys: str = "y yes   any other key no") -> None:
        super().__init__()
        self.text, self.keys, self.shown = text, keys, 0.0

    def compose(self) -> ComposeResult:
        """Show the text."""
        yield Static(Text(f"{self.text}\n\n").append(self.keys, "bold"))

    def on_mount(self) -> None:
        """Note when it is shown."""
        self.shown = time.monotonic()

    def on_key(self, event: events.Key) -> None:
        """Close with the answer."""
        event.stop()
        if time.monotonic() - self.shown > UNREAD:
            self.dismiss(event.key == "y")
