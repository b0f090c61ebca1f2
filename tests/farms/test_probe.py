"""What a scheduler says of jobs before they are submitted, by a stand-in as strict as sbatch."""

from datetime import datetime

import pytest
from batched import HOME, LAUNCH, specs

from runx.errors import FarmError, SettingsError
from runx.farms.base import Farm
from runx.farms.probe import expected_start
from runx.farms.probe import test_submission as checked
from runx.farms.resources import Needs
from runx.sweeps.values import Hparam

SBATCH = """\
#!/bin/bash
[[ $1 == --test-only ]] || { echo "submitted!"; exit 0; }
script=${!#}
head -n 1 "$script" | grep -q '^#!' || { echo "sbatch: error: no script: $script" >&2; exit 1; }
[[ $PWD/ == */ && " $* " == *" --chdir=/ "* ]] || { echo "sbatch: error: chdir" >&2; exit 1; }
for word in "${@:2:$#-2}"; do
  case $word in
    --parsable | --job-name=* | --comment=* | --output=* | --open-mode=append | --chdir=/) ;;
    --time=[0-9]*:[0-5][0-9]:[0-5][0-9] | --gpus-per-node=[0-9]* | --array=0-[0-9]*) ;;
    *) echo "sbatch: unrecognized option '$word'" >&2; exit 1 ;;
  esac
done
SAY
"""
STARTS = 'echo "sbatch: Job 7 to start at 2026-11-29T01:10:03 using 1 processors on n1" >&2'
TIME = Hparam("time", "2h", "2h")


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    def put(answer):
        command = tmp_path / "sbatch"
        command.write_text(SBATCH.replace("SAY", answer))
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def start(type="slurm", resources=(TIME,)):
    return expected_start(Farm("mine", type=type), specs(type, 1, resources), HOME.jobs(LAUNCH))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (STARTS, datetime(2026, 11, 29, 1, 10, 3)),
        (f"echo 'Welcome to big' >&2; {STARTS}", datetime(2026, 11, 29, 1, 10, 3)),
        (f"{STARTS}; exit 1", None),
        ("echo 'allocation failure: Requested node configuration is not available' >&2", None),
        ("echo 'sbatch: Job 7 to start at some time' >&2", None),
        ("true", None),
        ("kill -9 $$", None),
        (r"printf '\377\376 to start at \377' >&2", None),
    ],
)
def test_a_start_is_that_of_an_answer_that_names_one(sbatch, answer, expected):
    sbatch(answer)
    assert start() == expected


def test_what_sbatch_would_not_take_tells_no_start(sbatch):
    sbatch(STARTS)
    assert start(resources=(TIME, Hparam("gpus", 1, "1"))) is not None
    assert start(resources=(Hparam("odd", 1, "1"),)) is None


def test_schedulers_that_are_missing_or_have_no_such_word_tell_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start() is None
    assert start("lsf") is None
    assert start("sge") is None


def test_a_check_says_what_would_be_refused_and_leaves_nothing_behind(sbatch, tmp_path):
    sbatch(STARTS)
    said = []
    farm = Farm("mine", type="slurm")
    checked(farm, specs("slurm", 2, [TIME]), HOME.jobs(LAUNCH), said.append)
    assert [line.partition(": ")[2] for line in said] == [
        "sbatch: Job 7 to start at 2026-11-29T01:10:03 using 1 processors on n1"
    ] * 2
    with pytest.raises(FarmError, match=r"would refuse .*unrecognized option '--odd=1'"):
        checked(farm, specs("slurm", 1, [Hparam("odd", 1, "1")]), HOME.jobs(LAUNCH), said.append)
    with pytest.raises(SettingsError, match="--test-only: this machine can't be asked that"):
        checked(None, specs("slurm"), HOME.jobs(LAUNCH), said.append)


def test_memory_of_gpus_that_a_farm_says_it_has_is_no_flag(sbatch):
    sbatch(STARTS)
    needed = [Hparam("gpus", 1, "1"), Hparam("gpu_mem", "20G", "20G")]
    farm = Farm("mine", type="slurm", capacity=Needs(gpu_mem=22888))
    assert expected_start(farm, specs("slurm", 1, needed), HOME.jobs(LAUNCH)) is not None
