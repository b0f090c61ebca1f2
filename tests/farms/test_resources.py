"""What a run needs, as people write it, in units that are never passed on wrong."""

import pytest

from runx.errors import SettingsError
from runx.farms.resources import mebibytes, needs, seconds
from runx.sweeps.values import Hparam


@pytest.mark.parametrize("text", ["90", "1.5", "soon", "0h", "-1h", "4:00", "2 hours"])
def test_a_time_without_a_unit_or_sense_is_refused(text):
    with pytest.raises(SettingsError, match="time"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "span"), [("1-12:00:00", 129600), ("2h", 7200), ("90m", 5400), ("1d12h", 129600)]
)
def test_a_time_is_read_as_people_write_it(text, span):
    assert seconds(text) == span


@pytest.mark.parametrize("text", ["much", "40X", "-1G", ""])
def test_a_size_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="mem"):
        mebibytes(text)


@pytest.mark.parametrize(("name", "text"), [("cpus", "two"), ("nodes", "0"), ("gpus", "a100:")])
def test_a_count_must_be_whole(name, text):
    with pytest.raises(SettingsError, match=name):
        needs([Hparam(name, text, text)])


def test_what_is_nearly_a_portable_key_is_refused():
    with pytest.raises(SettingsError, match="did you mean partition"):
        needs([Hparam("partiton", "gpu", "gpu")])


def test_other_keys_go_through_and_empty_ones_count_for_nothing():
    exclusive = Hparam("exclusive", True, None)
    assert needs([exclusive, Hparam("mem", None, "")]).rest == (exclusive,)
