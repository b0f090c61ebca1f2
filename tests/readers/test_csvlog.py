import pytest

from runx.readers.csvlog import is_wide, read, recognise


def rows(path, text):
    path.write_text(text)
    assert recognise(str(path))
    return [(row.phase, row.epoch, row.values) for row in read(str(path), pytest.fail)]


def test_lightnings_file_has_training_and_validation_on_rows_of_their_own(tmp_path):
    text = "epoch,step,train_loss,val_acc\n0,49,0.5,\n0,99,,0.8\n1,149,0.4,\n1,199,,0.9\n"
    assert rows(tmp_path / "metrics.csv", text) == [
        ("train", 0, {"loss": 0.5}),
        ("val", 0, {"acc": 0.8}),
        ("train", 1, {"loss": 0.4}),
        ("val", 1, {"acc": 0.9}),
    ]


def test_validation_several_times_an_epoch_is_told_by_steps(tmp_path):
    text = "epoch,step,val_acc\n0,10,0.1\n0,20,0.2\n1,30,0.3\n"
    assert [row[1] for row in rows(tmp_path / "m.csv", text)] == [10, 20, 30]


def test_keras_rows_have_both_phases(tmp_path):
    text = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.0,0.4,1.1\n"
    assert rows(tmp_path / "log.csv", text) == [
        ("train", 0, {"accuracy": 0.5, "loss": 1.0}),
        ("val", 0, {"accuracy": 0.4, "loss": 1.1}),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epoch\tacc\n1\t0.5\n", [("", 1, {"acc": 0.5})]),
        ("Epoch;acc\n1;0.5\n", [("", 1, {"acc": 0.5})]),
        (",epoch,acc\n0,1,0.5\n", [("", 1, {"acc": 0.5})]),
        ("# iter, acc\n1, 0.5\n", [("", 1, {"acc": 0.5})]),
        (
            "time/total_timesteps,rollout/ep_rew_mean\n100,5\n",
            [("", 100, {"rollout/ep_rew_mean": 5})],
        ),
        ("epoch,acc\r\n1,0.5\r\n", [("", 1, {"acc": 0.5})]),
        ("epoch,acc\n1,0.5", [("", 1, {"acc": 0.5})]),
        ("epoch,acc,loss\n1,0.5\n", [("", 1, {"acc": 0.5})]),
        ("epoch,acc\n1,0.5\nepoch,acc\n2,0.6\n", [("", 1, {"acc": 0.5}), ("", 2, {"acc": 0.6})]),
        (
            "epoch,split,acc\n1,train,0.5\n1,valid,0.4\n",
            [("train", 1, {"acc": 0.5}), ("val", 1, {"acc": 0.4})],
        ),
        ('epoch,note,acc\n1,"a,b",0.5\n', [("", 1, {"acc": 0.5})]),
        ("epoch,acc\n1,nan\n", None),
    ],
)
def test_any_table_with_a_step_or_an_epoch_is_read(tmp_path, text, expected):
    found = rows(tmp_path / "log.csv", text)
    assert found == expected if expected else found[0][2]["acc"] != found[0][2]["acc"]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "id,text\n", "val,acc,9,epoch,1\n", "epoch\n1\n"]
)
def test_other_tables_are_not_taken_for_metrics(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    assert not recognise(str(tmp_path / "x.csv"))


def test_a_table_of_episodes_is_data(tmp_path):
    lines = [f"{step},{0.5}" for _ in range(60) for step in range(10)]
    assert rows(tmp_path / "x.csv", "\n".join(["step,x", *lines])) == []


def test_logxs_rows_are_no_table():
    assert not is_wide(b"start,start/step,0,timestamp,1731.0\n")
    assert not is_wide(b"val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2\n")
    assert is_wide(b"val,train,epoch\n")


def test_a_field_beyond_all_bounds_costs_a_warning(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text('epoch,acc\n1,"' + "x" * 200_000 + '"\n')
    warnings = []
    assert read(str(file), warnings.append) == []
    assert warnings[0].startswith(f"{file}: left out: ")
