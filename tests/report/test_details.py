"""What a run's panel shows of it."""

import json

from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.analysis.runjson import attempt_as_json
from runx.report.details import artifacts, details, log_end
from runx.rundir.output import readable
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Hparam, Point


def only(folder):
    [one] = read_experiment(ExperimentDir(folder), Reader(warn=print))
    return one


def test_a_damaged_record_is_warned_of_and_leaves_the_rest(tmp_path):
    folder = make_run(tmp_path / "a", {"lr": 0.1})
    (folder / "output.log").write_text("hello\n")
    record = only(tmp_path)
    (folder / "run.json").write_text("{")
    warnings = []
    shown = details(record, warnings.append)
    assert shown["log"] == "hello\n"
    assert shown["command"] == ""
    assert len(warnings) == 1


def test_a_directory_of_the_original_has_no_further_details(tmp_path):
    make_run(tmp_path / "a", {"lr": 0.1}, record=False)
    shown = details(only(tmp_path), print)
    assert (shown["id"], shown["command"], shown["log"]) == (None, "", "")


def test_the_command_is_what_run_sh_executes(tmp_path):
    folder = make_run(tmp_path / "a", cmd="python train.py")
    assert details(only(tmp_path), print)["command"] == "python train.py"
    settings = ScriptSettings("sweep", "python train.py", "", "/bin", "/project")
    point = Point((Hparam("name", "it's", "it's"), Hparam("out", "LOGDIR", "LOGDIR")))
    (folder / "run.sh").write_text(script(Run("a", RunDir(folder), point), settings))
    command = details(only(tmp_path), print)["command"]
    assert command == """python train.py --name 'it'\\''s' --out "$RUNX_LOGDIR\""""


def test_a_restaged_run_has_the_code_of_its_last_attempt(tmp_path):
    folder = make_run(tmp_path / "a", code_digest="x")
    for number, code in ((1, "old"), (2, "new")):
        claim = {"version": 1, "host": "h", "boot": "b", "pid": 1, "start": 1, "code": code}
        (folder / "attempts" / f"{number}.claim").write_text(json.dumps(claim))
    assert only(tmp_path).code == "new"


def test_an_attempt_is_shown_from_its_beginning_to_its_end(tmp_path):
    make_run(tmp_path / "a", code=3)
    [attempt] = only(tmp_path).attempts
    shown = attempt_as_json(attempt)
    assert (shown["attempt"], shown["started"], shown["ended"]) == (1, 0, 9)
    assert shown["exit_code"] == 3


def test_the_end_of_a_long_log_begins_with_a_whole_line(tmp_path):
    run = RunDir(tmp_path)
    run.output.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert log_end(run, 20) == "line 998\nline 999\n"


def test_a_log_is_read_as_a_terminal_would_have_shown_it():
    assert readable("\x1b]0;title\x07 10%|#\r 90%|##\r100%|###\x1b[0m\nnext") == "100%|###\nnext"


def test_files_that_a_run_has_kept_are_named_with_their_size(tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "index.jsonl").write_text("{}\n")
    (tmp_path / "artifacts" / "table.csv").write_text("1234")
    (tmp_path / "best_checkpoint_ep3.pth").write_text("12")
    files = artifacts(RunDir(tmp_path))
    assert [(file["name"], file["bytes"]) for file in files][-2:] == [
        ("artifacts/table.csv", 4),
        ("best_checkpoint_ep3.pth", 2),
    ]
