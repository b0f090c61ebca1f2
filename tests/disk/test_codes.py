import json

import pytest

from runx.disk.codes import codes, staged_code
from runx.errors import StoreError
from runx.rundir import RunDir


@pytest.fixture
def run(tmp_path):
    made = RunDir(tmp_path)
    made.attempts.mkdir()
    made.record.write_text('{"version": 1, "code": "first"}')
    return made


def claim(run, number, code):
    run.claim(number).write_text(json.dumps({"version": 1, "code": code}))


def test_the_latest_claim_that_names_code_says_what_a_run_has(run):
    assert staged_code(run) == "first"
    claim(run, 1, "first")
    claim(run, 9, "second")
    claim(run, 10, "third")
    run.claim(11).write_text('{"version": 1, "by": "run.sh"}')
    assert staged_code(run) == "third"
    assert list(codes(run)) == ["third", "second", "first", "first"]


def test_a_damaged_claim_hides_no_code_from_who_asks_for_all_of_it(run):
    run.claim(2).write_text("{")
    assert staged_code(run) == "first"
    with pytest.raises(StoreError):
        list(codes(run))
