"""The examples: the commands of each README, run in a copy of its folder."""

import csv
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from runx.rundir.records import read

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def copy_of(example: str, folder: Path) -> Path:
    copy = folder / example
    shutil.copytree(EXAMPLES / example, copy, ignore=shutil.ignore_patterns("runs", "__pycache__"))
    return copy


def run(command: str, folder: Path, env: dict[str, str], status: int = 0) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commands(example: str) -> list[str]:
    """Return the commands in the README of an example."""
    lines = (EXAMPLES / example / "README.md").read_text().splitlines()
    return [
        line.split("#")[0].strip()
        for line in lines
        if re.match(r" {4}(runx|sumx|tensorboard) ", line)
    ]


def runs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in (folder / "runs" / "sweep").glob("*/run.json"))


def ended(runs: list[Path]) -> bool:
    """Return whether the first attempt of each run has ended; submit commands don't wait for it."""
    events = [run / "attempts" / "1.events.jsonl" for run in runs]
    return all(file.exists() and '"ended"' in file.read_text() for file in events)


def wait_for(runs: list[Path]) -> None:
    for _ in range(1200):
        if ended(runs):
            return
        time.sleep(0.1)
    raise AssertionError([path.name for path in runs if not ended([path])])


def test_mnist_says_what_to_install_where_torchvision_is_missing(installed, tmp_path):
    pytest.importorskip("torch")
    folder = copy_of("mnist", tmp_path)
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "torchvision.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torchvision'\", name='torchvision')"
    )
    env = {**installed, "PYTHONPATH": f"{absent}:{installed['PYTHONPATH']}"}
    done = subprocess.run(
        ["python", "train.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install torchvision" in done.stderr


def test_mnist_is_planned_by_its_sweep(installed, tmp_path):
    folder = copy_of("mnist", tmp_path)
    lines = run("runx sweep.yml -n -i", folder, installed).splitlines()
    assert [line.split(" --logdir")[0] for line in lines] == [
        "python train.py --lr 0.01 --momentum 0.5",
        "python train.py --lr 0.01 --momentum 0.9",
        "python train.py --lr 0.05 --momentum 0.5",
        "python train.py --lr 0.05 --momentum 0.9",
    ]


def test_digits_are_read_by_the_best_run_at_95_percent_or_more(installed, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    folder = copy_of("digits", tmp_path)
    sweep, table = commands("digits")
    run(sweep, folder, installed)
    assert len(runs(folder)) == 6
    for logdir in runs(folder):
        assert len(list(logdir.glob("best_checkpoint_ep*.pth"))) == 1
        assert len(list(logdir.glob("last_checkpoint_ep24.pth"))) == 1
        assert len((logdir / "metrics.csv").read_text().splitlines()) == 26
    run(f"{table} --csv table.csv", folder, installed)
    with (folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    accuracies = [float(row["accuracy-best"]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(accuracies) == 6
    assert accuracies[0] >= 95
    assert {row["optimizer"] for row in rows} == {"sgd", "adam"}


def test_a_search_reads_digits_better_than_its_first_point(installed, tmp_path):
    pytest.importorskip("sklearn")
    folder = copy_of("search", tmp_path)
    run("runx search.yml -i -j 2", folder, installed)
    shown = run("runx status search", folder, installed)
    assert "16 of 16 points told to tpe" in shown and "best loss 0.0" in shown
    rows = json.loads(run("sumx search --json", folder, installed))
    assert len(rows) == 16 and rows[0]["state"] == "done"
    first = next(row for row in rows if row["search"]["point"] == 1)
    assert (first["hparams"]["lr"], first["hparams"]["width"]) == (0.1, 32)  # try_first
    losses = [row["metrics"]["loss-best"] for row in rows if row["state"] == "done"]
    assert losses == sorted(losses) and losses[0] < 0.06


def test_inheritance_makes_seven_runs_with_their_tags(installed, tmp_path):
    folder = copy_of("inheritance", tmp_path)
    plan, sweep, table = commands("inheritance")
    planned = run(plan, folder, installed).splitlines()
    assert len(planned) == 7
    run(sweep, folder, installed)
    tags = sorted(path.name.split("_")[0] for path in runs(folder))
    assert tags == sorted(["line"] * 2 + ["cubic"] * 2 + ["quintic"] * 2 + ["cubic-plain"])
    shown = run(table, folder, installed)
    assert shown.index("cubic_") < shown.index("line_")


def test_inheritance_leaves_false_and_the_tag_off_the_command_line(installed, tmp_path):
    folder = copy_of("inheritance", tmp_path)
    planned = json.loads(run("runx sweep.yml -n -i --json", folder, installed))
    plain = [run for run in planned if run["tag"] == "cubic-plain"]
    assert [run["argv"][:4] for run in plain] == [["--arch", "cubic", "--lr", "0.3"]]
    assert all("--momentum" not in run["argv"] for run in plain)
    assert not any("RUNX" in argument for run in planned for argument in run["argv"])


def test_submit_job_refuses_a_flag_that_it_does_not_know(installed, tmp_path):
    folder = copy_of("farm", tmp_path)
    settings = (folder / ".runx").read_text().replace("mem: 128", "mem: 128\n    gpus: 2")
    (folder / ".runx").write_text(settings)
    done = subprocess.run(
        ["runx", "sweep.yml"], cwd=folder, env=installed, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert "--gpus" in done.stderr


@pytest.mark.parametrize("index", [1, 2, 3], ids=["bigfarm", "wholenode", "literal"])
def test_each_farm_runs_the_sweep(index, installed, tmp_path):
    folder = copy_of("farm", tmp_path)
    listing = commands("farm")
    assert run(listing[0], folder, installed).count("./submit_job --gpu 2") == 4
    assert not (folder / "runs").exists()
    run(listing[index], folder, installed)
    assert len(runs(folder)) == 4
    if index != 3:  # the literal command knows nothing of runx
        wait_for(runs(folder))
    table = run(f"{listing[4]} --json", folder, installed)
    assert json.loads(table)
    assert all((path / "metrics.csv").exists() for path in runs(folder))


def executions(folder: Path) -> dict[str, list[str]]:
    """Return the attempts of each step of an example's runs, and of what these share."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("runs/sweep/**/steps/*/attempts/*.events.jsonl")):
        step = file.parent.parent.name.partition("-")[0]
        assert '"code":0' in file.read_text(), file
        found.setdefault(step, []).append(file.name.partition(".")[0])
    return found


def test_the_pipeline_trains_once_and_evaluates_again_what_was_changed(installed, tmp_path):
    folder = copy_of("pipeline", tmp_path)
    plan, sweep, status, table, resume, logs, again = commands("pipeline")
    assert len(run(plan, folder, installed).splitlines()) == 23
    assert not (folder / "runs").exists()
    run(sweep, folder, installed)
    first = {"tokens": 2, "train": 8, "eval": 8, "seeds": 4, "report": 1}
    assert {step: len(each) for step, each in executions(folder).items()} == first
    assert "8 done" in run(status, folder, installed)
    best = json.loads(run(f"{table} --json", folder, installed))[0]
    assert best["hparams"]["level"] == "char"
    assert 1 < best["metrics"]["perplexity"] < 4

    text = (folder / "sweep.yml").read_text()
    (folder / "sweep.yml").write_text(text.replace("python evaluate.py", "python -u evaluate.py"))
    run(resume, folder, installed)
    assert {step: len(each) for step, each in executions(folder).items()} == {
        "tokens": 2,
        "train": 8,
        "eval": 16,
        "seeds": 8,
        "report": 2,
    }
    assert executions(folder)["train"] == ["1"] * 8
    assert run(logs, folder, installed).count("the mean of 2 models") == 8
    run(again, folder, installed)
    assert len(executions(folder)["report"]) == 3


def test_every_example_is_in_the_list_and_has_a_readme():
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    listed = set(re.findall(r"^\| \[(\w+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    assert folders == listed
    assert all((EXAMPLES / name / "README.md").is_file() for name in folders)


def trained(logdir, env, epochs=12):
    command = ["python", "train.py", "--lr", "0.1", "--optimizer", "adam", "--epochs", str(epochs)]
    return subprocess.Popen(
        [*command, "--logdir", str(logdir)],
        cwd=EXAMPLES / "digits",
        env=env,
        stdout=subprocess.DEVNULL,
    )


def validated(logdir):
    """Return the metrics of each epoch, as they were written last."""
    file = logdir / "metrics.csv"
    rows = read(file) if file.exists() else ()
    return {row.epoch: row.metrics for row in rows if row.phase == "val"}


def test_digits_killed_in_an_epoch_and_run_again_get_the_same_result(installed, tmp_path):
    torch = pytest.importorskip("torch")
    complete, cut = tmp_path / "complete", tmp_path / "cut"
    assert trained(complete, installed).wait(300) == 0
    process = trained(cut, installed)
    while len(validated(cut)) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert max(validated(cut)) < 11
    assert trained(cut, installed).wait(300) == 0
    assert validated(cut) == validated(complete)
    states = [
        torch.load(folder / "last_checkpoint_ep11.pth", weights_only=True)["state_dict"]
        for folder in (complete, cut)
    ]
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
