"""CMD when it is planned, and executed: refused, warned of, or given exactly what belongs to it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import runx
from runx.errors import RunxError

SHOW = "import sys\nprint(sys.argv[1:])\n"
SWEEP = {"lr": [0.1, 0.2], "note": "it's $(touch PWNED)"}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.py").write_text(SHOW)


def planned(cmd, hparams=SWEEP, **settings):
    return runx.Experiment(cmd, hparams, LOGROOT="runs", **settings)


@pytest.mark.parametrize(
    ("cmd", "line"),
    [
        ("python x.py || true", r"python x.py \{args\} \|\| true"),
        ("python x.py && echo done", r"python x.py \{args\} && echo done"),
        ("bash -c 'python x.py'", r"bash -c 'python x.py \{args\}'"),
        ("python x.py --a {lr} | tee y", r"python x.py --a \{lr\} \{args\} \| tee y"),
    ],
)
def test_hyperparameters_that_have_no_place_are_refused_with_the_line_to_write(cmd, line):
    with pytest.raises(RunxError, match=rf"CMD: which of its commands .*: {line}$"):
        planned(cmd).check()
    with pytest.raises(RunxError, match="CMD: which of its commands"):
        planned(cmd).plan()
    assert planned(cmd, {}).check() == 1
    assert planned(cmd, SWEEP, ARGS={"style": "env"}).check() == 2


@pytest.mark.parametrize("cmd", ["python x.py | tee y", "(python x.py)"])
def test_the_file_of_args_needs_a_place_too(cmd):
    with pytest.raises(RunxError, match=r"by \{args\}, or by \{config\}"):
        planned(cmd, {}, ARGS={"style": "file"}).check()


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"cmd": "(python x.py"}, "CMD"),
        ({"cmd": "python 'x.py"}, "CMD"),
        ({"cmd": "python $(x"}, "CMD"),
        ({"cmd": "cat <<EOF\nx"}, "CMD"),
        ({"cmd": "python x.py; fi"}, "CMD"),
        ({"cmd": "python x.py", "SETUP": "if true; then x"}, "SETUP"),
        ({"cmd": "python x.py", "WRAP": "srun '"}, "WRAP"),
        ({"cmd": "python x.py", "TEARDOWN": "rm )"}, "TEARDOWN"),
    ],
)
def test_what_bash_cannot_read_is_refused_with_its_own_words(settings, name):
    with pytest.raises(RunxError, match=rf"{name}: bash can't read it: line \d: .") as caught:
        planned(**settings).check()
    assert "\n" not in str(caught.value)


def test_other_mistakes_in_cmd_are_refused():
    with pytest.raises(RunxError, match="CMD: holds a NUL"):
        planned("python x.py \0").check()
    with pytest.raises(RunxError, match="SETUP: holds a NUL"):
        planned("python x.py", SETUP="true \0").check()
    with pytest.raises(RunxError, match="CMD: has the character"):
        planned("python x.py \U000f0012 {lr} {args}").check()
    with pytest.raises(RunxError, match=r"CMD: \{\{ lr \}\}: write \{lr\}"):
        planned("python x.py {{ lr }}").check()
    with pytest.raises(RunxError, match=r"CMD: \{b\}: not every run has b; write b: None"):
        planned("python x.py {b}", {"RUNX.CASES": [{"a": 1}, {"b": 2}]}).check()
    with pytest.raises(RunxError, match=r"CMD: \{b\}: not every run has b"):
        planned("python x.py {b}", [{"a": 1}, {"b": 2}]).check()
    with pytest.raises(RunxError, match=r"CMD: the value .* can't stand in backticks"):
        planned("python x.py `echo {note}` {args}").check()
    with pytest.raises(RunxError, match=r"split: note: .* can't be split: no closing quotation"):
        planned("python x.py", {"note": "it's"}, ARGS={"split": True}).check()


def test_a_base_that_is_skipped_needs_no_value_for_a_place():
    base = {"RUNX.SKIP": True, "a": 1}
    experiment = planned("python x.py {b} {args}", [base, {"b": [2, None]}])
    assert [each["command"] for each in runx.preview(experiment.plan(), json=True)] == [
        "python x.py 2 --a 1",
        "python x.py '' --a 1",
    ]


def test_what_looks_like_a_mistake_is_warned_of():
    experiment = planned("python x.py {lrr} {args}", {"lr": 0.1, "m": "a b"})
    assert len(experiment.warnings) == 2
    assert "{lrr} stays as it stands; did you mean {lr}?" in experiment.warnings[0]
    assert "m: 'a b' is one word for the script" in experiment.warnings[1]
    for settings in ({"split": True}, {"split": False}, {"style": "equals"}):
        assert planned("python x.py", {"m": "a b"}, ARGS=settings).warnings == ()
    assert planned("python x.py {m}", {"m": "a b"}).warnings == ()


def test_an_args_at_the_end_makes_no_other_run_of_it():
    [run] = planned("python x.py", {"lr": 0.1}).plan()
    for cmd in ("python x.py {args}", "python x.py  {args}\n"):
        experiment = planned(cmd, {"lr": 0.1})
        assert experiment.settings.id_of(run.point) == planned(
            "python x.py", {"lr": 0.1}
        ).settings.id_of(run.point)
    first = planned("python x.py {lr}", {"lr": 0.1}).settings.id_of(run.point)
    assert first != planned("python x.py", {"lr": 0.1}).settings.id_of(run.point)


def test_every_run_is_given_its_values_where_cmd_places_them(tmp_path):
    cmd = f"{sys.executable} x.py {{note}} {{args}} 2>&1 | tee LOGDIR/copy; exit ${{PIPESTATUS[0]}}"
    runs = runx.launch(planned(cmd).plan(), here=True)
    assert set(runs.states.values()) == {"done"}
    copies = sorted((run.dir.path / "copy").read_text() for run in runs)
    assert copies == [f"[\"it's $(touch PWNED)\", '--lr', '{lr}']\n" for lr in ("0.1", "0.2")]
    assert not list(tmp_path.rglob("PWNED"))


@pytest.mark.parametrize("settings", [{"WRAP": "env A=1"}, {}])
@pytest.mark.parametrize("cmd", ["sh -c '{} x.py {{args}}'", "cd . && {} x.py {{lr}} {{args}}"])
def test_wrappers_and_other_shells_change_nothing(cmd, settings):
    experiment = planned(cmd.format(sys.executable), {"lr": 1, "note": "a 'b'"}, **settings)
    [run] = runx.launch(experiment.plan(), here=True)
    words = ["--note", "a 'b'"]
    words = ["1", *words] if "{lr}" in cmd else ["--lr", "1", *words]
    assert run.dir.output.read_text() == f"{words}\n"


def test_torchrun_starts_a_script_with_places():
    experiment = planned("python {script} --x {lr}", {"script": "x.py", "lr": 1}, LAUNCH="torchrun")
    assert experiment.check() == 1
    [run] = experiment.plan()
    assert list(runx.preview([run], experiment)) == ["python x.py --x 1"]


def test_the_file_lacks_what_is_placed_by_name(tmp_path):
    experiment = planned("cat {config} {sub}", {"sub": "x.py", "lr": 1}, ARGS={"style": "file"})
    [run] = runx.launch(experiment.plan(), here=True)
    assert run.dir.output.read_text() == f"lr: 1\n{SHOW}"


def test_a_command_that_bash_cannot_read_when_it_runs_has_failed():
    [run] = runx.launch(planned("python x.py", {}).plan(), here=True)
    script = run.dir.script
    for file in run.dir.attempts.glob("1.*"):
        file.unlink()
    script.write_text(script.read_text().replace("exec python", "(python) python"))
    done = subprocess.run(["bash", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert "syntax error near unexpected token" in run.dir.output.read_text()
    [again] = runx.status(str(run.dir.path))
    assert str(again.state) == "failed"
    ends = [json.loads(line) for line in run.dir.events(1).read_text().splitlines()]
    assert [event["event"] for event in ends] == ["started", "ended"]


def test_logdir_in_another_shells_quotes_needs_a_folder_without_quotes(tmp_path):
    cmd = "bash -c 'python x.py {args}'"
    assert planned(cmd, {"out": "LOGDIR"}).check() == 1
    odd = {"LOGROOT": str(tmp_path / "it's")}
    with pytest.raises(RunxError, match=r"LOGROOT: .* has quotes or a dollar sign"):
        runx.Experiment(cmd, {"out": "LOGDIR"}, **odd).check()
    assert runx.Experiment("python x.py {args} | cat", {"out": "LOGDIR"}, **odd).check() == 1
