import pytest

pytest.importorskip("textual")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Look often: a test needn't wait for what a person would hardly notice."""
    monkeypatch.setattr("runx.tui.board.PAUSE", 0.05)
