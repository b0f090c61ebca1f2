import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.groups import AGGREGATES, Spread, rounded

numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


@given(numbers)
def test_group_statistics_are_those_of_pandas(values):
    pandas = pytest.importorskip("pandas")
    series, own = pandas.Series(values), Spread(tuple(values), len(values))
    for name in ("mean", "std", "sem", "min", "max", "median"):
        assert AGGREGATES[name](own) == pytest.approx(getattr(series, name)(), rel=1e-6, abs=1e-6)
    assert own.n == series.count()


@pytest.mark.parametrize("number", [2, 5, 31, 40, 100, 1000])
def test_the_confidence_interval_is_students(number):
    stats = pytest.importorskip("scipy.stats")
    own = Spread(tuple(float(at % 7) for at in range(number)), number)
    expected = stats.t.ppf(0.975, number - 1) * own.sem
    assert own.ci95 == pytest.approx(expected, rel=2e-3)


def test_one_value_has_no_spread():
    assert math.isnan(Spread((1.0,), 1).std)
    assert math.isnan(Spread((1.0,), 1).ci95)
    assert rounded(Spread((91.25,), 5)) == "91.25 (n=1/5)"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((91.0, 91.5, 91.2), "91.23 ± 0.25 (n=3)"),
        ((910.0, 950.0, 931.0), "930 ± 20 (n=3)"),
        ((1.0, 1.0), "1 ± 0 (n=2)"),
        ((float("inf"), 1.0), "inf ± nan (n=2)"),
        ((1e-9, 2e-9), "1.5e-09 ± 7.1e-10 (n=2)"),
    ],
)
def test_a_spread_has_as_many_digits_as_it_deserves(values, text):
    assert rounded(Spread(values, len(values))) == text
