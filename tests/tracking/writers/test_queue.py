import pytest

from runx.errors import LogxError


class Listing:
    """A writer of one's own: any object with write and close."""

    def __init__(self):
        self.records, self.closed = [], 0

    def write(self, record):
        self.records.append(record)

    def close(self):
        self.closed += 1


class Failing(Listing):
    def write(self, record):
        raise ConnectionError("the server is down")


def test_a_writer_that_fails_is_told_once_and_stops_nobody(logx, tmp_path, capfd):
    listing = Listing()
    logx.initialize(tmp_path, writers=["csv", Failing(), listing])
    for epoch in range(3):
        logx.metric("val", {"acc": 1}, epoch)
        logx.flush()
    logx.close()
    assert len(listing.records) == 3
    assert capfd.readouterr().err.count("Failing can't be written: the server is down") == 1
    assert "Failing" in (tmp_path / "logx.json").read_text()


def test_strict_raises_in_the_training_itself(logx, tmp_path):
    logx.initialize(tmp_path, writers=["csv", Failing()], strict=True)
    logx.metric("val", {"acc": 1})
    with pytest.raises(LogxError, match="the server is down"):
        logx.flush()


def test_a_writer_of_ones_own_gets_every_record_in_order(logx, tmp_path):
    listing = Listing()
    logx.initialize(tmp_path, writers=[listing])
    logx.metric("train", {"loss": 0.5}, 1)
    logx.add_scalar("lr", 0.1, 2)
    logx.close()
    assert [(each.phase, each.metrics, each.epoch) for each in listing.records] == [
        ("train", {"loss": 0.5}, 1),
        ("", {"lr": 0.1}, 2),
    ]
    assert listing.closed == 1
    assert not (tmp_path / "metrics.csv").exists()


def test_what_is_logged_arrives_without_asking(logx, tmp_path):
    from threading import Event

    arrived = Event()

    class Telling(Listing):
        def write(self, record):
            arrived.set()

    logx.initialize(tmp_path, writers=[Telling()])
    logx.metric("val", {"acc": 1})
    assert arrived.wait(30)
