"""REQUEUE, RETRIES and SMOKE as people write them, and as they get them wrong."""

import pytest

from runx.config.guards import Smoke
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
        ("SMOKE: soon", "SMOKE must be a length of time"),
        ("SMOKE: {time: -1s}", "SMOKE must be a length of time"),
        ("SMOKE: 10d", "of at most a day"),
        ("SMOKE: {times: 60s}", "SMOKE: unknown key times; did you mean time"),
        ("SMOKE: [60s]", "SMOKE must be a length of time"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "smoke"),
    [
        ("SMOKE: 60s", Smoke(60.0)),
        ("SMOKE: 90", Smoke(90.0)),
        ("SMOKE: {time: 2m, farm: debug}", Smoke(120.0, "debug")),
        ("SMOKE: {farm: debug}", Smoke(60.0, "debug")),
        ("SMOKE: 0", None),
        ("SMOKE: false", None),
        ("", None),
    ],
)
def test_smoke(tmp_path, text, smoke):
    assert loaded(tmp_path, text).smoke == smoke


def test_a_part_is_overridden_on_the_command_line(tmp_path):
    assert loaded(tmp_path, "RETRIES: {max: 1, on: [oom]}", "RETRIES=4").retries == Retries(4)
