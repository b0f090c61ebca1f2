import os
import pty

import pytest

from runx.cli.progress import Progress
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.paths import RunDir


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal of which what is drawn can be read."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    stderr = os.fdopen(slave, "w")

    class Terminal:
        def __enter__(self):
            # Only now: pytest has its own standard error for each phase of a test.
            monkeypatch.setattr("sys.stderr", stderr)
            return lambda: os.read(master, 65536).decode()

        def __exit__(self, *_):
            monkeypatch.undo()

    yield Terminal()
    stderr.close()
    os.close(master)


def task(tmp_path, name="owl"):
    run = RunDir(tmp_path / name)
    run.path.mkdir()
    return Task(run, 1)


def test_metrics_that_are_torn_or_not_there_are_no_matter(tmp_path, terminal):
    with terminal as drawn:
        bare, torn = task(tmp_path, "bare_2026.11.20_10.00"), task(tmp_path, "torn")
        torn.run.metrics.write_bytes(b"val,acc,1,epoch,1,timestamp,5\nval,acc,2,epoch,2,timesta")
        Progress(4, {}).tick([bare, torn], 2)
        assert drawn() == "0/4 done, 2 running | bare | torn ep 1 acc 1"


def test_what_is_left_is_reckoned_from_what_has_ended(tmp_path, terminal):
    with terminal as drawn:
        progress = Progress(4, {})
        one, two = task(tmp_path, "one"), task(tmp_path, "two")
        progress.ended(EndedAttempt(one, 1, 120.0), again=False)
        assert "one: exit status 1 after 2 min (1/4)" in drawn()
        progress.tick([two], 2)
        assert drawn().startswith("0/4 done, 1 failed, 1 running, about 5 min left | two")
        progress.ended(EndedAttempt(two, 0, 120.0), again=False)
        assert drawn().startswith("\r\x1b[K")


def test_nothing_is_drawn_while_nothing_runs(tmp_path, terminal):
    with terminal as drawn:
        Progress(4, {}).tick([], 4)
        with pytest.raises(BlockingIOError):
            drawn()
