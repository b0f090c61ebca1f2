import pytest

from runx.analysis.cells import duration, for_machines, for_people
from runx.analysis.columns import Column


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.6, "1:00"),
        (321, "5:21"),
        (3599.4, "59:59"),
        (3921, "1:05:21"),
        (9e5, "250:00:00"),
    ],
)
def test_a_duration_has_hours_only_where_there_are_any(seconds, text):
    assert duration(seconds) == text


def test_people_see_metrics_rounded_and_hyperparameters_as_they_are():
    assert for_people(97.123456, Column("acc", "metric", "acc")) == "97.123"
    assert for_people(97.123456, Column("lr", "hparam", "lr")) == "97.123456"
    assert for_people(float("nan"), Column("acc", "metric", "acc")) == "nan"
    assert for_people(12345678, Column("n", "metric", "n")) == "12345678"


def test_machines_see_every_digit():
    assert for_machines(0.1 + 0.2) == "0.30000000000000004"
    assert for_machines(None) == ""
    assert for_machines(False) == "false"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0004, "0:00"), (0.3, "0:00.3"), (9.94, "0:09.9"), (9.96, "0:10"), (10.2, "0:10")],
)
def test_a_short_epoch_has_tenths(seconds, expected):
    assert for_people(seconds, Column("epoch_time", "epoch_time")) == expected
