"""bound.sh: the command of a run with a point, and what it needs for another one."""

import json
import subprocess

import pytest
import yaml

from runx.errors import StoreError
from runx.rundir.bound_script import bound_text, command_of, read_command
from runx.rundir.configfile import config_file
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import NodeLayout, ScriptSettings
from runx.rundir.shell import Shell
from runx.rundir.steps import Step
from runx.rundir.styles import FILE, Style
from runx.sweeps.values import Hparam, Point

ODD = 'it\'s "a" $HOME `id` \\ LOGDIR'
POINT = Point(
    (Hparam("lr", 0.001, "1e-3"), Hparam("tags", ("a b", ODD), ("a b", ODD)), Hparam("n", 2, "2"))
)
SHOW = "python -c 'import sys; print(sys.argv[1:])'"


def settings(cmd=SHOW, **others):
    return ScriptSettings("sweep", cmd, "", "/bin", "/project", **others)


def printed(run, text):
    """Return what the command of a bound.sh prints, and leave the files that it writes."""
    run.path.mkdir(parents=True, exist_ok=True)
    run.bound.write_text(text, encoding="utf-8", errors="surrogateescape")
    lines = 'host=here RUNX_LOGDIR=$1; cd "$2"; . ./bound.sh || exit 2; (train)'
    done = subprocess.run(
        ["bash", "-c", lines, "-", run.owner.path, run.path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_command_gets_the_values_as_they_are_written(tmp_path):
    run = RunDir(tmp_path / "it's an owl")
    command = command_of(Run("owl", run, Point(())), settings())
    shown = ODD.replace("LOGDIR", str(run.path))
    words = ["--lr", "1e-3", "--tags", "a b", shown, "--n", "2"]
    assert printed(run, bound_text(command, run, POINT)) == str(words)
    assert json.loads(run.hparams.read_text()) == {"lr": 0.001, "tags": ["a b", shown], "n": 2}


def test_another_point_is_given_by_what_a_file_says_of_itself(tmp_path):
    shell = Shell("echo set up", "", "env", "", (("A", "b c"),), linger=5.0)
    config = config_file("lr: 1  # the rate\nlast: [1, 2]\n", "config.yaml")
    config = config._replace(removed=frozenset({"last"}))
    style = Style("file", "", "value", "", format="yaml")
    around = settings("python t.py {config}", style=style, shell=shell)
    run = RunDir(tmp_path / "owl")
    command = command_of(Run("owl", run, Point(())), around, NodeLayout(1, 4), config)
    text = bound_text(command, run, POINT)
    again = read_command(text)
    assert again == command
    assert bound_text(again, run, POINT) == text
    other = bound_text(again, run, Point((Hparam("lr", 0.5, "0.5"),)))
    assert other != text and read_command(other) == command


def test_files_are_written_once(tmp_path):
    run = RunDir(tmp_path / "owl")
    config = config_file("lr: 1  # the rate\n", "config.yaml")
    command = command_of(
        Run("owl", run, Point(())), settings("cat LOGDIR/config.yaml;:", style=FILE), config=config
    )
    text = printed(run, bound_text(command, run, Point((Hparam("lr", 0.5, "0.5"),))))
    assert yaml.safe_load(text) == {"lr": 0.5} and "# the rate" in text
    run.config("yaml").write_text("lr: mine\n")
    assert printed(run, bound_text(command, run, POINT)) == "lr: mine"
    assert sorted(path.name for path in run.path.iterdir()) == [
        "bound.sh",
        "config.yaml",
        "hparams.json",
    ]


def test_a_step_takes_what_its_command_names_and_the_run_has_the_files(tmp_path):
    (tmp_path / ".runx").mkdir()
    run = RunDir(tmp_path / "owl")
    folder = run.step("eval")
    directory = Hparam("train.dir", "LOGDIR/steps/train", "LOGDIR/steps/train")
    step = Step("eval", "echo {lr} {train.dir} EXPERIMENT")
    of_step = Run("owl/steps/eval", folder, Point((directory,)), step)
    command = command_of(of_step, settings("never"))
    text = bound_text(command, folder, POINT)
    assert read_command(text) == command
    assert printed(folder, text) == f"1e-3 {run.path}/steps/train {run.path}/.."
    assert json.loads(run.hparams.read_text())["n"] == 2
    assert not folder.hparams.exists()


@pytest.mark.parametrize("text", ["", "train() {\n", "# made of: {}\n", "# made of: [1\n"])
def test_a_damaged_file_is_refused(text):
    with pytest.raises(StoreError, match="damaged"):
        read_command(text)


def test_values_in_the_environment(tmp_path):
    run = RunDir(tmp_path / "owl")
    style = Style("env", "space", "value", "HP_")
    command = command_of(Run("owl", run, Point(())), settings("echo $HP_LR $HP_N", style=style))
    point = Point((POINT.hparams[0], POINT.hparams[2]))
    assert printed(run, bound_text(command, run, point)) == "1e-3 2"
