import pytest

from runx.analysis.reduce import pooled
from runx.rundir.records import Record


@pytest.mark.parametrize("how", ["min", "max", "mean"])
def test_nothing_comes_of_nothing(how):
    assert pooled([], "acc", how) is None
    assert pooled(["loss,1", "loss,2"], "acc", how) is None
    assert pooled(["acc,n/a"], "acc", how) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["acc,9,loss,1", "acc,10,loss,2"], 10),
        (["loss,1,acc,9", "acc,10,loss,2"], 10),
        (["loss,1,acc,9", "loss,2"], 9),
        (["loss,1,acc,nan", "loss,2,acc,3"], 3),
        (["loss,1,acc,n/a", "loss,2,acc,3"], 3),
        (["loss,1,acc,tensor(0.5)", "loss,2,acc,0.25"], 0.5),
        (["loss,1,acc,1_000", "loss,2,acc,3"], 3),
        (["loss,1,acc,9007199254740993", "loss,2,acc,9007199254740992"], 9007199254740993),
        (["loss,1,acc,inf", "loss,2,acc,-inf"], float("inf")),
        (["note,acc,acc,3", "note,acc,acc,4"], 4),
        ([Record("val", {"acc": 2}), Record("val", {"loss": 9})], 2),
    ],
)
def test_the_largest_is_found_wherever_it_stands(rows, expected):
    assert pooled(rows, "acc", "max") == expected


def test_a_number_keeps_its_kind():
    assert repr(pooled(["acc,1", "acc,2"], "acc", "max")) == "2"
    assert repr(pooled(["acc,1.0", "acc,0.5"], "acc", "max")) == "1.0"
