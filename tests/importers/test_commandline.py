import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.api.experiment import Experiment
from runx.config.request import Request
from runx.errors import SettingsError
from runx.importers.commandline import command_sweep
from runx.rundir.argv import shell_command
from runx.rundir.logdir import Logdir


def commands(words):
    """The words that each run of a command's sweep executes."""
    sweep = command_sweep(words)
    request = Request(Path("x"), Path("/nowhere"), {"HOME": "/nowhere"}, text=sweep.text)
    experiment = Experiment.of(request)
    settings = experiment.settings
    lines = [
        shell_command(settings.cmd, run.point, Logdir.at(run.dir), settings.style)
        for run in experiment.plan()
    ]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("--lr 0.1,1e-3", ["--lr 0.1", "--lr 1e-3"]),
        ("--lr=0.1,1e-3", ["--lr=0.1", "--lr=1e-3"]),
        ("-x a,b", ["-x a", "-x b"]),
        ("optim.lr=1,2", ["optim.lr=1", "optim.lr=2"]),
        ("--x -1,-2", ["--x -1", "--x -2"]),
        ("--betas 0.9,0.999 --betas 1,2", None),
        ("--b [1,2],[3,4]", ["--b '[1,2]'", "--b '[3,4]'"]),
        ("""--b '"1,2"'""", ["--b 1,2"]),
        ("""--b '"1,2",3'""", ["--b 1,2", "--b 3"]),
        ("--say 'well, yes'", ["--say 'well, yes'"]),
        ("--say '(a,b'", ["--say '(a,b'"]),
        ("--a null,true,no", ["--a null", "--a true", "--a no"]),
        ("--n 007,1_0", ["--n 007", "--n 1_0"]),
        ("data,x --flag", ["data,x --flag"]),
        ("--name run_{lr} --lr 1,2", ["--name run_1 --lr 1", "--name run_2 --lr 2"]),
        ("--json '{\"a\": [1,2]}'", ["--json '{\"a\": [1,2]}'"]),
        ("--tag 1,2 --RUNX.SKIP 3", ["--tag 1 --RUNX.SKIP 3", "--tag 2 --RUNX.SKIP 3"]),
    ],
)
def test_commas_part_the_values_of_options_alone(typed, values):
    got = commands(["python", "train.py", *shlex.split(typed)])
    if values is None:  # an option that is said twice has two axes
        assert len(got) == 4
    else:
        assert got == [["python", "train.py", *shlex.split(value)] for value in values]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Co"], exclude_characters=",{}"))
    )
)
def test_words_without_commas_arrive_as_they_were_typed(words):
    words = ["python", "train.py", *(word for word in words if "LOGDIR" not in word)]
    assert commands(words) == [words]


def test_one_word_is_what_a_shell_has():
    assert commands(["python t.py --lr 1,2"]) == [
        ["python", "t.py", "--lr", "1"],
        ["python", "t.py", "--lr", "2"],
    ]
    assert command_sweep(["a.sh | tee x,y"]).text.startswith("CMD: a.sh | tee x,y\n")


def test_what_hydra_sweeps_is_read_as_hydra_does():
    got = commands(["python", "train.py", "-m", "lr=choice(1,2)", "model=a"])
    assert [" ".join(words) for words in got] == [
        "python train.py lr=1 model=a",
        "python train.py lr=2 model=a",
    ]


@pytest.mark.parametrize("words", [[], [""], [" "], ["sweep.yml"]])
def test_what_is_no_command_is_refused(words):
    with pytest.raises(SettingsError, match="--"):
        command_sweep(words)


def test_a_comma_beside_nothing_is_refused_with_how_to_write_it():
    with pytest.raises(SettingsError, match=r"""quoted twice: '"1,"'$"""):
        command_sweep(["python", "t.py", "--a", "1,"])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("python -m tools.fit --lr 1", "fit"),
        ("torchrun --nproc-per-node 2 src/train.py", "train"),
        ("./main", "main"),
        ("env A=1 python 'my train.py'", "my-train"),
    ],
)
def test_an_experiment_is_called_after_its_script(words, name):
    assert command_sweep(shlex.split(words)).name == name
