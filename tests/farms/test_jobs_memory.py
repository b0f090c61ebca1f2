"""``mem: 0``, all that a node has: asked for where the scheduler can be, else refused."""

import pytest
from batched import arrays_of, specs

from runx.errors import SettingsError
from runx.farms.registry import FARMS, farm_type_of
from runx.sweeps.values import Hparam

ALL = [Hparam("mem", 0, "0")]


def test_all_memory_of_a_node_is_asked_of_slurm():
    farm, [array] = arrays_of("slurm", jobs=specs("slurm", 1, ALL))
    assert "--mem=0" in farm_type_of("slurm").submission(array, farm).words


@pytest.mark.parametrize("type", [name for name in sorted(FARMS) if farm_type_of(name).portable])
def test_it_is_honoured_or_refused_by_every_farm(type):
    jobs = specs(type, 1, ALL)
    if farm_type_of(type).whole_memory:
        assert arrays_of(type, jobs=jobs)[1][0].needs.mem == 0
        return
    with pytest.raises(SettingsError, match="mem: 0, all of a node's, is Slurm's; say how much"):
        arrays_of(type, jobs=jobs)
