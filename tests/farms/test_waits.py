"""What jobs of steps wait for, as the jobs of each farm can say it."""

from dataclasses import replace

import pytest
from batched import HOME, LAUNCH, NEEDED, farm_of

from runx.errors import SettingsError
from runx.farms.base import JobSpec, Wait
from runx.farms.jobs import job_arrays, piece_of
from runx.farms.registry import FARMS, farm_type_of
from runx.farms.waits import Place, places_of
from runx.rundir.handback import Requeue
from runx.rundir.steps import RUN, SWEEP, Per, Predecessor, Step
from runx.sweeps.values import Hparam

CAN_WAIT = [name for name in FARMS if farm_type_of(name).waits and farm_type_of(name).stepwise]


def spec(name, *after, step=None, when="done", own=True, type="slurm"):
    """Return a step as a job; ``own``: with RESOURCES of its own."""
    plain = name.rpartition("/")[2].partition("-")[0]
    step = step or Step(plain, "cmd", origin="sweep.yml:7")
    return JobSpec(
        name=name,
        experiment="sweep",
        run=name,
        tag="",
        dir=HOME.run(name),
        attempt=1,
        resources=tuple(NEEDED.get(type, ())),
        step=step._replace(resources=() if own else None),
        after=tuple(Predecessor(HOME.run(each), when) for each in after),
    )


def of(run, step):
    return f"run-{run}/steps/{step}"


def pair(id, when="done"):
    """Return what waits for each job of an array, which has a name only in the end."""
    return Wait(id, when, "each")


def arrays(jobs, type="slurm", places=None, largest=1000, **more):
    """Return the arrays as which jobs would be submitted, each with ids ``<number>_<index>``."""
    farm, places, made = farm_of(type, **more), dict(places or {}), []
    folder = HOME.jobs(LAUNCH)
    for array in job_arrays(jobs, farm, farm_type_of(type), folder, largest, (), places):
        ids = [f"{array.number}_{index}" for index in range(len(array.jobs))]
        places |= places_of(array, ids, farm_type_of(type))
        waits = [wait._replace(name="") for wait in array.waits]
        made.append(replace(array, waits=tuple(waits)))
    return made


def pipeline(count, own=True, **more):
    """Return the steps of a sweep: one for all, two of each run, one that gathers."""
    runs = range(count)
    return [
        spec("steps/tokens", step=Step("tokens", "cmd", per=SWEEP), **more),
        *(spec(of(run, "train"), "steps/tokens", **more) for run in runs),
        *(spec(of(run, "eval"), of(run, "train"), own=own, **more) for run in runs),
        spec("steps/report", *(of(run, "eval") for run in runs), **more),
    ]


def test_a_sweep_of_ten_thousand_runs_of_three_steps_is_three_arrays():
    jobs = [
        job for job in pipeline(10_000) if "/tokens" not in job.run and "/report" not in job.run
    ]
    jobs += [spec(of(run, "test"), of(run, "eval")) for run in range(10_000)]
    made = arrays(jobs, largest=10_000)
    assert [len(array.jobs) for array in made] == [10_000] * 3
    assert [array.waits for array in made] == [
        (),
        (pair("0_0", "done"),),
        (pair("1_0", "done"),),
    ]
    for array in made:
        assert [job.run.split("/")[0] for job in array.jobs] == [
            f"run-{run}" for run in range(10_000)
        ]


def test_what_waits_for_all_waits_for_the_array_and_what_comes_before_that_is_left_out():
    _, train, evals, report = arrays(pipeline(30))
    assert train.waits == (Wait("0_0", "done", "job"),)
    assert evals.waits == (pair("1_0", "done"),)
    assert report.waits == (Wait("2_0", "done", "array"),)
    both = [
        spec(of(0, "a")),
        spec(of(0, "b"), of(0, "a")),
        spec(of(0, "c"), of(0, "a"), of(0, "b")),
    ]
    assert arrays(both)[2].waits == (Wait("1_0", "done", "job"),)


