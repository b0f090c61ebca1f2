"""The one parser of events.jsonl."""

import pytest

from runx.rundir.events import parse_events, read_events
from runx.rundir.paths import RunDir

ENDED = b'{ "event" : "ended", "time": 2, "code": 0 }\n'


def parsed(content, warn=pytest.fail):
    return [(event.name, event.time) for event in parse_events(content, "events", warn)]


def test_json_is_read_however_it_is_written():
    assert parsed(b'{"event":"started","time":1}\n' + ENDED) == [("started", 1), ("ended", 2)]


@pytest.mark.parametrize("damage", [b'{"eve\n', b"[]\n", b'{"time":1}\n', b"\xff\n", b"3\n"])
def test_a_damaged_line_costs_itself_and_a_warning(damage):
    warnings = []
    assert parsed(damage + ENDED, warnings.append) == [("ended", 2)]
    assert warnings == ["events, line 1: left out, it is damaged"]


def test_blocks_of_zeros_that_a_crash_left_are_no_lines():
    assert parsed(b"\0\0\0\n" + ENDED) == [("ended", 2)]


def test_a_line_that_is_still_being_written_is_left_out():
    assert parsed(ENDED + b'{"event":"start') == [("ended", 2)]
    assert parsed(ENDED[:-1]) == []


def test_an_attempt_without_events_has_none(tmp_path):
    assert read_events(RunDir(tmp_path), 1) == []
