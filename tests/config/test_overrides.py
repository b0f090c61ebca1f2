"""Overrides of settings, as they are typed."""

import pytest

from runx.config.overrides import read_overrides
from runx.errors import SettingsError


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("HPARAMS.lr=1", "hyperparameters stand alone: lr=1"),
        ("EXTENDS=a.yml", "only a file extends another"),
    ],
)
def test_what_no_override_can_do_is_refused(word, message):
    with pytest.raises(SettingsError, match=f"^{word}: {message}"):
        read_overrides([word])


def test_one_that_was_read_already_stays():
    [override] = read_overrides(["NOTE=a: {b}"])
    assert override.node.text == "a: {b}"
    assert read_overrides([override]) == (override,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lr=1", "lr=2"], "lr=2: lr was given as lr=1 already; lr=1,2 is two values"),
        (["lr=1", "~lr"], "~lr: lr was given as lr=1 already"),
        (["lr=1", "+lr=2"], "lr was given as lr=1 already"),
        (["FARM=a", "FARM=b"], "FARM=b: FARM was given as FARM=a already$"),
    ],
)
def test_a_key_that_is_given_twice_is_refused(words, message):
    with pytest.raises(SettingsError, match=message.replace("+", r"\+")):
        read_overrides(words)
