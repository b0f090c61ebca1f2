"""PRIORITY and what LIMITS names, on every farm: each gives it on, or says that it can't."""

import json
import re
from pathlib import Path

import pytest

from runx.errors import FarmError, RunxError
from runx.farms import lsf
from runx.farms.base import Farm, FarmType, JobSpec
from runx.farms.jobs import job_arrays
from runx.farms.registry import FARMS, farm_type_of
from runx.farms.resources import Limit
from runx.launching.support import _of_priority
from runx.processes import Finished
from runx.rundir.paths import RunDir
from runx.sweeps.values import Hparam

TEMPLATE = (
    "submit --sooner {{ priority }} {{ resources | flags }} --name {{ name }} bash {{ script }}"
)
OPTIONS = {
    "command": {"submit_cmd": TEMPLATE},
    "kubernetes": {"options": {"PRIORITY_CLASSES": "low=-1, high=3", "VOLUME": "logs"}},
    "lsf": {"options": {"MAX_USER_PRIORITY": "200"}},
    "ngc": {"options": {"WORKSPACE": "ws", "NGC_LOGROOT": "/mnt/ws"}},
}
PLACED = {
    "command": ("--sooner 3", "--sooner -10"),
    "slurm": ("--nice=-300", "--nice=1000"),
    "sge": ("-p 300", "-p -1000"),
    "pbs": ("-p 300", "-p -1000"),
    "torque": ("-p 300", "-p -1000"),
    "moab": ("-p 300", "-p -1000"),
    "lsf": ("-sp 130", "-sp 1"),
    "condor": ("priority = 3", "priority = -10"),
    "kubernetes": ('"priorityClassName": "high"', '"priorityClassName": "low"'),
}
COUNTED = {
    "command": "--licences 2",
    "slurm": "--licenses=licences:2",
    "sge": "-l licences=2",
    "pbs": "-l licences=2",
    "lsf": "-R rusage[licences=2]",
    "condor": "concurrency_limits = licences:2",
    "oar": "-l /resource_id=1+{type='licences'}/resource_id=2",
    "ray": '--entrypoint-resources {"licences": 2}',
}


def farm_of(type, **more):
    return Farm(type, type=type, **{**OPTIONS.get(type, {}), **more})


def text_of(farm, *resources):
    """Return all that a farm's scheduler is given of a job with these resources."""
    image = [Hparam("image", "x", "x")] if farm.type == "kubernetes" else []
    job = JobSpec(
        name="sweep_owl",
        experiment="sweep",
        run="owl",
        tag="",
        dir=RunDir(Path("/logs/sweep/owl")),
        attempt=1,
        resources=(*resources, *image),
        template_values=lambda: {"command": "train", "hparams": {}},
    )
    farm_type = farm_type_of(farm.type)
    folder = Path("/logs/sweep/.runx/launches/l/jobs")
    [array] = job_arrays([job], farm, farm_type, folder, farm_type.largest)
    made = farm_type.submission(array, farm)
    script = farm_type.script(array, farm) if farm_type.script else ""
    return "\n".join([" ".join(made.words), made.stdin, script])


@pytest.mark.parametrize("type", sorted(FARMS))
def test_a_farm_gives_its_jobs_their_priority_or_says_that_it_cannot(type):
    for priority, placed in zip((3, -10), PLACED.get(type, ("", "")), strict=True):
        farm = farm_of(type, priority=priority)
        problem = _of_priority(farm, farm_type_of(type))
        assert bool(problem) != bool(placed)
        if placed:
            assert re.search(rf"(^|\s){re.escape(placed)}($|\W)", text_of(farm), re.MULTILINE)
            assert placed not in text_of(farm._replace(priority=0))
        else:
            assert problem == f"jobs of TYPE {type} have none that can be set; leave it out"


@pytest.mark.parametrize("type", sorted(FARMS))
def test_a_farm_counts_what_limits_names_or_says_that_it_cannot(type):
    farm = farm_of(type, limits={"licences": Limit(9, origin="runx.yml:1")})
    asked = Hparam("licences", 2, "2")
    if type in COUNTED:
        assert COUNTED[type] in text_of(farm, asked)
        return
    with pytest.raises(RunxError, match=f"licences: a farm of TYPE {type} can't count it, as runx"):
        text_of(farm, asked)


