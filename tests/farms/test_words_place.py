"""Jobs of one farm in two places, by the variables that its scheduler's commands read."""

import pytest
from batched import farm_of

from runx.farms.registry import farm_type_of

VARIABLES = {
    "sge": "SGE_CELL",
    "pbs": "PBS_SERVER",
    "lsf": "LSF_ENVDIR",
    "moab": "MOABHOMEDIR",
}


@pytest.mark.parametrize(("type", "variable"), VARIABLES.items())
def test_each_command_is_about_where_the_job_was_submitted(type, variable):
    farm_type, farm = farm_type_of(type), farm_of(type)
    place = farm_type.place("", {variable: "there", "HOME": "/home/me"})
    farm = farm._replace(options={**farm.options, **place})
    orders = (farm_type.cancel, farm_type.hold, farm_type.release)
    commands = [query.command(["12"], farm) for query in farm_type.queries]
    commands += [command for order in orders for command in order(["12"], farm)]
    assert {command[:2] for command in commands} == {("env", f"{variable}=there")}


@pytest.mark.parametrize("type", VARIABLES)
def test_without_such_a_variable_commands_are_as_they_stand(type):
    assert farm_type_of(type).place("", {"HOME": "/home/me"}) == {}
    assert farm_type_of(type).cancel(["12"], farm_of(type))[0][0] != "env"
