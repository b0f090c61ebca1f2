import pytest

from runx.analysis.better import direction, lower_is_better

LESS = """
loss val_loss valLoss train/loss err top1-err top1err error testerror perplexity ppl mae mse rmse
RMSE wer WER cer nll NLL bce val.loss loss2 fid eval_cross_entropy_loss
"""
MORE = """
acc accuracy top1 acc1 mIoU f1 AUC bleu psnr map accuracy_val lossless_acc ferry winter number
preserved merge
"""


@pytest.mark.parametrize(
    "name",
    [
        "loss",
        "val_loss",
        "valLoss",
        "train/loss",
        "err",
        "top1-err",
        "top1err",
        "error",
        "testerror",
        "perplexity",
        "ppl",
        "mae",
        "mse",
        "rmse",
        "RMSE",
        "wer",
        "WER",
        "cer",
        "nll",
        "NLL",
        "bce",
        "val.loss",
        "loss2",
        "fid",
        "eval_cross_entropy_loss",
    ],
)
def test_less_of_what_is_named_so_is_better(name):
    assert lower_is_better(name)


@pytest.mark.parametrize(
    "name",
    [
        "acc",
        "accuracy",
        "top1",
        "acc1",
        "mIoU",
        "f1",
        "AUC",
        "bleu",
        "psnr",
        "map",
        "accuracy_val",
        "lossless_acc",
        "ferry",
        "winter",
        "number",
        "preserved",
        "merge",
    ],
)
def test_more_of_what_is_named_so_is_better(name):
    assert not lower_is_better(name)


def test_the_person_who_says_which_way_decides():
    assert lower_is_better("accuracy", lower=["accuracy"])
    assert not lower_is_better("loss", higher=["loss"])


def test_an_unknown_name_has_no_direction():
    assert direction("bananas") is None
    assert direction("accuracy") is True
