import pytest

from runx.analysis.question import Question, specs
from runx.analysis.reduce import Measure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acc", None),
        ("optimizer.lr", None),
        ("acc:best", Measure("acc:best", "acc", "max")),
        ("loss:best", Measure("loss:best", "loss", "min")),
        ("acc@10", Measure("acc@10", "acc", "10")),
        ("train.loss", Measure("train.loss", "loss", "last", "train")),
        ("train.loss:mean", Measure("train.loss:mean", "loss", "mean", "train")),
        ("val.acc", Measure("val.acc", "acc", "last", "val")),
        ("top:5", Measure("top:5", "top", "5")),
    ],
)
def test_a_metric_can_say_where_it_is_taken(text, expected):
    assert Question().measure(text) == expected


def test_lower_and_higher_decide_what_is_best():
    assert Question(higher=("loss",)).measure("loss:best").at == "max"


def test_sorting_is_by_the_best_value_unless_specified():
    assert Question(("acc", "loss:last")).measures == (
        Measure("acc-best", "acc", "max"),
        Measure("loss:last", "loss", "last"),
    )
    assert Question(("acc-best",)).measures == (Measure("acc-best", "acc", "max"),)


def test_what_an_expression_compares_is_looked_for():
    where = "lr <= 0.01 and acc:best > 95 and train.loss:min < 1 or acc@3 == hp['x']"
    assert list(specs(where)) == ["acc:best", "train.loss:min", "acc:3"]
    assert [wanted.metric for wanted in Question(where=where).measures] == ["acc", "loss", "acc"]


def test_details_are_read_only_where_they_are_asked_for():
    assert Question(columns=("lr", "host"), where="git != 'x'").details == {"host", "git"}
    assert Question(where="lr < 1").details == frozenset()
