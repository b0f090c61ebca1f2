import pytest

from runx.rundir.orders import CANCEL, TIMEOUT, give, ordered
from runx.rundir.paths import RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir(tmp_path)


def quiet(line):
    raise AssertionError(line)


def test_a_run_that_nobody_ended_has_no_order(run):
    assert ordered(run, 1, quiet) is None


def test_an_order_is_for_one_attempt(run):
    give(run, CANCEL, 1)
    assert ordered(run, 1, quiet) == CANCEL
    assert ordered(run, 2, quiet) is None


def test_the_first_order_counts(run):
    give(run, TIMEOUT, 1)
    give(run, CANCEL, 1)
    assert ordered(run, 1, quiet) == TIMEOUT


def test_a_damaged_order_is_told_of_and_passed_over(run):
    give(run, CANCEL, 1)
    (run.orders / "0.json").write_text("{")
    told = []
    assert ordered(run, 1, told.append) == CANCEL
    assert len(told) == 1
