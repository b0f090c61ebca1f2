"""What every type of farm owes, tested once over the table."""

import dataclasses
import json

import pytest
from batched import arrays_of, farm_of

from runx.errors import RunxError, SettingsError
from runx.farms.base import FarmType, Submission
from runx.farms.registry import FARMS, farm_type_of
from runx.farms.resources import PORTABLE
from runx.processes import Finished
from runx.rundir.handback import Requeue
from runx.sweeps.values import Hparam

SCHEDULERS = sorted(set(FARMS) - {"command"})
ANSWERS = {
    "slurm": "12\n",
    "sge": "12.1-2:1\n",
    "pbs": "12[].server\n",
    "torque": "12[].server\n",
    "lsf": "Job <12> is submitted to queue <normal>.\n",
    "oar": "[ADMISSION RULE] x\nOAR_JOB_ID=12\nOAR_JOB_ID=13\nOAR_ARRAY_ID=12\n",
    "moab": "\nMoab.12\n",
    "condor": "12.0 - 12.1\n",
    "kubernetes": "job.batch/sweep\n",
}


def submitted(array, farm):
    """Return all that a scheduler is given of an array: words, stdin and script."""
    farm_type = farm_type_of(farm.type)
    submission = farm_type.submission(array, farm)
    script = farm_type.script(array, farm) if farm_type.script else ""
    return submission.words, submission.stdin, script


@pytest.mark.parametrize("type", sorted(FARMS))
def test_a_farm_is_a_farm_type(type):
    assert isinstance(farm_type_of(type), FarmType)


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_run_is_submitted_in_words_without_newlines_or_work(type):
    farm, [array] = arrays_of(type)
    order = farm_type_of(type).submission(array, farm)
    assert isinstance(order, Submission)
    assert all(isinstance(word, str) and "\0" not in word for word in order.words)


@pytest.mark.parametrize("type", SCHEDULERS)
def test_its_job_is_named_so_that_it_can_be_found_again(type):
    farm, [array] = arrays_of(type)
    words, stdin, script = submitted(array, farm)
    assert farm_type_of(type).job_name(array) in " ".join(words) + stdin + script


@pytest.mark.parametrize("type", SCHEDULERS)
def test_an_answer_that_names_no_job_gives_no_id(type):
    _, [array] = arrays_of(type)
    assert farm_type_of(type).job_ids("", array) == []
    assert farm_type_of(type).job_ids("error: no such queue\n", array) == []


@pytest.mark.parametrize("type", sorted(ANSWERS))
def test_each_run_of_an_array_has_an_id_of_its_own(type):
    _, [array] = arrays_of(type, 2, array=True)
    ids = farm_type_of(type).job_ids(ANSWERS[type], array)
    assert len(set(ids)) == 2


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_portable_resource_is_translated_or_refused_never_dropped(type):
    values = {"mem": "3G", "time": "7m", "gpus": "5", "cpus": "6", "nodes": "2"}
    for name in PORTABLE:
        text = values.get(name, "a=word")
        resource = Hparam(name, text, text)
        try:
            farm, [array] = arrays_of(type, 1, [resource])
            resourced = submitted(array, farm)
        except RunxError as error:
            assert name in str(error)
            continue
        _, [other] = arrays_of(type, 1)
        plain = submitted(other, farm)
        assert resourced != plain, name


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_scheduler_that_can_not_be_asked_is_not_taken_for_an_empty_one(type):
    for query in farm_type_of(type).queries:
        failed = Finished(("x",), 1, "", "Unable to contact controller")
        assert query.read(failed) is None


@pytest.mark.parametrize("type", SCHEDULERS)
def test_cancelling_names_every_job(type):
    farm_type = farm_type_of(type)
    ids = ["sweep/1", "sweep/2"] if type == "kubernetes" else ["12", "13"]
    words = " ".join(word for command in farm_type.cancel(ids, farm_of(type)) for word in command)
    assert all(part in words for job in ids for part in job.split("/"))


@pytest.mark.parametrize("type", [name for name in SCHEDULERS if farm_type_of(name).arrays])
def test_the_script_of_an_array_names_its_list_of_runs(type):
    farm, [array] = arrays_of(type, 3, array=True)
    farm_type = farm_type_of(type)
    order = farm_type.submission(array, farm)
    script = farm_type.script(array, farm) if farm_type.script else json.dumps(order.stdin)
    assert str(array.run_list) in script


def test_a_farm_type_from_elsewhere_is_taken_by_its_module(monkeypatch, tmp_path):
    (tmp_path / "myfarm.py").write_text(
        "from runx.farms.slurm import FARM_TYPE as farm\nother = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert farm_type_of("myfarm:farm").arrays
    for wrong in ("myfarm:other", "myfarm:none", "nomodule:x", "slrum"):
        with pytest.raises(SettingsError):
            farm_type_of(wrong)


@pytest.mark.parametrize("type", [name for name in SCHEDULERS if farm_type_of(name).handback])
def test_the_warning_is_asked_for_where_a_job_can_go_back(type):
    farm, [array] = arrays_of(type, requeue=Requeue())
    plain, _ = arrays_of(type)
    # msub has no option that asks for one.
    assert (submitted(array, farm) != submitted(array, plain)) is (type != "moab")


def test_a_farm_type_of_an_entry_point_is_taken_by_its_name(monkeypatch, tmp_path):
    (tmp_path / "myfarm.py").write_text("from runx.farms.slurm import FARM_TYPE as farm\n")
    (tmp_path / "mine-1.dist-info").mkdir()
    (tmp_path / "mine-1.dist-info" / "METADATA").write_text("Name: mine\nVersion: 1\n")
    entry = "[runx.farms]\nmycluster = myfarm:farm\n"
    (tmp_path / "mine-1.dist-info" / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(tmp_path)
    assert farm_type_of("mycluster").arrays


def test_a_farm_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        farm_type_of("slurm").arrays = False
