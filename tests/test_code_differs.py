"""Runs whose code differs, from a bug that was mended to the table that mixes two versions."""

import json
import subprocess

import pytest
from sweeps import Sweep

HEAD = "CMD: bash train.sh\nHPARAMS: {n: [0, 1, 2]}\n"
SCORE = "echo val,acc,$2,epoch,0,timestamp,1 > $RUNX_LOGDIR/metrics.csv"


@pytest.fixture
def sweep(tmp_path, installed):
    made = Sweep(tmp_path / "project", installed)
    made.write("lib/net.py", "width = 1\n")
    yield made
    made.clean()


def sumx(sweep, *words):
    done = subprocess.run(
        ["sumx", "sweep", *words],
        cwd=sweep.path,
        env=sweep.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def runx(sweep, *words):
    done = subprocess.run(
        ["runx", *words],
        cwd=sweep.path,
        env=sweep.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.fixture
def mixed(sweep):
    """A sweep whose run 2 failed, and was started again with other code."""
    sweep.trains(f"[ $2 = 2 ] && exit 1; {SCORE}")
    sweep.runx("-i", status=1)
    sweep.trains(SCORE)
    sweep.write("lib/net.py", "width = 2\n")
    sweep.runx("-i", "--resume")
    return sweep


def codes(sweep):
    claims = [sweep.run(n).claim(2 if n == 2 else 1) for n in range(3)]
    return [json.loads(claim.read_text())["code"] for claim in claims]


def test_a_table_of_one_code_says_nothing_of_it(sweep):
    sweep.trains(SCORE)
    sweep.runx("-i")
    out, said = sumx(sweep)
    assert "code" not in out + said
    out, _ = sumx(sweep, "--columns", "code", "--format", "csv")
    assert len({line.split(",")[1] for line in out.splitlines()[1:]}) == 1


def test_rows_of_other_code_are_marked_with_the_files(mixed):
    first, _, last = codes(mixed)
    out, said = sumx(mixed, "--format", "csv")
    assert sorted(line.rsplit(",", 1)[1] for line in out.splitlines()) == sorted(
        ["code", first[:8], first[:8], last[:8]]
    )
    counts = f"{first[:8]}: 2 runs, {last[:8]}: 1 run"
    files = "lib/net.py, train.sh; --diff RUN RUN shows how"
    assert said.splitlines() == [f"the code of these runs differs ({counts}): {files}"]
    runs = json.loads(sumx(mixed, "--json")[0])
    differing = [
        run.get("code_differs") for run in sorted(runs, key=lambda run: run["hparams"]["n"])
    ]
    assert differing == [None, None, ["lib/net.py", "train.sh"]]


def test_runs_are_chosen_by_their_code(mixed):
    *_, last = codes(mixed)
    out, said = sumx(mixed, "--where", f"code == '{last[:8]}'", "--columns", "n", "--format", "csv")
    assert [line.split(",")[1] for line in out.splitlines()] == ["n", "2"]
    assert said == ""


def test_a_group_of_mixed_code_says_so(mixed):
    out, said = sumx(mixed, "--over", "n")
    first, _, last = codes(mixed)
    assert f"{first[:8]}, {last[:8]}" in out
    assert said.splitlines()[0] == "mixed code: all"
    assert "lib/net.py, train.sh" in said.splitlines()[1]


def test_a_comparison_tells_which_side_has_which_code(mixed):
    first, _, last = codes(mixed)
    _, said = sumx(mixed, "--compare", "n=1", "n=2", "--columns", "acc")
    assert said.splitlines()[0] == f"code: n=1: {first[:8]}; n=2: {last[:8]}"
    _, said = sumx(mixed, "--compare", "n=0", "n=1", "--columns", "acc")
    assert said == ""


def test_the_page_marks_them(mixed):
    sumx(mixed, "--html", "page.html")
    text = (mixed.path / "page.html").read_text()
    assert '"code_differs":["lib/net.py","train.sh"]' in text.replace('", "', '","').replace(
        ": ", ":"
    )
    assert "the code of these runs differs" in text


def test_show_tells_since_when_a_run_has_its_code(mixed):
    first, _, last = codes(mixed)
    name = mixed.run(2).path.name
    [line] = [line for line in runx(mixed, "show", name).splitlines() if line.startswith("code ")]
    assert line == f"code      {last} (since attempt 2; {first[:8]} before: lib/net.py, train.sh)"


def test_what_a_later_attempt_prints_is_what_counts(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: [0]}\n")
    sweep.trains("echo 'ValueError: loss is nan'; exit 1")
    sweep.runx("-i", status=1)
    sweep.trains("echo the data are gone; exit 1")
    assert "1 x exit status 1: the data are gone" in sweep.runx("-i", "--resume", status=1)
    out = runx(sweep, "status", "sweep", "--failures")
    assert out.startswith("1 x exit status 1: the data are gone\n")
    cause = [line for line in runx(sweep, "show", "sweep").splitlines() if line[:5] == "cause"]
    assert cause == ["cause     exit status 1: the data are gone"]
    table, _ = sumx(sweep, "--columns", "cause", "--format", "csv")
    assert table.splitlines()[1].endswith(",exit status 1: the data are gone")


def test_the_retry_line_tells_what_has_changed_since(sweep):
    sweep.write(".runx", "ENV: {A: 1}\n")
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    command = "retry: runx sweep.yml -i --resume --retry failed --restage"
    assert runx(sweep, "status", "sweep", "--failures").splitlines()[2:] == [command]
    sweep.write(".runx", "ENV: {A: 1}\nCODE_LINKS: [data]\n")
    sweep.trains(":")
    (sweep.path / "lib/net.py").unlink()
    assert runx(sweep, "status", "sweep", "--failures").splitlines()[2:] == [
        command,
        "    changed since: .runx (CODE_LINKS), lib/net.py, train.sh",
    ]


def test_a_sweep_to_which_an_axis_was_added_has_one_code(sweep):
    sweep.trains(SCORE)
    sweep.runx("-i")
    grown = HEAD.replace("[0, 1, 2]", "[0, 1, 2, 3]")
    sweep.write("sweep.yml", grown)
    sweep.runx("-i", "--resume")
    sweep.write("sweep.yml", grown.replace("3]", "3, 4]"))
    sweep.runx("-i", "--resume")
    out, err = sumx(sweep)
    assert "code" not in out.splitlines()[0]
    assert "differs" not in err
    assert "mixed" not in "".join(sumx(sweep, "--over", "n"))
    listed = json.loads(sumx(sweep, "--json")[0])
    assert len({run["code_digest"] for run in listed}) == 3
    assert not any(run.get("code_differs") for run in listed)
    sweep.write("lib/net.py", "width = 2\n")
    sweep.write("sweep.yml", grown.replace("3]", "3, 4, 5]"))
    sweep.runx("-i", "--resume")
    assert "lib/net.py" in sumx(sweep)[1]


def table_of(sweep, *words):
    command = ["sumx", *words, "--format", "csv"]
    done = subprocess.run(
        command, cwd=sweep.path, env=sweep.environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[0].split(","), done.stderr


def test_a_sweep_of_the_same_project_that_was_edited_is_no_other_code(sweep):
    sweep.trains(SCORE)
    sweep.write("other.yml", HEAD)
    runx(sweep, "other.yml", "-i")
    sweep.write("other.yml", HEAD.replace("2]", "3]"))
    sweep.write("unlaunched.yaml", "HPARAMS : {}\nCMD: bash train.sh\n")
    sweep.runx("-i")
    for names in (["sweep", "other"], ["*"]):
        heads, said = table_of(sweep, *names)
        assert "code" not in heads
        assert said == ""
    sweep.write("other.yml", HEAD)
    runx(sweep, "sweep.yml", "n=7", "-i", "--resume")
    assert table_of(sweep, "sweep")[1] == ""
    sweep.write("settings.yml", "width: 3\n")
    runx(sweep, "other.yml", "n=8", "-i", "--resume")
    heads, said = table_of(sweep, "*")
    assert "code" in heads
    assert said.startswith("the code of these runs differs (")
    assert "settings.yml" in said


def test_codes_of_unrelated_projects_are_not_compared(sweep, tmp_path, installed):
    sweep.trains(SCORE)
    sweep.runx("-i")
    other = Sweep(tmp_path / "another", installed)
    other.trains(SCORE + " ")
    runx(other, "sweep.yml", "-i")
    heads, said = table_of(sweep, "sweep", str(other.root / "sweep"))
    assert "code" not in heads
    assert said == ""
    other.write("lib.py", "")
    other.runx("n=5", "-i", "--resume")
    other.clean()
    heads, said = table_of(sweep, "sweep", str(other.root / "sweep"))
    assert "code" in heads
    counts, files = said.split("; ")[0].rsplit(": ", 1)
    assert counts.endswith(": 1 run)")
    assert files == "lib.py"
