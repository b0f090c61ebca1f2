"""Words of the YAML that a launch keeps: labels, types, ablations, an experiment's number."""

import json
from concurrent.futures import ThreadPoolExecutor

SWEEP = """
CMD: python train.py
LABELS: [paper, ablation]
HPARAMS_TYPES: {seed: {type: int, min: 0, help: of the dice}}
HPARAMS:
  RUNX.ABLATE: {aug: [true, false], width: ["{{ 100 * depth }}", 64]}
  depth: 2
  seed: [0, 1]
"""


def test_labels_types_and_what_an_ablation_changes_are_kept_with_the_runs(project):
    project.write("sweep.yml", SWEEP)
    project.runx("sweep.yml", "-i")
    runs = [json.loads((run / "run.json").read_text()) for run in project.runs()]
    assert {tuple(run["labels"]) for run in runs} == {("paper", "ablation")}
    assert [run["ablation"]["changed"] for run in runs[::2]] == [None, "aug", "width"]
    assert runs[0]["ablation"]["baseline"] == {"aug": True, "width": 200}
    assert runs[0]["ablation"]["computed"] == ["width"]
    launched = next((project.path / "runs/sweep/.runx/launches").iterdir()) / "launch.json"
    launch = json.loads(launched.read_text())
    assert launch["labels"] == ["paper", "ablation"]
    assert launch["hparams_types"] == {"seed": {"type": "int", "min": 0, "help": "of the dice"}}
    shown = project.runx("show", runs[0]["name"]).stdout
    assert "labels    paper, ablation" in shown
    assert "of the dice (int, at least 0)" in shown
    (described,) = json.loads(project.runx("show", runs[0]["name"], "--json").stdout)
    assert described["labels"] == ["paper", "ablation"]
    assert described["hparams_types"]["seed"]["min"] == 0


def test_status_and_sumx_choose_by_labels(project):
    project.runx("sweep.yml", "-i", "LABELS=paper,x", "EXP_NAME=one", "opt=a", "lr=1")
    project.runx("sweep.yml", "-i", "LABELS=[paper]", "EXP_NAME=two", "opt=a", "lr=1")
    project.runx("sweep.yml", "-i", "EXP_NAME=three", "opt=a", "lr=1")

    def names(*words):
        text = project.runx("status", "--json", *words).stdout
        return [each["experiment"] for each in json.loads(text)]

    assert names("--label", "paper") == ["one", "two"]
    assert names("--label", "paper", "--label", "x") == ["one"]
    assert names("--where", "lr == 1", "--label", "x") == ["one"]
    assert names("t*", "--label", "paper") == ["two"]
    assert "--label papr: no run has it; did you mean paper?" in (
        project.runx("status", "--label", "papr", status=2).stderr
    )
    assert "labels" in project.runx("status").stdout


def test_a_wrong_value_is_refused_before_anything_is_made(project):
    project.write("sweep.yml", SWEEP)
    words = (["check", "sweep.yml"], ["sweep.yml", "-n"], ["sweep.yml", "-i"])
    project.write("sweep.yml", SWEEP.replace("[0, 1]", "[0, -1]"))
    for each in words:
        message = project.runx(*each, status=2).stderr
        assert "sweep.yml:8: seed: -1 is less than 0 (HPARAMS_TYPES)" in message
    assert not (project.path / "runs").exists()


def test_types_of_the_whole_project_may_name_what_a_sweep_lacks(project):
    project.write(".runx", "HPARAMS_TYPES: {lr: {min: 0}, lrr: int}\n")
    project.runx("check", "sweep.yml")
    assert "lr=-1" in project.runx("sweep.yml", "-n", "lr=-1", status=2).stderr
    project.write("sweep.yml", "CMD: x\nHPARAMS: {lr: 1}\nHPARAMS_TYPES: {lrr: {max: 3}}\n")
    message = project.runx("check", "sweep.yml", status=2).stderr
    assert "sweep.yml:3: HPARAMS_TYPES: no run has lrr; did you mean lr?" in message


def test_experiments_that_are_launched_at_once_get_numbers_of_their_own(project):
    for number in range(6):
        text = "CMD: python train.py\nEXP_NAME: '{xid}'\nHPARAMS: {a: 1}\n"
        project.write(f"s{number}.yml", text)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: project.runx(f"s{number}.yml", "-i"), range(6)))
    folder = project.path / "runs"
    assert {path.name for path in folder.iterdir()} == {*"123456", ".xids"}
    assert all(len(project.runs(f"runs/{number}")) == 1 for number in range(1, 7))
    project.runx("s0.yml", "-n")
    project.runx("s0.yml", "-i")
    assert len(list((folder / ".xids").iterdir())) == 12
    assert ".xids" not in project.runx("status").stdout
