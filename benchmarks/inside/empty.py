"""Show the least that textual shows: a line of text."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """A line of text."""

    def compose(self) -> ComposeResult:
        """Return the line."""
        yield Static("nothing here")


Empty().run()
