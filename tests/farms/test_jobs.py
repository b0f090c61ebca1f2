"""Jobs grouped into arrays, as few as the scheduler takes."""

import pytest
from batched import arrays_of, specs

from runx.errors import SettingsError
from runx.farms.jobs import parallel_shares
from runx.farms.registry import FARMS, farm_type_of
from runx.sweeps.values import Hparam


def test_runs_of_other_needs_are_another_array_and_none_is_too_long():
    _, arrays = arrays_of("slurm", 25, largest=10, array=True)
    assert [len(array.jobs) for array in arrays] == [10, 10, 5]
    mixed = [*specs("slurm", 2), *specs("slurm", 2, [Hparam("gpus", 2, "2")])]
    assert len(arrays_of("slurm", jobs=mixed, array=True)[1]) == 2


def test_from_twenty_runs_on_they_are_one_array():
    assert len(arrays_of("slurm", 19)[1]) == 19
    assert len(arrays_of("slurm", 20)[1]) == 1
    assert len(arrays_of("slurm", 20, array=False)[1]) == 20


@pytest.mark.parametrize("type", [name for name in sorted(FARMS) if farm_type_of(name).arrays])
def test_ten_thousand_runs_go_in_as_few_calls_as_the_scheduler_allows(type):
    farm_type = farm_type_of(type)
    farm, arrays = arrays_of(type, 10_000, largest=farm_type.largest)
    assert len(arrays) == -(-10_000 // farm_type.largest) <= 10
    runs = [job.run for array in arrays for job in array.jobs]
    assert len(set(runs)) == 10_000
    # What Linux takes as one word.
    words = [word for array in arrays for word in farm_type.submission(array, farm).words]
    assert all(len(word) < 2**17 for word in words)


def test_more_arrays_than_may_run_wait_for_each_other():
    _, arrays = arrays_of("slurm", 5, array=False, max_parallel=2)
    assert [array.follows for array in arrays] == [None, None, 0, 1, 2]
    assert parallel_shares(2, 5) == [1] * 5


@pytest.mark.parametrize(
    ("type", "more", "message"),
    [
        ("ray", {"array": True}, "no arrays"),
        ("command", {"array": True}, "no arrays"),
        ("oar", {"max_parallel": 2}, "MAX_PARALLEL"),
        ("command", {"max_parallel": 1}, "MAX_PARALLEL: these are 2 jobs, .* leave it out"),
    ],
)
def test_what_a_farm_can_not_do_is_refused(type, more, message):
    with pytest.raises(SettingsError, match=message):
        arrays_of(type, 2, **more)
