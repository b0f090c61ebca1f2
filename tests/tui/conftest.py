import pytest

pytest.importorskip("textual")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Look often, and take each key: a test needn't wait as a person does."""
    monkeypatch.setattr("runx.tui.board.PAUSE", 0.05)
    monkeypatch.setattr("runx.tui.dialogs.UNREAD", 0)
