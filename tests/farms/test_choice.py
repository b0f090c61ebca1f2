"""The farm that fits: what is compared, in which order, and why a farm doesn't."""

import pytest
from batched import arrays_of
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SettingsError
from runx.farms.base import Farm
from runx.farms.choice import Candidate, Fit, fits, lacks, refusals
from runx.farms.jobs import job_arrays
from runx.farms.registry import farm_type_of
from runx.farms.resources import Needs
from runx.sweeps.values import Hparam


def asks(**resources):
    texts = {name: None if value is None else str(value) for name, value in resources.items()}
    return tuple(Hparam(name, value, texts[name]) for name, value in resources.items())


@pytest.mark.parametrize(
    ("asked", "capacity", "lacking"),
    [
        ({"gpus": 2}, Needs(gpus=1), ["gpus (2 needed, 1 there)"]),
        ({"gpus": "a100:2"}, Needs(gpus=2), []),
        ({"gpus": 0, "gpu_mem": "80G"}, Needs(gpus=0, gpu_mem=0), []),
        ({"gpus": 1, "gpu_mem": "24G"}, Needs(gpu_mem=24564), []),
        ({"gpus": 1, "gpu_mem": "24GiB"}, Needs(gpu_mem=24564), ["gpu_mem (25.8G needed, 25.8G"]),
        ({"cpus": 9}, Needs(cpus=8), ["cpus (9 needed, 8 there)"]),
        ({"mem": "600G"}, Needs(mem=512000), ["mem (600G needed, 500G there)"]),
        ({"mem": 0}, Needs(mem=1), []),
        ({"time": "3d"}, Needs(time=3600), ["time (3 d needed, 1 h there)"]),
        ({"nodes": 2}, Needs(nodes=1), ["nodes (2 needed, 1 there)"]),
        ({"gpus": None, "cpus": 1, "exclusive": True}, Needs(gpus=0, cpus=1), []),
        ({"gpus": 99, "time": "9d"}, Needs(), []),
        ({"gpus": "what it doesn't read is no matter"}, None, []),
    ],
)
def test_what_a_capacity_names_is_compared_and_nothing_else(asked, capacity, lacking):
    found = lacks(asks(**asked), capacity)
    assert len(found) == len(lacking)
    assert all(one.startswith(other) for one, other in zip(found, lacking, strict=True))


def test_what_makes_no_sense_is_refused_not_taken_for_small():
    with pytest.raises(SettingsError, match="RESOURCES: time must be as 2h"):
        lacks(asks(time=3), Needs(time=99))


def test_nothing_fits_where_there_is_nothing():
    assert fits([]) == []
    assert fits([Candidate("a", Needs(), ())]) == []
    assert refusals([Candidate("a", Needs(gpus=0), (asks(gpus=1), asks(cpus=1)))]) == {}


COUNTS = st.integers(0, 4)
ALTERNATIVES = st.lists(st.fixed_dictionaries({"gpus": COUNTS}), min_size=1, max_size=3)


@given(st.lists(st.tuples(st.none() | COUNTS, ALTERNATIVES), max_size=4))
def test_alternatives_come_first_then_farms_in_their_order(drawn):
    candidates = [
        Candidate("f", None if there is None else Needs(gpus=there), tuple(asks(**o) for o in ones))
        for there, ones in drawn
    ]
    expected = sorted(
        (number, farm)
        for farm, (there, ones) in enumerate(drawn)
        for number, one in enumerate(ones)
        if there is None or one["gpus"] <= there
    )
    assert fits(candidates) == [Fit(farm, number) for number, farm in expected]


GPUS = [Hparam("gpus", 2, "2"), Hparam("gpu_mem", "40G", "40G")]


@pytest.mark.parametrize(
    ("type", "words"),
    [
        ("lsf", "num=2:gmem=38147M"),
        ("condor", "gpus_minimum_memory = 38147\n"),
        ("kubernetes", '"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": [ "38146" ]'),
    ],
)
def test_schedulers_that_have_a_word_are_asked_for_the_memory_of_gpus(type, words):
    farm, [array] = arrays_of(type, 1, GPUS)
    farm_type = farm_type_of(type)
    submission = farm_type.submission(array, farm)
    script = farm_type.script(array, farm) if farm_type.script else ""
    text = f"{' '.join(submission.words)} {submission.stdin} {script}"
    assert words in text or words in " ".join(text.split())


@pytest.mark.parametrize("type", ["slurm", "sge", "pbs", "torque", "moab", "oar", "ray"])
def test_others_must_say_that_their_gpus_have_as_much(type):
    with pytest.raises(SettingsError, match=f"gpu_mem: jobs of TYPE {type} can't ask"):
        arrays_of(type, 1, GPUS)
    farm, [plain] = arrays_of(type, 1, GPUS[:1])
    folder = plain.folder
    jobs = arrays_of("lsf", 1, GPUS)[1][0].jobs
    for there, is_enough in ((38146, False), (38147, True), (None, False)):
        knowing = farm._replace(capacity=Needs(gpus=8, gpu_mem=there))
        if not is_enough:
            with pytest.raises(SettingsError, match="gpu_mem: jobs of TYPE"):
                list(job_arrays(jobs, knowing, farm_type_of(type), folder, 1))
            continue
        [array] = job_arrays(jobs, knowing, farm_type_of(type), folder, 1)
        assert array.needs == plain.needs


def test_the_memory_of_no_gpu_is_nothing_and_of_nobody_knows_how_many_refused():
    _, [array] = arrays_of("slurm", 1, [Hparam("gpus", 0, "0"), GPUS[1]])
    assert array.needs.gpu_mem is None
    with pytest.raises(SettingsError, match="gpu_mem: of how many GPUs"):
        arrays_of("slurm", 1, GPUS[1:])


def test_a_farm_of_flags_gets_it_as_it_stands():
    farm, [array] = arrays_of("command", 1, GPUS)
    assert "--gpu_mem 40G" in " ".join(farm_type_of("command").submission(array, farm).words)
    assert Farm("x").capacity is None
