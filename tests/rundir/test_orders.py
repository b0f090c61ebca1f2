import pytest

from runx.rundir.orders import CANCEL, TIMEOUT, order_of, write_order
from runx.rundir.paths import RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir(tmp_path)


def no_warning(line):
    raise AssertionError(line)


def test_a_run_that_nobody_ended_has_no_order(run):
    assert order_of(run, 1, no_warning) is None


def test_an_order_is_for_one_attempt(run):
    write_order(run, CANCEL, 1)
    assert order_of(run, 1, no_warning) == CANCEL
    assert order_of(run, 2, no_warning) is None


def test_the_first_order_counts(run):
    write_order(run, TIMEOUT, 1)
    write_order(run, CANCEL, 1)
    assert order_of(run, 1, no_warning) == TIMEOUT


def test_a_damaged_order_is_told_of_and_passed_over(run):
    write_order(run, CANCEL, 1)
    (run.orders / "0.json").write_text("{")
    warnings = []
    assert order_of(run, 1, warnings.append) == CANCEL
    assert len(warnings) == 1