def test_several_that_wait_for_one_of_an_array_are_an_array_each():
    jobs = [spec(f"steps/tokens-{n}") for n in range(2)]
    jobs += [spec(of(run, "train"), f"steps/tokens-{run % 2}") for run in range(8)]
    made = arrays(jobs, array=True)
    assert [len(array.jobs) for array in made] == [2, 4, 4]
    assert [array.waits for array in made[1:]] == [(Wait("0_0"),), (Wait("0_1"),)]
    # Some of those that wait for each of an array wait for all they can name.
    some = [jobs[0], jobs[1], jobs[2]]
    assert [array.waits for array in arrays(some, array=True)] == [(), (Wait("0_0"),)]
    assert [array.waits for array in arrays(some, "sge", array=True)] == [
        (),
        (Wait("0_0", "ended", "array"),),
    ]


def test_arrays_are_cut_alike_and_wait_piece_by_piece():
    made = arrays(pipeline(30), largest=20)
    assert [len(array.jobs) for array in made] == [1, 20, 10, 20, 10, 1]
    assert made[3].waits == (pair("1_0", "done"),)
    assert made[4].waits == (pair("2_0", "done"),)
    assert set(made[5].waits) == {Wait("3_0", "done", "array"), Wait("4_0", "done", "array")}


def test_indices_that_no_longer_agree_wait_for_the_end_of_all():
    _, _, evals, _ = arrays(pipeline(30))
    piece = piece_of(evals, 0, 15, 1, 1)
    assert piece.waits == (Wait("1_0", "ended", "array"),)
    assert piece_of(evals, 0, 30, 1, 1).waits == evals.waits


def test_a_part_of_an_array_is_waited_for_one_by_one():
    jobs = [spec(of(run, "train")) for run in range(30)]
    jobs += [
        spec(f"steps/seeds-{n}", *(of(3 * n + k, "train") for k in range(3))) for n in range(10)
    ]
    first, *seeds = arrays(jobs)
    assert len(first.jobs) == 30
    assert [array.waits for array in seeds[:2]] == [
        (Wait("0_0"), Wait("0_1"), Wait("0_2")),
        (Wait("0_3"), Wait("0_4"), Wait("0_5")),
    ]


@pytest.mark.parametrize("type", ["pbs", "torque", "moab"])
def test_where_no_part_of_an_array_can_be_waited_for_each_is_a_job(type):
    made = arrays(pipeline(25), type)
    assert [len(array.jobs) for array in made] == [1] * 52
    assert made[26].waits == (Wait("1_0", "ended" if type == "torque" else "done"),)
    with pytest.raises(SettingsError, match=r"ARRAY: .* can't wait for some of an array"):
        arrays(pipeline(2), type, array=True)
    # What waits for all of an array may.
    jobs = [spec(of(run, "train")) for run in range(25)]
    jobs += [spec("steps/report", *(job.run for job in jobs))]
    assert [len(array.jobs) for array in arrays(jobs, type)] == [25, 1]


def test_grid_engine_waits_for_ends_pair_by_pair():
    _, train, evals, report = arrays(pipeline(30), "sge")
    assert train.waits == (Wait("0_0", "ended", "job"),)
    assert evals.waits == (pair("1_0", "ended"),)
    assert report.waits == (Wait("2_0", "ended", "array"),)


@pytest.mark.parametrize("type", ["oar", "kubernetes", "ray", "condor", "command", "ngc"])
def test_where_jobs_cant_wait_a_step_of_its_own_job_is_refused_with_the_way_out(type):
    with pytest.raises(
        SettingsError, match=r"sweep.yml:7: STEPS.train: jobs of TYPE .* job of the step before"
    ):
        arrays(pipeline(2, type=type), type)


def test_steps_that_ask_for_nothing_of_their_own_are_in_the_job_of_the_step_before():
    jobs = [
        spec(of(0, "train")),
        spec(of(0, "eval"), of(0, "train"), own=False),
        spec(of(0, "plot"), of(0, "eval"), own=False),
        spec(of(0, "table"), of(0, "eval"), of(0, "train"), own=False),
    ]
    [array] = arrays(jobs)
    assert [[each.run for each in lane] for lane in array.jobs[0].lanes] == [
        [job.run for job in jobs]
    ]
    assert array.waits == ()


@pytest.mark.parametrize(
    "more",
    [
        {"farm": "other"},
        {"requeue": Requeue()},
        {"resources": ()},
        {"per": SWEEP},
        {"per": Per(("lr",))},
    ],
)
def test_steps_that_ask_for_something_have_jobs_of_their_own(more):
    step = Step("eval", "cmd", per=RUN)._replace(**more)
    job = replace(spec(of(0, "eval"), of(0, "train")), step=step)
    assert len(arrays([spec(of(0, "train")), job])) == 2


