"""RESOURCES, MAX_PARALLEL and GPUS mean the same here as on a farm."""

import json
import os

import pytest
from sweeps import Sweep

SHOWS = 'echo "got $2 [$CUDA_VISIBLE_DEVICES] [$OMP_NUM_THREADS]" >> "$JOURNAL"'


@pytest.fixture
def sweep(tmp_path, installed):
    installed = {name: text for name, text in installed.items() if name != "OMP_NUM_THREADS"}
    sweep = Sweep(tmp_path / "project", installed, body=SHOWS)
    sweep.path.joinpath("bin").mkdir()
    sweep.environment["PATH"] = f"{sweep.path}/bin:{sweep.environment['PATH']}"
    yield sweep
    sweep.clean()


def nvidia_smi(sweep, text):
    sweep.write("bin/nvidia-smi", f"#!/bin/sh\n{text}\n").chmod(0o755)


def got(sweep, column):
    lines = [line.split() for line in sweep.journal.read_text().splitlines() if line[:3] == "got"]
    sweep.journal.unlink()
    return sorted(line[column].strip("[]") for line in lines)


def test_a_run_here_gets_the_gpus_that_its_file_says(sweep):
    sweep.write(".runx", "GPUS: [g0, g1, g2, g3]\nRESOURCES: {gpus: 2}\n")
    printed = sweep.runx("-i", "-j", "auto")
    assert "-j auto: 2 at a time, on 4 GPUs" in printed
    for words, count in (
        ((), 2),
        (("-i",), 2),
        (("-i", "RESOURCES.gpus=1"), 1),
        (("-i", "--gpus-per-run", "3"), 3),
    ):
        if words:
            sweep.runx(*words, "--again")
        assert [len(names.split(",")) for names in got(sweep, 2)] == [count] * 3


def test_without_being_told_one_run_at_a_time_sees_what_a_person_sees(sweep):
    sweep.write(".runx", "GPUS: [g0, g1, g2, g3]\n")
    sweep.runx("-i", CUDA_VISIBLE_DEVICES="5,6")
    assert got(sweep, 2) == ["5,6"] * 3


def test_the_section_of_a_farm_is_about_its_jobs(sweep):
    section = "RESOURCES: {gpus: 8, nodes: 4}, MAX_PARALLEL: 1"
    sweep.write(".runx", f"FARM: slurm\nslurm: {{{section}}}\n")
    assert "note" not in sweep.runx("-i", "-j", "2")
    assert "note: a launch would stop" not in sweep.runx("-i", "-n")


def test_what_is_refused_says_what_helps_and_it_helps(sweep):
    sweep.write(".runx", "GPUS: [g0]\nRESOURCES: {gpus: 2, nodes: 2}\n")
    nodes = "RESOURCES: nodes: 2: this machine has 1; RESOURCES.nodes=1 runs it here"
    assert f"note: a launch would stop here: {nodes}" in sweep.runx("-i", "-n")
    assert sweep.runx("-i", status=2).splitlines()[-1] == f"runx: {nodes}"
    gpus = "RESOURCES: gpus: 2: 1 is there; say RESOURCES.gpus=1 or --gpus-per-run 1"
    words = ["-i", "RESOURCES.nodes=1"]
    assert sweep.runx(*words, status=2).splitlines()[-1].startswith(f"runx: {gpus}")
    assert not sweep.runs()
    sweep.runx(*words, "RESOURCES.gpus=1")
    sweep.runx(*words, "--gpus-per-run", "1", "--again")
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: [0], SUBMIT_JOB.NODES: 3}\n")
    printed = sweep.runx(*words, "--gpus-per-run", "0", status=2)
    assert printed.splitlines()[-1].endswith("SUBMIT_JOB.NODES=1 runs it here")
    sweep.runx(*words, "--gpus-per-run", "0", "SUBMIT_JOB.NODES=1")


