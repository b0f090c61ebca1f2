import pytest

from runx.logx import LogX


@pytest.fixture
def logx(monkeypatch):
    """A logger of a process that nobody has launched, closed at the end."""
    for name in ("RUNX_LOGDIR", "RUNX_LOGX", "RUNX_ATTEMPT", "RANK"):
        monkeypatch.delenv(name, raising=False)
    logger = LogX()
    yield logger
    logger.close()
