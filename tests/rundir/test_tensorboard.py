import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.rundir.tensorboard import (
    FLOAT_MAX,
    EventError,
    decoded,
    fields,
    framed,
    frames,
    image_of,
    masked_crc,
    scalar_of,
    scalars,
    single,
    tag,
    varint,
    version,
)


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


def read(content):
    return [
        (time, step, [scalar_of(value) for value in values])
        for time, step, values in (decoded(event) for event, _ in frames(content))
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=300), floats), max_size=5), steps, st.floats(0, 1e10))
def test_what_was_written_is_read_back(values, step, time):
    written = version(0.0) + scalars([(tag(name), value) for name, value in values], step, time)
    [first, second] = read(written)
    assert first == (0.0, 0, [])
    assert second[:2] == (time, step)
    shown = [(name.encode("utf-8", "replace").decode(), f"{value:.7g}") for name, value in values]
    assert [(name, f"{value:.7g}") for name, value in second[2]] == shown


FORMS = [
    {"float_val": [0.25]},
    {"dtype": 1, "tensor_content": b"\0\0\x80>"},
    {"dtype": 2, "tensor_content": b"\0\0\0\0\0\0\xd0?"},
]


@pytest.mark.parametrize("tensor", FORMS)
def test_a_number_in_a_tensor_is_one_too(tensor):
    tensors = pytest.importorskip("tensorboardX.proto.tensor_pb2")
    summaries = pytest.importorskip("tensorboardX.proto.summary_pb2")
    value = summaries.Summary.Value(tag="acc", tensor=tensors.TensorProto(**tensor))
    assert scalar_of(value.SerializeToString()) == ("acc", 0.25)


def test_what_is_no_number_is_none():
    tensors = pytest.importorskip("tensorboardX.proto.tensor_pb2")
    shapes = pytest.importorskip("tensorboardX.proto.tensor_shape_pb2").TensorShapeProto
    summaries = pytest.importorskip("tensorboardX.proto.summary_pb2")
    shape = shapes(dim=[shapes.Dim(size=1)])
    text = tensors.TensorProto(dtype=7, string_val=[b"hello"])
    row = tensors.TensorProto(dtype=1, tensor_shape=shape, tensor_content=b"\0\0\x80>")
    for tensor in (text, row, tensors.TensorProto()):
        value = summaries.Summary.Value(tag="acc", tensor=tensor).SerializeToString()
        assert (scalar_of(value), image_of(value)) == (None, None)


def test_a_file_that_ends_in_the_middle_of_an_event_gives_those_before_it():
    whole = version(1.0) + scalars([(tag("acc"), 0.5)], 1, 2.0)
    assert list(frames(b"")) == []
    for end in range(len(version(1.0)) + 1, len(whole)):
        events = frames(whole[:end])
        assert next(events)[1] == len(version(1.0))
        with pytest.raises(EventError, match="ends in the middle of an event"):
            next(events)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_noise_is_an_event_or_an_error_of_ours(noise):
    for content in (noise, framed(b"\x2a" + varint(len(noise)) + noise)):
        try:
            for event, _ in frames(content):
                for value in decoded(event)[2]:
                    scalar_of(value)
                    image_of(value)
        except EventError:
            pass


@pytest.mark.parametrize("noise", ["0b", "0a05", "08" + "ff" * 12, "0d00", "07"])
def test_what_is_no_protocol_buffer_is_refused(noise):
    with pytest.raises(EventError):
        list(fields(bytes.fromhex(noise)))
