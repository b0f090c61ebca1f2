"""The questions that are asked: whether to do something, and for a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static


class Confirm(ModalScreen[bool]):
    """Asks whether to do something, which only ``y`` does; or shows a text until a key is hit."""

    CSS = """
    Confirm { align: center middle; }
    Confirm > Static { width: 78; max-width: 100%; max-height: 100%; height: auto;
      border: solid $warning; }
    """

    def __init__(self, text: str, keys: str = "y yes   any other key no") -> None:
        super().__init__()
        self.text, self.keys = text, keys

    def compose(self) -> ComposeResult:
        """Show the text."""
        yield Static(Text(f"{self.text}\n\n").append(self.keys, "bold"))

    def on_key(self, event: events.Key) -> None:
        """Close with the answer."""
        event.stop()
        self.dismiss(event.key == "y")


class Prompt(ModalScreen["str | None"]):
    """Asks for a line of text, until it is one without a mistake; Escape leaves all as it was."""

    CSS = """
    Prompt { align: left bottom; }
    Prompt > Vertical { height: auto; max-height: 50%; border: solid $primary; }
    Prompt Input { border: none; height: 1; padding: 0; }
    Prompt Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave")]

    def __init__(
        self,
        what: str,
        text: str,
        mistake: Callable[[str], str],
        known: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.what, self.text, self.mistake, self.known = what, text, mistake, known

    def compose(self) -> ComposeResult:
        """Show what is asked for, and the text so far."""
        with Vertical():
            yield Static(Text(self.what))
            suggester = SuggestFromList(self.known) if self.known else None
            yield Input(self.text, suggester=suggester, select_on_focus=False)

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """Close with the text, or show what is wrong with it."""
        text = submitted.value.strip()
        if mistake := self.mistake(text):
            self.query_one(Static).update(Text(mistake, style="red"))
        else:
            self.dismiss(text)

    def action_leave(self) -> None:
        """Close without a text."""
        self.dismiss(None)