def test_a_step_joins_no_job_of_another_run_nor_of_an_earlier_launch():
    train = [spec(of(0, "train")), spec(of(1, "train"))]
    both = spec(of(0, "eval"), of(0, "train"), of(1, "train"), own=False)
    assert len(arrays([*train, both])) == 3
    alone = spec(of(0, "eval"), of(0, "train"), own=False)
    train = HOME.run(of(0, "train"))
    [array] = arrays([alone], places={train: Place("7_3", "7_3")})
    assert array.waits == (Wait("7_3"),)
    shared = Place("7_3", "7_3", lasts=(train, HOME.run(of(0, "plot"))))
    [array] = arrays([alone], places={train: shared})
    assert array.waits == (Wait("7_3", "ended"),)
    [array] = arrays([alone])
    assert array.waits == ()


def test_where_another_step_of_a_job_may_fail_its_end_is_waited_for():
    jobs = [
        spec(of(0, "train")),
        spec(of(0, "eval"), of(0, "train"), own=False),
        spec("steps/a", of(0, "train")),
        spec("steps/b", of(0, "eval")),
        spec("steps/c", of(0, "eval"), when="ended"),
    ]
    _, first, second, third = arrays(jobs)
    assert first.waits == (Wait("0_0", "ended"),)
    assert second.waits == (Wait("0_0", "done"),)
    assert third.waits == (Wait("0_0", "ended"),)


def test_runs_of_equal_needs_are_packed_and_packs_wait_for_ends():
    jobs = pipeline(9)[1:-1]
    made = arrays(jobs, runs_per_job=4)
    assert [len(array.members) for array in made] == [4, 4, 1] * 2
    assert made[3].waits == (Wait("0_0", "ended"),)
    assert made[5].waits == (Wait("2_0", "done"),)
    assert [len(job.lanes) for array in made for job in array.jobs] == [4, 4, 1] * 2


def test_what_several_runs_need_is_asked_for_together():
    needs = (Hparam("gpus", 1, "1"), Hparam("mem", "2G", "2G"), Hparam("time", "1h", "1h"))
    jobs = [replace(spec(f"run-{n}"), step=None, resources=needs) for n in range(7)]
    made = arrays(jobs, runs_per_job=3)
    assert [array.needs[:5] for array in made] == [
        (3, "", None, 6144, 3600),
        (3, "", None, 6144, 3600),
        (1, "", None, 2048, 3600),
    ]
    with pytest.raises(SettingsError, match="RUNS_PER_JOB: 3: a run that takes 2 nodes"):
        arrays([replace(jobs[0], resources=(Hparam("nodes", 2, "2"),))], runs_per_job=3)
    with pytest.raises(SettingsError, match=r"MAX_PARALLEL: 2 .* RUNS_PER_JOB: 3"):
        arrays(jobs, runs_per_job=3, max_parallel=2)
    assert [
        array.follows for array in arrays(jobs, runs_per_job=3, max_parallel=3, array=False)
    ] == [
        None,
        0,
        1,
    ]


@pytest.mark.parametrize("type", ["command", "ngc"])
def test_jobs_that_execute_one_run_are_refused_more(type):
    jobs = [replace(spec(f"run-{n}", type=type), step=None) for n in range(2)]
    with pytest.raises(SettingsError, match="RUNS_PER_JOB"):
        arrays(jobs, type, runs_per_job=2)


@pytest.mark.parametrize("type", CAN_WAIT)
def test_every_farm_that_can_wait_has_words_for_each_wait(type):
    farm_type = farm_type_of(type)
    ids = {"slurm": "7_3", "lsf": "7[4]", "sge": "7.4", "pbs": "7[3].s", "torque": "7[3].s"}
    [array] = arrays([spec("run-0", type=type)], type)
    for when in ("done", "ended") if farm_type.waits == "done" else ("ended",):
        for scope in ("job", "array", *(["each"] if when in farm_type.pairs else [])):
            waits = (Wait(ids.get(type, "Moab.7[3]"), when, scope),)
            words = farm_type.submission(replace(array, waits=waits), farm_of(type)).words
            assert words != farm_type.submission(array, farm_of(type)).words, (when, scope)
