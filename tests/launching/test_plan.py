"""From an experiment to its runs, without touching anything."""

import copy
from math import prod
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.config.load import load
from runx.config.request import Request
from runx.errors import SweepError
from runx.launching.plan import MAX_RUNS, NEW, condition, named_values, plan, sweep_of
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.sweeps.values import Hparam, Point

names = st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), unique=True, max_size=4)
grids = names.flatmap(
    lambda keys: st.fixed_dictionaries(
        {key: st.lists(st.integers(0, 9), min_size=1, max_size=3) for key in keys}
    )
)


def experiment(folder: Path, hparams: object, cmd: str = "train"):
    file = folder / "sweep.yml"
    file.write_text(f"CMD: {cmd}\nHPARAMS: {hparams}\n")
    return load(Request(file, folder, {"HOME": "/none"}))


def counted():
    numbers = iter(range(10**9))
    return lambda point: f"{point.tag}run{next(numbers)}"


def planned(settings, max_runs=MAX_RUNS):
    return plan(settings, sweep_of(settings, max_runs), counted())


@given(grid=grids)
def test_a_plan_has_as_many_runs_as_the_product_of_its_axes(tmp_path_factory, grid):
    settings = experiment(tmp_path_factory.mktemp("plan"), grid)
    runs = list(planned(settings))
    assert len(runs) == prod(map(len, grid.values()))
    assert len({run.name for run in runs}) == len(runs)


@given(grid=grids)
def test_planning_changes_nothing_and_gives_the_same_again(tmp_path_factory, grid):
    settings = experiment(tmp_path_factory.mktemp("plan"), grid)
    before = copy.deepcopy(settings.hparams)
    first, second = (list(planned(settings)) for _ in range(2))
    assert settings.hparams == before
    assert first == second


def test_a_plan_is_made_one_run_at_a_time(tmp_path):
    axis = list(range(50))
    runs = planned(experiment(tmp_path, {"a": axis, "b": axis}))
    assert next(runs).hparams == {"a": 0, "b": 0}


def test_more_runs_than_are_allowed_are_refused_before_any_is_made(tmp_path):
    settings = experiment(tmp_path, {"a": [1, 2], "b": [1, 2]})
    with pytest.raises(SweepError, match="4 combinations, more than 3; say --max-runs 4"):
        next(planned(settings, max_runs=3))


def test_a_runs_identity_is_its_command_and_typed_values_and_nothing_else(tmp_path):
    def identity(hparams: object, cmd: str = "train") -> str:
        settings = experiment(tmp_path, hparams, cmd)
        return settings.id_of(next(planned(settings)).point)

    assert identity("{lr: 1}") == identity("{lr: 1.0}") == identity("{lr: 1, RUNX.TAG: x}")
    assert identity("{lr: 1}") == identity("{lr: 1, SUBMIT_JOB.NODES: 4}")
    assert identity("{lr: 1}") != identity("{lr: true}")
    assert identity("{lr: 1}") != identity("{lr: 1}", cmd="test")


def test_a_condition_may_name_runs_that_exist_unless_a_hyperparameter_is_called_so():
    run = Run("owl", RunDir("/logs/sweep/owl"), Point((Hparam("lr", 0.1, "0.1"),)))
    assert condition("run in ['owl']", ["lr"], True).holds(named_values(run, "failed"))
    other = run._replace(point=Point((Hparam("run", 3, "3"),)))
    assert condition("run == 3", ["run"], False).holds(named_values(other, NEW))
