"""Random faults, one after the other, on one sweep: no run is lost, doubled or told wrongly.

``make faults`` plays about 1,000; ``RUNX_SEED=... make faults`` plays those of a seed again.
"""

import os

import pytest
from random_faults import Case

EACH, SHORT, LONG = 5, 5, 200


def play(number, tmp_path, installed):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith("pytest"):
            folder.chmod(0o755)  # another user looks at what is in it
    seed = os.environ["RUNX_SEED"]
    case = Case(f"{seed} {number}", tmp_path, installed, EACH)
    try:
        with case.prepared():
            case.play()
        print(f"RUNX_SEED={seed}, case {number}, {case.place}", *case.log, sep="\n  ")
    except Exception as error:
        log = "\n  ".join(case.log)
        message = f"RUNX_SEED={seed}, case {number}, {case.count} runs, {case.place}:\n  {log}"
        raise AssertionError(f"{message}\n{type(error).__name__}: {error}") from error


@pytest.mark.parametrize("number", range(SHORT))
def test_faults_one_after_the_other_lose_and_double_nothing(number, tmp_path, installed):
    play(number, tmp_path, installed)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(SHORT, SHORT + LONG))
def test_a_thousand_faults_lose_and_double_nothing(number, tmp_path, installed):
    play(number, tmp_path, installed)
