import pytest

from runx.analysis.decode import Execution, epoch_and_time, parsed, split_rows


@pytest.mark.parametrize(
    "text", ["val,acc,1", 'val,"a,b",1\n', "val,acc,1,\n", "val,\nval,acc,1\n"]
)
def test_what_is_not_usual_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        split_rows(text, "val")


def test_a_file_of_one_execution_is_its_rows():
    assert split_rows("start,start/step,0\nval,acc,1\nval,acc,2\n", "val")[1:] == [
        Execution("start/step,0", ["acc,1", "acc,2"])
    ]


def test_rows_of_other_phases_are_left_out():
    text = "start,a,0\nval,acc,1\ntest,acc,9\nvalid,acc,8\nval,acc,2\nstart,a,1\ntest,acc,7\n"
    assert split_rows(text, "val")[1:] == [
        Execution("a,0", ["acc,1", "acc,2"]),
        Execution("a,1", []),
    ]
    assert split_rows(text, "test")[1:] == [
        Execution("a,0", ["acc,9"]),
        Execution("a,1", ["acc,7"]),
    ]


def test_rows_without_a_start_are_an_execution_too():
    assert split_rows("val,acc,1\n", "val") == [Execution(None, ["acc,1"])]
    assert split_rows("", "val") == [Execution(None, [])]


def test_the_epoch_and_the_time_are_found_without_the_rest():
    assert epoch_and_time("acc,x,epoch,3,timestamp,5.5") == (3, 5.5)
    assert epoch_and_time("acc,1,epoch,3") == (3, None)
    assert epoch_and_time("acc,1") == (None, None)
    assert epoch_and_time("epoch,9,epoch,3,timestamp,5") == (3, 5)
    with pytest.raises(ValueError, match="is no number"):
        epoch_and_time("acc,1,epoch,x,timestamp,5")
    with pytest.raises(ValueError, match="a name without its value"):
        parsed("acc,1,loss")
