import pytest

from runx.errors import LogxError
from runx.tracking.context import remaining


@pytest.fixture
def logx(logx, tmp_path, monkeypatch):
    for name in ("RUNX_DEADLINE", "SLURM_JOB_END_TIME"):
        monkeypatch.delenv(name, raising=False)
    logx.initialize(tmp_path)
    return logx


def test_a_deadline_that_is_no_number_is_none():
    assert remaining(0.0, {"RUNX_DEADLINE": "soon"}) is None


def test_slurms_end_counts_where_the_launcher_says_none():
    assert remaining(100.0, {"SLURM_JOB_END_TIME": "150"}) == 50
    assert remaining(100.0, {"SLURM_JOB_END_TIME": "150", "RUNX_DEADLINE": "120"}) == 20


def test_a_script_goes_on_until_it_is_asked_to_stop(logx, tmp_path):
    assert not logx.should_stop()
    assert logx.remaining_time() is None
    (tmp_path / "stop_requested").touch()
    assert logx.should_stop()
    assert logx.should_stop(all_ranks=True)


def test_a_script_stops_when_too_little_time_is_left(logx, monkeypatch):
    monkeypatch.setenv("RUNX_DEADLINE", str(2**40))
    assert not logx.should_stop(within=600)
    assert logx.remaining_time() > 0
    monkeypatch.setenv("RUNX_DEADLINE", "1")
    assert logx.should_stop(within=600)
    assert logx.should_stop()


def test_an_argument_that_is_no_number_is_told_by_its_call(logx):
    with pytest.raises(LogxError, match=r"^should_stop: within= takes a number, not 'soon'$"):
        logx.should_stop(within="soon")
