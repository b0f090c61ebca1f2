"""Words for names that nobody keeps."""

from itertools import islice

from runx.sweeps.standins import stand_ins


def test_as_many_as_are_asked_for_differ_and_are_the_same_each_time():
    shown = list(islice(stand_ins(), 200_000))
    assert len(set(shown)) == 200_000
    assert shown == list(islice(stand_ins(), 200_000))
