"""Options of other tools' habits are answered with what does the same here."""

import sys

import pytest

from runx import runx, sumx
from runx.cli.habits import HABITS

SWEEP = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2], batch_size: 8, filter: 1}\n"


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    (tmp_path / "sweep.yml").write_text(SWEEP)
    (tmp_path / "broken.yml").write_text("HPARAMS: [\n")
    monkeypatch.chdir(tmp_path)

    def tell(program, *words):
        monkeypatch.setattr(sys, "argv", [program, *words])
        with pytest.raises(SystemExit) as ended:
            {"runx": runx, "sumx": sumx}[program].main()
        assert ended.value.code == 2
        [line] = capsys.readouterr().err.splitlines()
        return line

    return tell


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep.yml", "--dry-run"], "; -n prints what would be run; see runx launch"),
        (["sweep.yml", "--dry_run"], "; -n prints what would be run; see"),
        (["sweep.yml", "--lr", "3"], "; lr is a hyperparameter: write lr=3; see"),
        (["sweep.yml", "--lr=1,2"], "write lr=1,2; see"),
        (["--lr", "sweep.yml"], "write lr=sweep.yml; see"),
        (["sweep.yml", "--lr", "-n"], "write lr=VALUE; see"),
        (["sweep.yml", "-n", "--lr"], "write lr=VALUE; see"),
        (["launch", "sweep.yml", "--batch-size", "3"], "write batch_size=3; see"),
        (["sweep.yml", "--filter", "3"], "write filter=3; see"),
        (["broken.yml", "--filter", "3"], "; --where EXPR selects runs; see"),
        (["none.yml", "--lr", "3"], "No such option"),
        (["sweep.yml", "--intractive"], "'--interactive'"),
    ],
)
def test_a_launch(told, words, message):
    assert message in told("runx", *words)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--filter", "; --where EXPR selects runs; see sumx --help"),
        ("--count", "; runx status EXPERIMENT counts runs by their state; see"),
        ("--sort-by", "; -s METRIC puts the best first; see"),
        ("--colums", "'--columns'"),
    ],
)
def test_a_table(told, option, message):
    assert message in told("sumx", "sweep", option, "x")


@pytest.mark.parametrize("name", HABITS)
def test_what_is_advised_exists_and_what_is_answered_does_not(name):
    command = {"launch": runx.runx.get_command(None, "launch"), "sumx": sumx.command}[name]
    options = {flag for option in command.params for flag in option.opts}
    advised = {word.rstrip(",") for here in HABITS[name] for word in here.split()}
    assert {word for word in advised if word.startswith("-")} <= options
    habits = [habit for each in HABITS[name].values() for habit in each.split()]
    assert len(set(habits)) == len(habits)
    assert options.isdisjoint(habits)