@pytest.mark.parametrize("needs", ["gpus: 2", "nodes: 2", "cpus: 9999"])
def test_what_a_step_asks_for_is_refused_with_the_key_of_that_step(sweep, needs):
    sweep.write(".runx", "GPUS: [g0]\n")
    train = f'{{CMD: "bash train.sh {{n}}", RESOURCES: {{{needs}}}}}'
    sweep.write("sweep.yml", f"STEPS: {{train: {train}}}\nHPARAMS: {{n: [0]}}\n")
    refused = sweep.runx("-i", status=2).splitlines()[-1]
    word = next(word for word in refused.split() if word.startswith("STEPS.train.RESOURCES."))
    assert "1 step done" in sweep.runx("-i", word)


def test_a_time_limit_and_what_only_a_farm_has(sweep):
    sweep.trains("sleep 60")
    sweep.write(".runx", "RESOURCES: {time: 1s, partition: gpu, exclusive: true}\n")
    printed = sweep.runx("-i", "-j", "3", status=1)
    note = "note: RESOURCES: partition, exclusive: for a farm alone, not looked at here"
    assert note in printed
    assert sweep.states() == ["timeout"] * 3
    sweep.trains('echo "left $RUNX_DEADLINE"')
    sweep.runx("-i", "--resume", "--restage", "--timeout", "1h")
    assert "left 1" in sweep.run(0).output.read_text()


def test_max_parallel_is_the_most_here_too(sweep):
    sweep.trains('for i in 1 2 3; do echo "busy $2" >> "$JOURNAL"; sleep 0.05; done')
    sweep.write(".runx", "MAX_PARALLEL: 1\n")
    assert "MAX_PARALLEL: 1 at a time" in sweep.runx("-i", "-j", "3")
    lines = [line.split()[0] for line in sweep.journal.read_text().splitlines()]
    assert [line for line in lines if line != "busy"] == ["begin", "end"] * 3


def test_runs_that_go_on_together_share_the_cores(sweep):
    most = len(os.sched_getaffinity(0))
    sweep.runx("-i", "-j", "2")
    assert got(sweep, 3) == [str(max(most // 2, 1))] * 3
    [launch] = (sweep.root / "sweep" / ".runx" / "launches").iterdir()
    told = json.loads((launch / "here.json").read_text())
    assert told == {"version": 1, "jobs": 2, "threads": max(most // 2, 1)}
    sweep.runx("-i", "--again")
    assert got(sweep, 3) == [""] * 3
    sweep.runx("-i", "--again", "-j", "2", OMP_NUM_THREADS="7")
    assert got(sweep, 3) == ["7"] * 3
    sweep.write(".runx", "ENV: {OMP_NUM_THREADS: 5}\n")
    sweep.runx("-i", "--again", "-j", "2")
    assert got(sweep, 3) == ["5"] * 3


@pytest.mark.parametrize(
    "answer",
    [
        "echo No devices were found; exit 6",
        "echo 'Unable to determine the device handle for GPU0: Unknown Error'; exit 255",
        "echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18",
        "kill -SEGV $$",
    ],
)
def test_a_sweep_starts_where_nvidia_smi_fails(sweep, answer):
    nvidia_smi(sweep, answer)
    printed = sweep.runx("-i", "-j", "2")
    assert "; no GPU is used" in printed
    assert sweep.states() == ["done"] * 3
    assert "cores, no GPU" in sweep.runx("-i", "-j", "auto", "--again")
    printed = sweep.runx("-i", "-j", "2", "--again", "--gpus-per-run", "1", status=2)
    assert printed.splitlines()[-1].startswith("runx: --gpus-per-run 1: nvidia-smi: ")


def test_torchrun_starts_as_many_processes_as_a_run_has_gpus(sweep):
    sweep.write(".runx", "GPUS: [g0, g1, g2]\nRESOURCES: {gpus: 3}\nLAUNCH: torchrun\n")
    sweep.write("sweep.yml", "CMD: python train.py\nHPARAMS: {n: [0]}\n")
    sweep.write("train.py", "import sys\nsys.exit(3)\n")
    for words, count in (([], 3), (["--gpus-per-run", "2"], 2)):
        printed = sweep.runx("-i", "--again", "--exp_name", f"e{count}", *words, status=None)
        [run] = [path for path in (sweep.root / f"e{count}").iterdir() if path.name != ".runx"]
        assert f"--nproc-per-node={count} train.py" in (run / "run.sh").read_text(), printed
