"""Phases as people name them: what public trainers call their metrics."""

import pytest

from runx.rundir.phases import phase_of_file, phases_of, split


@pytest.mark.parametrize(
    ("name", "phase", "metric"),
    [
        ("train/loss", "train", "loss"),
        ("train_loss", "train", "loss"),
        ("training_loss", "train", "loss"),
        ("trainLoss", "train", "Loss"),
        ("Train Loss", "train", "Loss"),
        ("loss/train", "train", "loss"),
        ("loss-train", "train", "loss"),
        ("Loss/train/total", "train", "Loss/total"),
        ("loss/val_loss", "val", "loss"),
        ("Loss/val_loss", "val", "loss"),
        ("val_acc", "val", "acc"),
        ("val/acc", "val", "acc"),
        ("val.acc", "val", "acc"),
        ("val:acc", "val", "acc"),
        ("val/val_acc", "val", "acc"),
        ("valid_acc", "val", "acc"),
        ("validation_acc", "val", "acc"),
        ("dev_f1", "val", "f1"),
        ("dev/f1", "val", "f1"),
        ("eval_accuracy", "val", "accuracy"),
        ("eval/acc", "val", "acc"),
        ("eval/mean_reward", "val", "mean_reward"),
        ("evaluation/acc", "val", "acc"),
        ("best_val_acc", "val", "best_acc"),
        ("test_acc", "test", "acc"),
        ("acc/test", "test", "acc"),
        ("testAcc", "test", "Acc"),
        ("final_test_acc", "test", "final_acc"),
        ("eval_test_acc", "test", "eval_acc"),
        ("loss", "", "loss"),
        ("value_loss", "", "value_loss"),
        ("std_dev", "", "std_dev"),
        ("evaluator", "", "evaluator"),
        ("testbed_acc", "", "testbed_acc"),
        ("latest", "", "latest"),
        ("trainable_params", "", "trainable_params"),
        ("train", "", "train"),
        ("val", "", "val"),
        ("metrics/mAP50(B)", "", "metrics/mAP50(B)"),
    ],
)
def test_a_name_tells_its_phase(name, phase, metric):
    assert split(name) == (phase, metric)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # Keras
        (
            ["accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"],
            ["train.accuracy", "train.loss", "val.accuracy", "val.loss", "train.learning_rate"],
        ),
        # Lightning, on_step and on_epoch
        (
            ["train_loss_step", "train_loss_epoch", "val_loss", "lr-SGD"],
            ["train.loss_step", "train.loss", "val.loss", "train.lr-SGD"],
        ),
        # Nothing that Lightning wrote twice
        (["steps_per_epoch", "loss_epoch"], [".steps_per_epoch", ".loss_epoch"]),
        # transformers
        (["eval_loss", "eval_runtime", "train/total_flos"], ["val.loss"]),
        (["test_acc", "acc"], ["test.acc", "train.acc"]),
        (["runtime", "hp_metric", "acc"], [".runtime", ".acc"]),
        # ultralytics
        (
            ["train/box_loss", "metrics/mAP50(B)", "val/box_loss", "lr/pg0"],
            ["train.box_loss", ".metrics/mAP50(B)", "val.box_loss", "train.lr/pg0"],
        ),
    ],
)
def test_names_of_one_file_tell_each_other_apart(names, expected):
    assert [".".join(each) for each in phases_of(names).values()] == expected


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        ("train.csv", "train"),
        ("log_train.csv", "train"),
        ("val_log.csv", "val"),
        ("logs/validation/log.csv", "val"),
        ("test/a/b/log.csv", "test"),
        ("runs/exp1/log.csv", ""),
        ("contest/log.csv", ""),
        ("train/val_log.csv", "val"),
    ],
)
def test_the_name_of_a_file_or_folder_hints_at_a_phase(path, phase):
    assert phase_of_file(path) == phase


def test_a_host_name_in_the_name_of_an_event_file_is_no_hint():
    assert phase_of_file("runs/a/events.out.tfevents.1.test-node.2", folders_only=True) == ""
