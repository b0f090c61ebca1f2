"""FARM: which farms runs may go to, and what these may differ in."""

import pytest

from runx.config.every_source import logroot
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError

SWEEP = "CMD: python train.py\nHPARAMS: {lr: 1}\n"
FARMS = """\
local: {CAPACITY: auto}
small: {TYPE: slurm, CAPACITY: {gpus: 1}, SETUP: module load a}
plain: {TYPE: slurm}
big: {TYPE: lsf, CAPACITY: {gpus: 8}, RESOURCES: {partition: long}}
"""


def loaded(folder, runx, sweep=SWEEP, here=False, **flags):
    (folder / "sweep.yml").write_text(sweep)
    (folder / ".runx").write_text(runx)
    request = Request(folder / "sweep.yml", folder, {"HOME": "/none"}, flags=flags, here=here)
    return load(request)


def places(experiment):
    return [each.place for each in experiment.candidates]


@pytest.mark.parametrize(
    ("runx", "message"),
    [
        ("FARM: auto\nplain: {TYPE: slurm}\n", ".runx:1: FARM: auto: no section .* CAPACITY"),
        ("FARM: soonest\n", ".runx:1: FARM: soonest: no section of a farm has a CAPACITY"),
        (
            f"FARM: [small, bgi]\n{FARMS}",
            ".runx:1: no section describes farm bgi; did you mean big",
        ),
        ("FARM: [small, small]\n", ".runx:1: FARM must be a name, auto, soonest, or a list"),
        ("FARM: []\n", ".runx:1: FARM must be a name, auto, soonest, or a list"),
        ("FARM: [[a]]\n", ".runx:1: FARM must be a name"),
        ("FARM: {a: b}\n", ".runx:1: FARM must be a name"),
        ("FARM: 'a,,b'\n", ".runx:1: FARM must be a name"),
        (
            f"FARM: auto\nRUN_NAME: '{{farm}}-{{lr}}'\n{FARMS}",
            r".runx:1: FARM: it is chosen .* can't hold \{farm\}",
        ),
        (
            f"FARM: auto\n{FARMS}other: {{TYPE: slurm, CAPACITY: {{}}, LOGROOT: /x}}\n",
            ".runx:6: LOGROOT: local and other differ in it, and FARM lets each run go to either",
        ),
        (f"FARM: auto\nbad: {{TYPE: slrm, CAPACITY: {{}}}}\n{FARMS}", "TYPE slrm is unknown"),
    ],
)
def test_farms_that_none_can_be_chosen_of_are_refused(tmp_path, runx, message):
    with pytest.raises(SettingsError, match=message):
        loaded(tmp_path, runx)


def test_auto_and_soonest_are_all_that_say_their_capacity_in_their_order(tmp_path):
    chosen = loaded(tmp_path, f"FARM: auto\n{FARMS}")
    assert (places(chosen), chosen.soonest) == (["local", "small", "big"], False)
    assert loaded(tmp_path, f"FARM: soonest\n{FARMS}").soonest
    big = chosen.candidates[2]
    assert (big.farm.type, big.capacity.gpus, big.resources[0].value) == ("lsf", 8, "long")
    assert [each.shell.setup for each in chosen.candidates] == ["", "module load a", ""]
    assert big.settings["RESOURCES"].text == "{partition: long}"


def test_farms_are_named_in_a_list_or_with_commas_with_a_capacity_or_without(tmp_path):
    assert places(loaded(tmp_path, f"FARM: [plain, local]\n{FARMS}")) == ["plain", "local"]
    assert places(loaded(tmp_path, FARMS, FARM="big, plain")) == ["big", "plain"]
    assert places(loaded(tmp_path, FARMS, FARM="[big, plain]")) == ["big", "plain"]


def test_one_name_is_as_it_was(tmp_path):
    for runx in (f"FARM: plain\n{FARMS}", f"FARM: [plain]\n{FARMS}"):
        one = loaded(tmp_path, runx)
        assert (one.farm.name, one.candidates, one.capacity) == ("plain", (), None)
    assert loaded(tmp_path, f"FARM: small\n{FARMS}").farm.capacity.gpus == 1


def test_a_farm_may_be_called_auto(tmp_path):
    one = loaded(tmp_path, "FARM: auto\nauto: {TYPE: slurm}\n")
    assert (one.farm.name, one.candidates) == ("auto", ())


def test_runs_here_are_here_whatever_is_to_be_chosen_of(tmp_path):
    here = loaded(tmp_path, f"FARM: auto\n{FARMS}", here=True)
    assert (here.farm, here.candidates, here.capacity) == (None, (), None)
    assert loaded(tmp_path, "FARM: auto\n", here=True).farm is None


def test_experiments_are_looked_for_in_the_one_logroot(tmp_path):
    (tmp_path / ".runx").write_text(f"FARM: auto\nLOGROOT: logs\n{FARMS}")
    assert logroot(tmp_path, {"HOME": "/none"}) == tmp_path / "logs"
    (tmp_path / ".runx").write_text("FARM: [a, b]\na: {TYPE: slurm, LOGROOT: logs}\n")
    assert logroot(tmp_path, {"HOME": "/none"}) == tmp_path / "logs"
