import pytest

from runx.rundir.records import encode, quoted


def test_a_row_looks_as_the_originals():
    assert encode("start", {"start/step": 0}, timestamp=1731.0) == (
        "start,start/step,0,timestamp,1731.0\n"
    )
    assert encode("val", {"acc": 91.2, "loss": 0.3}, 3, 1731.2) == (
        "val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2\n"
    )


@pytest.mark.parametrize("value", ["a,b", 'say "a"', "two\nlines", "\r"])
def test_what_would_end_a_field_is_quoted(value):
    assert encode("val", {"note": value}, 1) == f"val,note,{quoted(value)},epoch,1\n"
    assert quoted(value) == '"' + value.replace('"', '""') + '"'


def test_nul_bytes_are_never_written():
    assert encode("val", {"note": "a\0b"}, 1) == "val,note,ab,epoch,1\n"
