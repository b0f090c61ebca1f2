"""What was written down when a run was made and launched."""

import json

import pytest

from runx.errors import StoreError
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import code_digests, launch_of, read_or_empty, staged_code


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
    assert list(code_digests(run)) == ["third", "second", "first", "first"]


def test_a_damaged_claim_hides_no_code_from_who_asks_for_all_of_it(run):
    run.claim(2).write_text("{")
    assert staged_code(run) == "first"
    with pytest.raises(StoreError):
        list(code_digests(run))


def test_a_damaged_file_is_nothing_and_a_warning_a_missing_one_nothing(run):
    warnings = []
    assert read_or_empty(run.path / "none.json", warnings.append) == {}
    assert warnings == []
    run.record.write_text("{")
    assert read_or_empty(run.record, warnings.append) == {}
    assert len(warnings) == 1


def test_a_launch_is_found_by_the_name_in_run_json(run):
    folder = ExperimentDir(run.path.parent).launches / "now"
    folder.mkdir(parents=True)
    (folder / "launch.json").write_text('{"version": 1, "note": "why"}')
    assert launch_of(run, {"launch": "now"}, pytest.fail) == {"version": 1, "note": "why"}
    assert launch_of(run, {}, pytest.fail) == {}