@pytest.mark.parametrize("type", sorted(COUNTED))
def test_a_farm_counts_sizes_or_says_that_it_cannot(type):
    farm = farm_of(type, limits={"scratch": Limit(9 << 20, True, "runx.yml:1")})
    asked = Hparam("scratch", "2G", "2G")
    placed = {"sge": "scratch=2048M", "pbs": "scratch=2048mb", "command": "--scratch 2G"}
    if type in placed:
        assert placed[type] in text_of(farm, asked)
        return
    with pytest.raises(RunxError, match="can't count sizes of it"):
        text_of(farm, asked)


@pytest.mark.parametrize(
    "type, name, both",
    [
        ("slurm", "licenses", "--licenses=other:1,licences:2"),
        ("condor", "concurrency_limits", "concurrency_limits = other:1,licences:2"),
    ],
)
def test_licences_of_the_schedulers_own_words_are_kept(type, name, both):
    farm = farm_of(type, limits={"licences": Limit(9)})
    text = text_of(farm, Hparam("licences", 2, "2"), Hparam(name, "other:1", "other:1"))
    assert both in text
    assert text.count(name) == 1
    assert f"{name}=other" in text_of(farm, Hparam(name, "other:1", "other:1")).replace(" = ", "=")


def test_two_words_for_one_thing_are_refused():
    ray = farm_of("ray", limits={"licences": Limit(9)})
    with pytest.raises(RunxError, match="entrypoint-resources is made of licences"):
        text_of(ray, Hparam("licences", 2, "2"), Hparam("entrypoint-resources", "{}", "{}"))
    with pytest.raises(RunxError, match="RESOURCES name the priority class urgent"):
        text_of(farm_of("kubernetes", priority=1), Hparam("priorityClass", "urgent", "urgent"))


def test_a_farm_from_elsewhere_that_knows_no_priorities_refuses_them():
    own = FarmType(("x",), "install it", lambda array, farm: None, lambda answer, array: [])
    assert "have none" in _of_priority(Farm("own", type="own", priority=1), own)
    assert not _of_priority(Farm("own", type="own"), own)


@pytest.mark.parametrize(
    "classes, message",
    [
        ("", "PRIORITY_CLASSES names none; say PRIORITY_CLASSES: NAME=3"),
        ("low=-1,top=9", "for 3 PRIORITY_CLASSES names none"),
        ("high", "must be as low=-5,high=5, not 'high'"),
        ("=3", "must be as low=-5,high=5"),
        ("high=x", "must be as low=-5,high=5"),
    ],
)
def test_kubernetes_needs_the_name_of_a_class(classes, message):
    farm = farm_of("kubernetes", priority=3, options={"PRIORITY_CLASSES": classes, "VOLUME": "v"})
    assert message in _of_priority(farm, farm_type_of("kubernetes"))


def test_a_submit_command_must_make_use_of_it():
    for text in ("submit_job", "submit --priority 3 {{ name }}"):
        farm = farm_of("command", submit_cmd=text, priority=3)
        assert "{{ priority }}" in _of_priority(farm, farm_type_of("command"))


def test_lsf_is_asked_for_its_highest_priority_only_where_that_matters():
    place = lsf.FARM_TYPE.located
    assert place.command(Farm("lsf")) == ()
    assert place.command(Farm("lsf", priority=1)) == ("bparams", "-a")
    said = "    MAX_USER_PRIORITY = 20\n    MAX_JOB_ARRAY_SIZE = 9\n"
    assert place.read(Finished((), 0, said, ""), Farm("lsf")) == {"MAX_USER_PRIORITY": "20"}
    assert place.read(Finished((), 255, "", "LSF is down"), Farm("lsf")) == {}
    with pytest.raises(FarmError, match="PRIORITY: this LSF has none"):
        place.read(Finished((), 0, "MAX_JOB_ARRAY_SIZE = 9\n", ""), Farm("lsf"))


def test_what_ray_is_given_is_json():
    farm = farm_of("ray", limits={"a@b": Limit(9), "c": Limit(9)})
    words = text_of(farm, Hparam("a@b", 1, "1"), Hparam("c", 2, "2"))
    [text] = re.findall(r"--entrypoint-resources (\{.*?\})", words)
    assert json.loads(text) == {"a@b": 1, "c": 2}
