"""What RESOURCES computes of the attempt, for runs and steps that are tried again here."""

import pytest
from pipelines import Pipeline
from sweeps import Sweep, state_of

LONGER = "[ $((${RUNX_DEADLINE%.*} - $(date +%s))) -gt 2000 ] || exit 1"
"""Whether a run has more than half an hour from now."""
STEPS = """\
STEPS:
  train: {{CMD: "bash step.sh train {{n}}", RESOURCES: {{time: "{{{{ 30 * attempt }}}}m"}}}}
  eval: {{CMD: "bash step.sh eval {{n}}", AFTER: train{more}}}
HPARAMS: {{n: [0]}}
"""


@pytest.fixture
def sweep(tmp_path, installed):
    project = Sweep(tmp_path / "project", installed, count=1)
    yield project
    project.clean()


def asks(sweep, resources):
    text = (sweep.path / "sweep.yml").read_text()
    sweep.write("sweep.yml", f"{text}RESOURCES: {resources}\n")


def test_more_than_there_is_is_not_tried_again_which_is_said(sweep):
    asks(sweep, '{cpus: "{{ 1 + 9999 * (attempt - 1) }}"}')
    sweep.trains("exit 1")
    said = sweep.runx("-i", "--retries", "3", status=1)
    assert "not tried again: " in said
    assert "a run needs more than there is at attempt 2: local lacks cpus (10000 " in said
    assert sweep.states() == ["failed"]
    assert not sweep.run(0).events(2).exists()


def test_what_can_not_be_computed_is_not_tried_again(sweep):
    asks(sweep, '{cpus: "{{ 1 // (2 - attempt) }}"}')
    sweep.trains("exit 1")
    said = sweep.runx("-i", "--retries", "3", status=1)
    assert "not tried again: " in said and "RESOURCES.cpus" in said
    assert sweep.states() == ["failed"]


def test_a_run_that_is_tried_again_has_what_its_attempt_needs(sweep):
    asks(sweep, '{time: "{{ 30 * attempt }}m"}')
    sweep.trains(LONGER)
    sweep.runx("-i", status=1)
    sweep.runx("-i", "--resume", "--retries", "0")
    assert sweep.states() == ["done"]


def test_by_a_retry_too(sweep):
    asks(sweep, '{time: "{{ 30 * attempt }}m"}')
    sweep.trains(LONGER)
    sweep.runx("-i", "--retries", "1")
    assert sweep.states() == ["done"]
    assert sweep.run(0).events(2).exists()


def test_what_hparams_says_of_a_run_stays(sweep):
    asks(sweep, '{time: "{{ 30 * attempt }}m", mem: 1M}')
    text = (sweep.path / "sweep.yml").read_text()
    sweep.write("sweep.yml", text.replace("HPARAMS: {", "HPARAMS: {SUBMIT_JOB.TIME: 10m, "))
    sweep.trains(LONGER)
    sweep.runx("-i", "--retries", "2", status=1)
    assert sweep.states() == ["failed"]


@pytest.mark.parametrize("more", ["", ', RESOURCES: {time: "{{ 30 * attempt }}m"}'])
def test_a_step_that_is_tried_again_has_what_its_attempt_needs(tmp_path, installed, more):
    pipeline = Pipeline(tmp_path / "project", installed, STEPS.format(more=more))
    pipeline.write("step.sh", f'[ "$1" = train ] || {LONGER}\n')
    pipeline.runx("-i", "--retries", "1")
    assert {state_of(step) for step in pipeline.steps()} == {"done"}
    assert pipeline.run(0).step("eval").events(2).exists()
    pipeline.clean()
