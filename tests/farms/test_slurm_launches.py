"""A real Slurm: what a launch waits for and whom its jobs tell, with steps and without."""

import time

import pytest
from farm_steps import noted, works
from sites import all_end

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 100M, time: 10m}
"""
STEPS = """\
STEPS:
  train: {CMD: "python work.py {args}", RESOURCES: {mem: 50M}}
  eval: {CMD: "python work.py", AFTER: train, RESOURCES: {mem: 50M}}
"""
GATHERS = "PER: sweep, RESOURCES: {mem: 50M}"
REPORT = f'  report: {{CMD: "python work.py", AFTER: {{eval: ended}}, {GATHERS}}}\n'
TOLD = "NOTIFY: 'echo $RUNX_EVENT >>$RUNX_TOLD'\n"


@pytest.fixture
def site(site):
    return works(site)


def begun(site, name):
    runs = {run.name for run in site.runs(name)}
    return [each for each in noted(site) if each["run"] in runs and each["what"] == "begins"]


@pytest.mark.parametrize("steps", ["CMD: python work.py\n", STEPS])
def test_a_sweep_waits_for_another_as_its_file_says(site, steps):
    site.write("one.yml", f"{steps}HPARAMS: {{lr: [1, 2], nap: 2}}\n")
    site.runx("one.yml")
    site.write("two.yml", "CMD: python work.py\nHPARAMS: {lr: 1}\nAFTER: one\n")
    site.runx("two.yml")
    site.done("two", 1)
    assert set(site.states("one").values()) == {"done"}
    ended = [each["time"] for each in noted(site) if each["what"] == "ends"]
    assert [each["time"] for each in begun(site, "two")] > sorted(ended)[-2:-1]


@pytest.mark.parametrize("when", ["done", "ended"])
def test_one_whose_end_is_enough_starts_after_a_failure(site, when):
    site.write("one.yml", "CMD: python work.py\nHPARAMS: {status: 3, nap: 2}\n")
    site.runx("one.yml")
    site.write("two.yml", f"CMD: python work.py\nHPARAMS: {{lr: 1}}\nAFTER: {{one: {when}}}\n")
    site.runx("two.yml")
    site.wait("two", all_end)
    assert set(site.states("one").values()) == {"failed"}
    assert len(begun(site, "two")) == (when == "ended")
    if when == "done":
        assert "one" in site.runx("status", "two", status=(0, 1)).stdout


def told(site):
    file = site.path / "told"
    return file.read_text().split() if file.exists() else []


def tells(site, text):
    site.environment = {**site.environment, "RUNX_TOLD": str(site.path / "told")}
    site.write("tells.yml", text + TOLD)
    site.runx("tells.yml")
    states = site.wait("tells", all_end)
    site.wait("tells", lambda _: "end" in told(site), 30)
    time.sleep(3)
    return sorted(states.values())


def test_the_last_job_tells_the_end_once(site):
    points = "[{nap: 5}, {nap: 6}, {nap: 7, status: 3}, {status: 3}]"
    text = f"CMD: python work.py\nHPARAMS: {points}\nARRAY: true\n"
    assert tells(site, text) == ["done"] * 2 + ["failed"] * 2
    assert told(site) == ["failure", "end"]


@pytest.mark.parametrize("status", ["0", "[3, 0]"])
def test_the_job_of_the_last_step_tells_the_end_once(site, status):
    tells(site, f"{STEPS}{REPORT}HPARAMS: {{status: {status}, lr: [1, 2]}}\n")
    assert told(site) == ["failure", "end"] if "3" in status else told(site) == ["end"]
    reports = [each for each in noted(site) if each["step"] == "report"]
    assert len(reports) == 2
