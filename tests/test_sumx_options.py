"""What sumx's flags do, from the command line to what is printed."""

import json
import os
import pty
import subprocess
import sys

import pytest
from run_folders import make_run, write_metrics


@pytest.fixture
def logroot(tmp_path):
    """Two learning rates with three seeds each, one of them unfinished."""
    root = tmp_path / "logs"
    for lr in (0.1, 0.01):
        for seed in range(3):
            name = f"lr{lr}-s{seed}"
            make_run(
                root / "sweep" / name,
                {"lr": lr, "seed": seed, "opt": {"name": "sgd"}, "same": 1},
                [50 + seed, 60 + 100 * lr + seed, 55 + seed],
                launch="2026-01-02T00.00.00Z-a" if seed else "2026-01-01T00.00.00Z-b",
                id=f"{name}-id",
                tag="t",
            )
            losses = [{"loss": 3 - epoch} for epoch in range(3)]
            write_metrics(root / "sweep" / name, losses, phase="train", file="metrics.train.csv")
    make_run(root / "sweep" / "bad", {"lr": 0.1, "seed": 3, "same": 1}, [1], code=1)
    return root


def sumx(logroot, *words, **more):
    return subprocess.run(
        [sys.executable, "-m", "runx.sumx", "--logroot", str(logroot), "sweep", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        **more,
    )


def rows(logroot, *words):
    done = sumx(logroot, *words, "--format", "plain")
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--columns", "lrr"], "no run has lrr: did you mean lr?"),
        (["--where", "lrr < 1"], "column 1: lrr is unknown: did you mean lr?"),
        (["--where", "lr <"], "column"),
        (["--where", "lr > 1"], "no run is like that"),
        (["--format", "marktown"], "did you mean markdown?"),
        (["--format", "latex-booktabs"], "did you mean latex_booktabs?"),
        (["--at", "ten"], "write epoch=10, or min"),
        (["--over", "sed"], "did you mean seed?"),
        (["--launch", "2020"], "no such launch; there are: 2026-01-01"),
        (["-s", "precision"], "there is: acc"),
        (["-o", "/no/such/folder/file"], "can't be written"),
    ],
)
def test_a_mistake_is_one_line_with_what_exists(logroot, words, message):
    done = sumx(logroot, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("lr <= 0.01", 3),
        ("lr <= 0.01 and acc:best > 62", 1),
        ("state == 'failed'", 1),
        ("state == 'done' and seed in [0, 1]", 4),
        ("acc@1 > 70", 2),
        ("train.loss:min < 2 and seed == 0", 2),
        ("opt.name is none", 1),
        ("tag == 't' and id == 'lr0.1-s0-id'", 1),
        ("epoch < 2", 1),
    ],
)
def test_where_selects_by_anything_that_a_run_has(logroot, where, number):
    assert len(rows(logroot, "--where", where)) == number


def test_columns_are_what_is_asked_for(logroot):
    [first, *_] = rows(
        logroot, "--columns", "lr,acc,acc:best,acc@0,train.loss,train.loss:max", "-s", "acc"
    )
    assert first == ["lr0.1-s2", "0.1", "57", "72", "52", "1", "3"]


def test_details_are_columns_too(logroot):
    [first, *_] = rows(logroot, "--columns", "id,tag,launch,state,started", "-s", "acc")
    assert first[1:5] == ["lr0.1-s2-id", "t", "2026-01-02T00.00.00Z-a", "done"]


def test_hyperparameters_that_do_not_differ_are_shown_on_request(logroot):
    assert "same" not in sumx(logroot).stdout.splitlines()[0]
    assert "same" in sumx(logroot, "--all-hparams").stdout.splitlines()[0].split()


def test_fields_lists_what_there_is(logroot):
    lines = [line.split() for line in sumx(logroot, "--fields").stdout.splitlines()]
    assert ["lr", "hparam", "float", "0.1"] in lines
    assert ["acc", "metric", "int", "1", "metrics.csv"] in lines
    assert ["state", "state", "str", "failed"] in lines


def test_several_keys_sort_and_top_cuts(logroot):
    got = rows(logroot, "-s", "lr,acc", "--top", 2)
    assert [row[0] for row in got] == ["lr0.01-s2", "lr0.01-s1"]


