import math

from hypothesis import given, settings
from hypothesis import strategies as st

from runx.writers.events import FLOAT_MAX, masked_crc, scalars, single, tag, varint, version


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_checksums_are_those_of_tensorboardx(data):
    from tensorboardX.record_writer import masked_crc32c

    assert int.from_bytes(masked_crc(data), "little") == masked_crc32c(data)


def parsed(framed):
    from tensorboardX.proto.event_pb2 import Event

    length = int.from_bytes(framed[:8], "little")
    assert len(framed) == length + 16
    return Event.FromString(framed[12:-4])


floats = st.floats(width=32) | st.just(FLOAT_MAX)
steps = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=300), floats), max_size=5), steps, st.floats(0, 1e10))
def test_an_event_reads_as_tensorboards_protocol_buffers_have_it(values, step, time):
    event = parsed(scalars([(tag(name), value) for name, value in values], step, time))
    assert (event.step, event.wall_time) == (step, time)
    read = [(each.tag, repr(each.simple_value)) for each in event.summary.value]
    names = [(name.encode("utf-8", "replace").decode(), repr(value)) for name, value in values]
    assert read == names


def test_the_first_event_tells_the_version():
    event = parsed(version(1.5))
    assert (event.file_version, event.wall_time) == ("brain.Event:2", 1.5)


def test_small_and_negative_integers_are_written_as_varints():
    assert (varint(0), varint(127), varint(128)) == (b"\0", b"\x7f", b"\x80\x01")
    assert varint(-1) == b"\xff" * 9 + b"\x01"


def test_numbers_that_are_too_large_become_infinite():
    assert single(10**400) == math.inf
    assert single(-(10**400)) == -math.inf
    assert single(-1e39) == -math.inf
    assert math.isnan(single(math.nan))
    assert single(True) == 1.0
