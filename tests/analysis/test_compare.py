from pathlib import Path

import pytest

from runx.analysis.columns import Column
from runx.analysis.compare import compare
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

stats = pytest.importorskip("scipy.stats")

ACC, SEED = Column("acc", "metric", "acc"), Column("seed", "hparam", "seed")


def run(acc, **hparams):
    name = "-".join(map(str, hparams.values()))
    return RunRecord(name, RunDir(Path("/logs/sweep") / name), hparams, State("done"), {"acc": acc})


ONE, TWO = [90.0, 91.0, 92.5], [88.0, 90.5, 90.0]
RUNS = [
    run(acc, lr=lr, opt=opt, seed=seed)
    for lr, opt, values in ((0.1, "sgd", ONE), (0.01, "adam", TWO))
    for seed, acc in enumerate(values)
]


def cells(runs, *settings, over=(SEED,)):
    return compare(runs, settings, over, [ACC]).rows[0].cells


def test_a_setting_that_no_run_has_is_named():
    with pytest.raises(RunxError, match=r"--compare lr=5: no run is like that"):
        cells(RUNS, "lr=0.1", "lr=5")


def test_the_same_seeds_are_paired():
    got, expected = cells(RUNS, "lr=0.1", "lr=0.01"), stats.ttest_rel(ONE, TWO)
    assert got[-1] == "paired"
    assert got[6] == pytest.approx(expected.pvalue)
    assert got[4] == pytest.approx(expected.confidence_interval().low)
    assert got[3] == pytest.approx(sum(ONE) / 3 - sum(TWO) / 3)


def test_different_seeds_are_compared_by_welch():
    got = cells(RUNS[:5], "opt=sgd", "opt=adam")
    assert got[-1] == "Welch"
    assert got[6] == pytest.approx(stats.ttest_ind(ONE, TWO[:2], equal_var=False).pvalue)


def test_one_run_is_no_sample():
    assert cells([RUNS[0], RUNS[3]], "lr=0.1", "lr=0.01")[4:] == (
        *(None, None, None),
        "none: one run is no sample",
    )


def test_a_setting_can_be_an_expression():
    assert cells(RUNS, "lr > 0.05 and seed < 2", "lr < 0.05")[-1] == "Welch"


def test_runs_are_paired_by_all_else_that_differs_within_a_setting():
    runs = [
        run(acc + wd, lr=one.hparams["lr"], wd=wd, seed=one.hparams["seed"])
        for one in RUNS
        for acc in one.metrics.values()
        for wd in (0, 5)
    ]
    got = cells(runs, "lr=0.1", "lr=0.01")
    assert got[-1] == "paired"
    assert got[-2] == pytest.approx(stats.ttest_rel([*ONE, *ONE], [*TWO, *TWO]).pvalue)
    assert cells(runs[1:], "lr=0.1", "lr=0.01")[-1] == "Welch"


@pytest.mark.parametrize("setting", ["opt", "opt adam"])
def test_the_error_of_a_bad_setting_has_how_one_is_written(setting):
    with pytest.raises(RunxError, match=f"--compare {setting}: write NAME=VALUE"):
        cells(RUNS, "lr=0.1", setting)
