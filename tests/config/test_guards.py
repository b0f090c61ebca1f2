"""RETRIES and MAX_FAILURES as people write them, and as they get them wrong."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError
from runx.rundir.handback import Retries


def loaded(tmp_path, text, *overrides):
    file = tmp_path / "sweep.yml"
    file.write_text(f"CMD: python t.py\nHPARAMS: {{lr: 1}}\n{text}\n")
    return load(Request(file, tmp_path, {}, overrides=overrides))


@pytest.mark.parametrize(
    ("text", "retries"),
    [
        ("RETRIES: 3", Retries(3)),
        ("RETRIES: {max: 1}", Retries(1)),
        ("RETRIES: {on: [oom, timeout]}", Retries(2, ("oom", "timeout"))),
        ("RETRIES: {on: 'oom, node, oom'}", Retries(2, ("oom", "node"))),
        ("RETRIES: 0", None),
        ("RETRIES:", None),
        ("", None),
    ],
)
def test_retries(tmp_path, text, retries):
    assert loaded(tmp_path, text).retries == retries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RETRIES: {on: [oon]}", "sweep.yml:3: RETRIES.on: oon is no cause .* did you mean oom"),
        ("RETRIES: {on: lost}", "say node"),
        ("RETRIES: {on: []}", "names no cause; known are: failed"),
        ("RETRIES: {on: [[oom]]}", "nothing is no cause"),
        ("RETRIES: {most: 2}", "sweep.yml:3: RETRIES: unknown key most; known are: max, on"),
        ("RETRIES: {max: -1}", "RETRIES must be a number, or as"),
        ("RETRIES: {max: [1]}", "RETRIES.max must be one value"),
        ("RETRIES: often", "RETRIES must be a number"),
        ("RETRIES: true", "RETRIES must be a number"),
        ("RETRIES: [1]", "RETRIES must be a number"),
        ("RETRIES: 99999999999", "RETRIES must be a number"),
        ("MAX_FAILURES: 0", "MAX_FAILURES must be a whole number from 1"),
        ("MAX_FAILURES: some", "MAX_FAILURES must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        loaded(tmp_path, text)


def test_a_part_is_overridden_on_the_command_line(tmp_path):
    assert loaded(tmp_path, "RETRIES: {max: 1, on: [oom]}", "RETRIES=4").retries == Retries(4)
