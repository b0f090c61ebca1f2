import json

import pytest
from run_folders import make_run

from runx.analysis.select import select
from runx.errors import RunxError


@pytest.fixture
def logroot(tmp_path):
    for name in ("wise-owl", "sly-fox"):
        make_run(tmp_path / "logs" / "sweep" / name, {"lr": 1}, id=f"{name[:4]}abcd")
    make_run(tmp_path / "logs" / "other" / "wise-fox", {"lr": 1}, id="feedbeef")
    return tmp_path / "logs"


def names(logroot, *words, cwd=None):
    return [run.path.name for run in select(words, logroot, cwd or logroot.parent)]


def test_the_error_of_an_unknown_run_has_the_nearest(logroot):
    with pytest.raises(RunxError, match=r"experiment wise-owk in .*/logs; there are: wise-owl, "):
        names(logroot, "wise-owk")
    with pytest.raises(RunxError, match=r"no run wise-owk in .*/sweep; there are: wise-owl, "):
        names(logroot, "sweep", "wise-owk")


def test_the_error_of_a_mistyped_experiment_has_the_nearest(logroot):
    with pytest.raises(RunxError, match=r"no run or experiment swep in .*; there are: sweep, "):
        names(logroot, "swep")


def test_the_error_of_a_part_of_several_names_has_them_all(logroot):
    with pytest.raises(
        RunxError, match=r"several runs; there are: other/wise-fox, sweep/wise-owl$"
    ):
        names(logroot, "wise")


@pytest.mark.parametrize(
    "word", ["wise-owl", "wise-o", "owl", "sweep/wise-owl", "wiseabcd", "wisea"]
)
def test_a_run_is_selected_by_name_part_place_and_identity(logroot, word):
    assert names(logroot, word) == ["wise-owl"]


def test_a_run_is_selected_by_its_path(logroot):
    assert names(logroot, "sweep/sly-fox", cwd=logroot) == ["sly-fox"]
    assert names(logroot, str(logroot / "other" / "wise-fox")) == ["wise-fox"]
    assert names(logroot, ".", cwd=logroot / "other" / "wise-fox") == ["wise-fox"]


def test_an_experiment_stands_for_its_runs_unless_some_of_them_are_named(logroot):
    assert names(logroot, "sweep") == ["sly-fox", "wise-owl"]
    assert names(logroot, "sweep", "wise") == ["wise-owl"]
    assert names(logroot, "sweep", "other") == ["sly-fox", "wise-owl", "wise-fox"]


def test_a_damaged_record_has_no_identity(logroot):
    (logroot / "other" / "wise-fox" / "run.json").write_text(json.dumps([]))
    with pytest.raises(RunxError, match="no run or experiment feedbeef"):
        names(logroot, "feedbeef")