def test_metrics_are_taken_where_they_are_wanted(logroot):
    assert [
        row[-1] for row in rows(logroot, "--at", "epoch=1", "--columns", "acc", "--top", 1)
    ] == ["72"]
    done = sumx(logroot, "--at", "min", "--columns", "acc,epoch", "--format", "plain")
    assert "epoch 0, which all runs have reached" in done.stderr
    assert {line.split("\t")[-1] for line in done.stdout.splitlines()} == {"0"}


def test_seeds_are_taken_together(logroot):
    done = sumx(logroot, "--over", "seed", "--where", "state == 'done'")
    assert done.stdout.count("56.0 ± 1.0 (n=3)") == 2
    [first, _] = json.loads(
        sumx(logroot, "--over", "seed", "--where", "state == 'done'", "--json").stdout
    )
    assert (first["acc:mean"], first["acc:std"], first["acc:n"]) == (56.0, 1.0, 3)


def test_an_incomplete_group_is_noted(logroot):
    done = sumx(logroot, "--over", "seed")
    assert "incomplete: " in done.stderr
    assert "(n=3/4)" in done.stdout


def test_the_best_for_each_value_is_kept(logroot):
    assert [row[0] for row in rows(logroot, "-s", "acc", "--best-per", "lr")] == [
        "lr0.1-s2",
        "lr0.01-s2",
    ]


def test_one_launch_can_be_looked_at(logroot):
    assert len(rows(logroot, "--launch", "last")) == 4
    assert len(rows(logroot, "--launch", "2026-01-01")) == 2


def test_a_file_is_written_instead_of_the_terminal(logroot, tmp_path):
    file = tmp_path / "table.md"
    done = sumx(logroot, "--format", "markdown", "-o", file)
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_text().startswith("| run ")


def test_digits_can_be_chosen(logroot):
    assert rows(logroot, "--over", "seed", "--agg", "std", "--precision", 2)[0][-1].count("") <= 5


def on_terminal(logroot, *words, columns=80, lines=50, **environment):
    """Run sumx on a terminal of its own; give all that it shows."""
    main, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "runx.sumx", "--logroot", str(logroot), "sweep", *words],
        stdout=end,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.getcwd(),
            "COLUMNS": str(columns),
            "LINES": str(lines),
            "TERM": "xterm",
            **environment,
        },
    )
    os.close(end)
    shown = b""
    while True:
        try:
            block = os.read(main, 65536)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.close(main)
    message = process.stderr.read().decode()
    process.stderr.close()
    process.wait()
    return shown.decode(), message


def test_a_narrow_terminal_loses_what_matters_least(logroot):
    shown, message = on_terminal(logroot, "-s", "acc", columns=36)
    assert "left out to fit the terminal: epoch_time" in message
    assert "acc-best" in shown
    assert all(len(line) <= 36 for line in shown.replace("\x1b[1m", "").splitlines()[:2])


def test_the_best_value_is_bold_unless_colour_is_not_wanted(logroot):
    assert "\x1b[1m72\x1b[0m" in on_terminal(logroot, "-s", "acc")[0]
    assert "\x1b" not in on_terminal(logroot, "-s", "acc", NO_COLOR="1")[0]


def test_importance_and_pivot_are_tables(logroot):
    [first, *_] = rows(logroot, "--importance", "acc:best", "--where", "state == 'done'")
    assert first[0] == "lr"
    assert rows(logroot, "--pivot", "lr", "seed", "--values", "acc:max")[1] == [
        *("0.1", "70", "71", "72", "1")
    ]


def test_two_settings_are_compared(logroot):
    pytest.importorskip("scipy")
    words = ["--compare", "lr=0.1", "lr=0.01", "--over", "seed", "-s", "acc"]
    [row] = rows(logroot, *words, "--where", "state == 'done'")
    assert row[:4] == ["acc-best", "71", "62", "9"]
    assert row[-1] == "paired"


def test_two_runs_are_compared(logroot):
    done = sumx(logroot, "--diff", "lr0.1-s2", "lr0.1-s1")
    assert "  - seed: 2\n  + seed: 1\n" in done.stdout
    done = sumx(logroot, "--diff", "lr0.1", "lr0.01-s1")
    assert done.returncode == 2
    assert "stands for several runs" in done.stderr


def test_curves_are_drawn_to_a_file(logroot, tmp_path):
    pytest.importorskip("matplotlib")
    done = sumx(logroot, "--plot", "train.loss", "--over", "seed", "-o", tmp_path / "c.svg")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/c.svg: 2 drawn\n")
