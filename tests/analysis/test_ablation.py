"""What each change of a baseline does, paired by what stands beside it."""

import pytest

from runx.analysis.ablation import ablation, changes
from runx.analysis.columns import Column
from runx.analysis.question import Question
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

stats = pytest.importorskip("scipy.stats")
ACC = Column("acc", "metric", "acc")
BASELINE = {"aug": True, "width": 256}


def run(acc, baseline=BASELINE, computed=(), experiment="x", **hparams):
    name = "-".join(map(str, hparams.values()))
    said = {"changed": None, "baseline": baseline}
    if computed:
        said["computed"] = list(computed)
    return RunRecord(
        name,
        RunDir(name),
        hparams,
        State("done"),
        {} if acc is None else {"acc": acc},
        experiment=experiment,
        ablation=said,
    )


FULL, PLAIN, NARROW = [90.0, 91.0, 92.5], [88.0, 90.5, 90.0], [80.0, 81.5, 82.0]


def sweep(full=FULL, plain=PLAIN, narrow=NARROW, **more):
    return [
        run(acc, aug=aug, width=width, seed=seed, **more)
        for aug, width, accs in ((True, 256, full), (False, 256, plain), (True, 64, narrow))
        for seed, acc in enumerate(accs)
    ]


def by_text(runs):
    return {change.text: change for change in changes(runs, ACC)}


def test_a_change_has_its_difference_its_deviation_and_p_paired_by_seed():
    found = by_text(sweep())
    assert list(found) == ["baseline", "aug=false", "width=64"]
    plain, expected = found["aug=false"], stats.ttest_rel(PLAIN, FULL)
    differences = [a - b for a, b in zip(PLAIN, FULL, strict=True)]
    assert plain.mean == pytest.approx(sum(PLAIN) / 3)
    assert plain.difference == pytest.approx(sum(differences) / 3)
    assert plain.deviation == pytest.approx(stats.tstd(differences))
    assert plain.p == pytest.approx(expected.pvalue)
    assert found["baseline"].difference is found["baseline"].p is None


def test_a_number_beyond_all_floats_is_as_if_it_were_missing():
    found = by_text(sweep(plain=[88.0, 10**400, 90.0]))
    assert found["aug=false"].missing == ("seed=1",)


def test_pairs_are_of_runs_with_the_same_seed_whatever_their_order():
    runs = sweep()
    assert by_text(runs[::-1])["width=64"].p == by_text(runs)["width=64"].p


def test_a_change_whose_seeds_are_not_all_there_says_so():
    found = by_text(sweep(plain=[88.0, None, 90.0]))
    assert found["aug=false"].lacks == "1 of 3: seed=1"
    assert len(found["aug=false"].differences) == 2
    assert found["width=64"].lacks == ""
    gone = by_text(sweep(narrow=[]))
    assert "width=64" not in gone
    assert by_text(sweep(full=[None, 91.0, 92.5]))["baseline"].lacks == "1 of 3: seed=0"
    assert len(by_text(sweep(full=[None, 91.0, 92.5]))["width=64"].differences) == 2


def test_all_that_stands_beside_is_paired_by_not_seeds_alone():
    runs = [each for data in ("a", "b") for each in sweep(data=data)]
    assert len(by_text(runs)["width=64"].differences) == 6
    assert by_text(runs[:-1])["width=64"].lacks == "1 of 6: seed=2, data=b"


def test_what_is_computed_from_a_change_does_not_keep_pairs_apart():
    runs = [
        each._replace(hparams={**each.hparams, "lr": each.hparams["width"] / 100})
        for each in sweep(computed=["lr"])
    ]
    assert len(by_text(runs)["width=64"].differences) == 3


def test_runs_of_several_launches_make_one_table():
    more = [run(70.0, baseline={**BASELINE, "opt": "adam"}, aug=True, width=256, seed=0, opt="sgd")]
    runs = sweep()
    assert len(by_text(runs[:4] + runs[4:])) == 3
    several = changes([*runs, *more], ACC)
    assert [change.text for change in several][-1].startswith("aug=true, width=256, opt=adam: ")


def test_a_run_counts_by_its_hyperparameters_for_a_baseline_that_was_set_later():
    later = [
        run(acc, {"aug": False, "width": 256}, aug=True, width=256, seed=seed)
        for seed, acc in enumerate(FULL)
    ]
    texts = [change.text for change in changes([*sweep(), *later], ACC)]
    assert "aug=false, width=256: aug=true" in texts


def test_runs_of_an_earlier_grid_count_where_they_are_equal_in_all_else():
    earlier = [each._replace(ablation={}) for each in sweep()[:3]]
    found = by_text([*earlier, *sweep()[3:]])
    assert len(found["aug=false"].differences) == 3
    assert found["baseline"].lacks == ""
    others = [each._replace(hparams={**each.hparams, "epochs": 5}) for each in earlier]
    found = by_text([*others, *sweep()[3:]])
    assert found["baseline"].lacks == "3 of 3: seed=0; seed=1; seed=2"


@pytest.mark.parametrize("accs", [FULL, [value + 1 for value in FULL]])
def test_equal_differences_have_no_p(accs):
    assert by_text(sweep(narrow=accs))["width=64"].p is None


def test_what_is_no_number_counts_as_missing():
    assert by_text(sweep(narrow=[80.0, "bad", float("nan")]))["width=64"].lacks.startswith("2 of 3")


def table(runs, name="acc", by=(), **question):
    shown = ablation(runs, name, by, Question(**question))
    return [row.cells for row in shown.rows]


def test_the_table_is_in_the_order_of_the_file_or_the_best_first():
    assert [row[0] for row in table(sweep())] == ["baseline", "aug=false", "width=64"]
    assert [row[0] for row in table(sweep(), sortwith=("acc",))][-1] == "width=64"
    lowest = table(sweep(), sortwith=("acc",), lower=("acc",))
    assert lowest[0][0] == "width=64"
    assert len(table(sweep(), top=2)) == 2


def test_an_ablation_is_made_for_each_value_of_by():
    runs = [each for data in ("a", "b") for each in sweep(data=data)]
    rows = table(runs, by=("data",))
    assert [row[0] for row in rows] == ["a"] * 3 + ["b"] * 3


def test_where_there_is_none_it_is_said():
    with pytest.raises(RunxError, match=r"no run is of an ablation; see RUNX\.ABLATE"):
        table([each._replace(ablation={}) for each in sweep()])
    with pytest.raises(RunxError, match="did you mean acc"):
        table(sweep(), "ac")


def test_a_damaged_record_is_no_ablation():
    odd = [each._replace(ablation={"baseline": 3}) for each in sweep()]
    assert changes(odd, ACC) == []
    assert changes(sweep(computed=[])[:1], ACC)[0].text == "baseline"
