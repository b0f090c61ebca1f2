import re

import pytest
import yaml

from runx.analysis.unmeasured import entries_for
from runx.readers.patterns import problem


@pytest.mark.parametrize(
    ("output", "entry", "value"),
    [
        ("val acc: 0.91\n", "acc", "0.91"),
        ("epoch 1 train loss=2.5 val loss=3.5\n", "loss", "3.5"),
        ("train_loss = 2e-3\n", "train.loss", "2e-3"),
        ("Accuracy: 91.2%\n", "Accuracy", "91.2"),
        ("acc:0.1\racc:0.2\rdone\n", "acc", "0.2"),
        ("\x1b[1mtest F1: 0.5\x1b[0m\n", "F1", "0.5"),
    ],
)
def test_what_is_suggested_finds_what_was_printed(output, entry, value):

    name, _, pattern = entries_for(output).split(", ")[-1].partition(": ")
    assert name == entry
    assert problem(pattern[1:-1]) is None
    assert re.findall(pattern[1:-1], output)[-1] == value


@pytest.mark.parametrize(
    "output", ["", "hello\n", "saved to x:1\n", "port: 8080\n", "12:30 start\n"]
)
def test_nothing_is_suggested_for_what_is_no_metric(output):
    assert entries_for(output) is None


@pytest.mark.parametrize("printed", ["epoch 3", "Epoch: 3", "Epoch [3/9]", "epoch=3", "(epoch 3)"])
def test_the_epoch_that_is_printed_is_suggested_too(printed):
    name, _, pattern = entries_for(f"{printed} acc: 0.5\n").split(", ")[0].partition(": ")
    assert name == "epoch"
    assert re.search(yaml.safe_load(pattern), printed)[1] == "3"
