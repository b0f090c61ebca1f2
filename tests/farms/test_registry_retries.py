"""RETRIES, as each farm is asked for it; what a job can't do by itself is said."""

import pytest

from runx import load, preview
from runx.api.experiment import SweepPlan
from runx.errors import SettingsError
from runx.launching.support import retry_notes

NEEDS = {"kubernetes": "VOLUME: logs\n  RESOURCES: {image: torch, time: 2h}"}


def loaded(folder, farm, retries):
    section = NEEDS.get(farm, "RESOURCES: {time: 2h}" if farm != "ray" else "ADDRESS: http://h")
    (folder / ".runx").write_text(f"FARM: {farm}\nLOGROOT: {folder}/logs\n{farm}:\n  {section}\n")
    (folder / "x.yml").write_text(f"CMD: python t.py\nHPARAMS: {{lr: 1}}\nRETRIES: {retries}\n")
    return load(folder / "x.yml", runx_file=folder / ".runx")


@pytest.mark.parametrize(
    ("farm", "asked", "warned"),
    [
        ("slurm", "--requeue", "--signal=B:USR1@60"),
        ("sge", "-r y", "s_rt=01:59:00"),
        ("lsf", "-r -Q 75", "-wa USR1 -wt 1"),
        ("oar", "-t idempotent", "--checkpoint 60 --signal 10"),
        ("condor", "on_exit_remove = (ExitCode =!= 75)", None),
        ("kubernetes", "onExitCodes", None),
    ],
)
def test_a_farm_is_asked_to_take_runs_back_and_to_warn_of_a_time_limit(
    tmp_path, monkeypatch, farm, asked, warned
):
    monkeypatch.chdir(tmp_path)
    shown = {}
    for on in ("node", "timeout"):
        experiment = loaded(tmp_path, farm, f"{{on: {on}}}")
        shown[on] = "\n".join(preview(experiment.plan()))
        assert asked in shown[on]
        says = on == "timeout" and warned is None
        assert bool([*retry_notes(experiment.settings.farm)]) is says
    if warned:
        assert warned in shown["timeout"]
        assert warned not in shown["node"]
    assert asked not in "\n".join(preview(loaded(tmp_path, farm, 0).plan()))


@pytest.mark.parametrize("farm", ["pbs", "torque", "ray"])
def test_a_farm_that_takes_nothing_back_leaves_it_to_resume(tmp_path, monkeypatch, farm):
    monkeypatch.chdir(tmp_path)
    [note] = retry_notes(loaded(tmp_path, farm, 2).settings.farm)
    assert f"jobs of TYPE {farm} can't start again by themselves; --resume does it" in note


def test_runs_that_do_not_see_each_other_can_not_be_held(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".runx").write_text(
        "FARM: ngc\nLOGROOT: /logs\nMAX_FAILURES: 2\n"
        "ngc: {SUBMIT_CMD: ngc batch run, NGC_LOGROOT: /mnt, WORKSPACE: w}\n"
    )
    (tmp_path / "x.yml").write_text("CMD: python t.py\nHPARAMS: {lr: 1}\n")
    with pytest.raises(SettingsError, match="MAX_FAILURES: runs of TYPE ngc don't see how"):
        SweepPlan.of(load(tmp_path / "x.yml", runx_file=tmp_path / ".runx").settings)
