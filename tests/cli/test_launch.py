"""runx FILE as a person calls it: real processes, real directories, from the wrong call on."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys

import pytest
from project import TRAIN

BAD = {
    "missing file": (None, ["gone.yml"], "gone.yml"),
    "empty file": ("", ["sweep.yml"], "empty"),
    "broken YAML": ("CMD: 'x\n", ["sweep.yml"], "sweep.yml:"),
    "tabs": ("CMD: x\nHPARAMS:\n\tlr: 1\n", ["sweep.yml"], "tab"),
    "no CMD": ("HPARAMS: {lr: 1}\n", ["sweep.yml"], "CMD is missing"),
    "no HPARAMS": ("CMD: x\n", ["sweep.yml"], "HPARAMS is missing"),
    "empty axis": ("CMD: x\nHPARAMS: {lr: []}\n", ["sweep.yml"], "lr"),
    "key twice": ("CMD: x\nHPARAMS:\n  lr: 1\n  lr: 2\n", ["sweep.yml"], "sweep.yml:4"),
    "no operator": ("CMD: x\nHPARAMS: {opt: {lr: 1}}\n", ["sweep.yml"], "opt.lr"),
    "HPARAMS of text": ("CMD: x\nHPARAMS: lr\n", ["sweep.yml"], "HPARAMS"),
    "unknown key": ("CMD: x\nHPARAMS: {}\nLOGROT: x\n", ["sweep.yml"], "LOGROOT"),
    "no SWEEPS": ("CMD: x\nHPARAMS: {}\n", ["sweep.yml", "--sweep", "lr"], "there is no SWEEPS"),
    "unknown farm": ("CMD: x\nHPARAMS: {}\n", ["sweep.yml", "--farm", "bigfarm"], "bigfarm"),
    "farm without SUBMIT_CMD": (
        "CMD: x\nHPARAMS: {}\nFARM: big\nbig: {RESOURCES: {gpu: 1}}\n",
        ["sweep.yml"],
        "SUBMIT_CMD",
    ),
    "unwritable LOGROOT": (
        "CMD: x\nHPARAMS: {}\nLOGROOT: /proc/nowhere\n",
        ["sweep.yml", "-i"],
        "LOGROOT",
    ),
    "too many": (
        f"CMD: x\nHPARAMS: {{a: {list(range(400))}, b: {list(range(400))}}}\n",
        ["sweep.yml", "-n"],
        "--max-runs",
    ),
    "unknown flag": ("CMD: x\nHPARAMS: {}\n", ["sweep.yml", "--intractive"], "--interactive"),
    "unknown tag": ("CMD: x\nHPARAMS: {lr: 1, RUNX.TAG: 'a{lx}'}\n", ["sweep.yml"], "{lx}"),
    "no tag for a name": ("CMD: x\nHPARAMS: {}\n", ["sweep.yml", "--no_cooldir"], "--tag"),
    "CODE_ROOT that is none": (
        "CMD: x\nHPARAMS: {}\nCODE_ROOT: gone\n",
        ["sweep.yml"],
        "CODE_ROOT",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_line_with_status_2_and_nothing_is_made(project, case):
    text, words, message = BAD[case]
    if text is not None:
        project.write("sweep.yml", text)
    done = project.runx(*words, status=2)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("no farm is set")]
    assert len(lines) == 1
    assert message in lines[0]
    assert done.stdout == ""
    assert not (project.path / "runs").exists()


def test_every_combination_runs_in_the_order_of_the_file_the_last_key_fastest(project):
    done = project.runx("sweep.yml", "-i")
    pairs = [("0.1", "a"), ("0.1", "b"), ("0.2", "a"), ("0.2", "b")]
    assert project.argvs() == [["--lr", lr, "--opt", opt] for lr, opt in pairs]
    assert done.stdout.splitlines()[0] == "python train.py --lr 0.1 --opt a"
    assert done.stdout.splitlines()[1].startswith("argv ")


def test_the_output_is_on_the_terminal_and_in_output_log(project):
    project.write("sweep.yml", "CMD: echo out; echo err >&2\nHPARAMS: {}\n")
    done = project.runx("sweep.yml", "-i")
    assert done.stdout.splitlines()[1:] == ["out", "err"]
    assert (project.runs()[0] / "output.log").read_text() == "out\nerr\n"


def test_a_failed_run_does_not_stop_the_others_and_fails_the_sweep(project):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {fail: [true, false]}\n")
    done = project.runx("sweep.yml", "-i", status=1)
    assert len(project.argvs()) == 2
    assert "exit status 3" in done.stderr
    assert "1 of 2 runs failed\n1 x exit status 3: argv" in done.stderr
    assert done.stderr.splitlines()[-1] == "retry: runx sweep.yml -i --resume"


def test_no_run_touches_nothing_and_prints_shell_quoted_lines(project):
    project.write(
        "sweep.yml", "CMD: python train.py\nHPARAMS: {note: ['a b', \"it's\"], o: LOGDIR}\n"
    )
    before = sorted(project.path.rglob("*"))
    done = project.runx("sweep.yml", "-n", "-i")
    assert sorted(project.path.rglob("*")) == before
    words = [shlex.split(line) for line in done.stdout.splitlines()]
    assert [word[3] for word in words] == ["a b", "it's"]
    assert all(word[5].startswith(str(project.path / "runs/sweep")) for word in words)


def test_names_that_are_shown_and_not_kept_are_numbers(project):
    project.write("sweep.yml", "CMD: echo\nHPARAMS: {x: [1, 2], o: LOGDIR}\n")
    lines = project.runx("sweep.yml", "-n", "-i", "--tag", "t").stdout.splitlines()
    assert [re.search(r"sweep/(.*?)_\d{4}", line)[1] for line in lines] == ["t_NAME-1", "t_NAME-2"]
    lines = project.runx("sweep.yml", "-n", "-i", "RUN_NAME={x}.{coolname}").stdout.splitlines()
    assert [line.rpartition("/")[2] for line in lines] == ["1.NAME-1", "2.NAME-2"]
    project.runx("sweep.yml", "-i")
    assert not any("NAME" in run.name for run in project.runs())


def test_no_run_needs_neither_a_writable_logroot_nor_the_submit_command(project):
    project.write(".runx", "LOGROOT: train.py/logs\nFARM: f\nf: {SUBMIT_CMD: no_such_submit --x}\n")
    done = project.runx("sweep.yml", "-n")
    assert "no_such_submit: not found" in done.stderr
    assert "train.py/logs can't be written" in done.stderr
    assert len(done.stdout.splitlines()) == 8


def test_no_run_in_json_tells_everything_about_each_run(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: submit_job, RESOURCES: {gpu: 2}}\n")
    sweep = "CMD: python train.py\nHPARAMS: {lr: 1e-3, on: true, off: false, sizes: [[1, 2]]}\n"
    project.write("sweep.yml", sweep)
    (run,) = json.loads(project.runx("sweep.yml", "-n", "--json").stdout)
    assert run["hparams"] == {"lr": 0.001, "on": True, "off": False, "sizes": [1, 2]}
    assert run["argv"] == ["--lr", "1e-3", "--on", "--sizes", "1", "2"]
    assert run["command"] == "python train.py --lr 1e-3 --on --sizes 1 2"
    assert run["logdir"].endswith(f"runs/sweep/{run['name']}")
    assert run["resources"] == {"gpu": 2}
    script = f"bash {run['logdir']}/run.sh"
    job = f"sweep_{run['name']}"
    assert run["submit"] == ["submit_job", "--gpu", "2", "--name", job, "-c", script]
    assert run["tag"] == ""
    assert len(run["id"]) == 12


def test_a_farms_preview_shows_the_training_command_above_the_submission(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: A=1 submit_job}\n")
    lines = project.runx("sweep.yml", "-n").stdout.splitlines()
    assert lines[0] == "# python train.py --lr 0.1 --opt a"
    assert lines[1].startswith("A=1 submit_job --name sweep_")


SUBMIT = f"""#!{sys.executable}
import json, os, subprocess, sys
with open(os.path.join(os.path.dirname(__file__), "calls"), "a") as file:
    print(json.dumps([sys.argv[1:], os.environ.get("QUEUE")]), file=file)
if "--refuse" in sys.argv:
    sys.exit("no such queue\\nask your admin")
command = sys.argv[sys.argv.index("-c") + 1]
subprocess.run(["bash", "-c", command], check=True, stdin=subprocess.DEVNULL)
print("Submitted batch job 71")
"""


def test_a_farm_gets_its_resources_the_name_and_the_script(project):
    project.write("submit_job", SUBMIT, 0o755)
    project.write(
        ".runx",
        "FARM: f\nf:\n  SUBMIT_CMD: QUEUE=long ./submit_job\n"
        "  RESOURCES: {gpu: 2, exclusive: true, quiet: false, mount: [/a, /b], out: LOGDIR/x}\n",
    )
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 0.1, SUBMIT_JOB.NODES: 4}\n")
    project.runx("sweep.yml")
    (run,) = project.runs()
    ((words, queue),) = map(json.loads, (project.path / "calls").read_text().splitlines())
    resources = ["--gpu", "2", "--exclusive", "--mount", "/a", "--mount", "/b"]
    end = ["--out", f"{run}/x", "--nodes", "4", "--name", f"sweep_{run.name}"]
    assert words == [*resources, *end, "-c", f"bash {run}/run.sh"]
    assert queue == "long"
    assert project.argvs() == [["--lr", "0.1"]]
    job = json.loads((run / "attempts/1.job.json").read_text())
    assert (job["farm"], job["id"], job["answer"]) == ("f", "71", "Submitted batch job 71\n")
    assert "QUEUE=long ./submit_job" in (run / "submit_cmd.sh").read_text()


def test_a_refused_submission_stops_with_the_farms_words_and_status_3(project):
    project.write("submit_job", SUBMIT, 0o755)
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: ./submit_job, RESOURCES: {refuse: true}}\n")
    done = project.runx("sweep.yml", status=3)
    assert "no such queue | ask your admin" in done.stderr
    assert "may have taken" in done.stderr and "0 of 4 runs submitted" in done.stderr
    assert "if it isn't there, runx cancel" in done.stderr
    assert len((project.path / "calls").read_text().splitlines()) == 1


def test_a_submit_command_that_is_not_there_is_told_before_anything_is_made(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: no_such_submit}\n")
    done = project.runx("sweep.yml", status=2)
    assert "no_such_submit: not found on PATH" in done.stderr
    assert not (project.path / "runs").exists()


def test_a_template_says_the_whole_submission_each_value_quoted(project):
    project.write("submit_job", SUBMIT, 0o755)
    template = "./submit_job --title {{ hparams.title }} {{ resources | flags }} -c {{ command }}"
    project.write(".runx", f"FARM: f\nf:\n  SUBMIT_CMD: '{template}'\n  RESOURCES: {{gpu: 2}}\n")
    project.write("sweep.yml", 'CMD: echo\nHPARAMS: {title: "it\'s; $(x)"}\n')
    project.runx("sweep.yml")
    ((words, _),) = map(json.loads, (project.path / "calls").read_text().splitlines())
    assert words[:4] == ["--title", "it's; $(x)", "--gpu", "2"]
    assert shlex.split(words[5]) == ["echo", "--title", "it's; $(x)"]


def test_a_template_that_names_what_is_not_there_is_a_mistake(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: 'sh -c {{ comand }}'}\n")
    done = project.runx("sweep.yml", status=2)
    assert "comand" in done.stderr
    assert "command" in done.stderr


def test_with_no_farm_and_no_i_runs_are_made_here_and_it_is_said(project):
    done = project.runx("sweep.yml")
    assert "running here" in done.stderr
    assert len(project.argvs()) == 4


def test_hostile_values_reach_the_script_as_they_are(project):
    values = ["a b", "$(touch x)", "a;b", "'", '"', "-x", "*", "line\nbreak", "é", "\\", "LOGDIR/x"]
    project.write("sweep.yml", f"CMD: python train.py\nHPARAMS: {json.dumps({'v': values})}\n")
    project.runx("sweep.yml", "-i")
    runs = project.runs()
    argvs = [argv[1:] if argv[0] == "--v" else argv for argv in project.argvs()]
    expected = [[value] for value in values]
    expected[5] = ["--v=-x"]
    expected[-1] = [f"{runs[-1]}/x"]
    assert argvs == expected


def test_code_that_is_edited_after_the_launch_is_not_what_runs(project):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    project.runx("sweep.yml", "-i")
    project.write("train.py", "raise SystemExit(9)")
    (run,) = project.runs()
    again = subprocess.run(["bash", run / "run.sh"], env=project.environment, timeout=60)
    assert again.returncode == 0


def test_every_launch_keeps_what_was_asked(project):
    project.write("sweep.yml", "CMD: 'true'\nHPARAMS: {lr: 1}\nTITLE: A title\n")
    project.runx("sweep.yml", "-i", "--note", "with care")
    (launch,) = (project.path / "runs/sweep/.runx/launches").iterdir()
    record = json.loads((launch / "launch.json").read_text())
    assert (record["title"], record["note"]) == ("A title", "with care")
    assert record["settings"]["NOTE"] == {"value": "with care", "from": "--note"}
    assert "TITLE: A title" in (launch / "experiment.yml").read_text()
    assert json.loads((launch / "plan.jsonl").read_text())["name"] == project.runs()[0].name


def test_the_commit_and_what_was_not_committed_are_recorded(project):
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=project.path, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one")
    project.write("train.py", TRAIN + "# edited\n")
    project.runx("sweep.yml", "-i")
    (launch,) = (project.path / "runs/sweep/.runx/launches").iterdir()
    record = json.loads((launch / "launch.json").read_text())
    assert record["git"]["dirty"] is True
    assert len(record["git"]["commit"]) == 40
    assert "+# edited" in (launch / "diff.patch").read_text()
    assert "# edited" in (project.runs()[0] / "code/train.py").read_text()
    assert "edited" not in project.runx("sweep.yml", "-n", GIT_DIRTY="error").stderr
    assert (
        "not committed" in project.runx("sweep.yml", "-i", status=2, RUNX_GIT_DIRTY="error").stderr
    )
    project.runx("sweep.yml", "-i", "--exp_name", "clean", RUNX_CODE_FROM="HEAD")
    assert "# edited" not in (project.runs("runs/clean")[0] / "code/train.py").read_text()


def test_inheritance_tags_and_skips_as_the_original_documents_them(project):
    project.write(
        "sweep.yml",
        "CMD: python train.py\nHPARAMS: [\n"
        "  {logdir: LOGDIR, adam: true, arch: alexnet, lr: [0.01, 0.02], RUNX.TAG: 'alexnet'},\n"
        "  {arch: resnet50, lr: [0.002, 0.005], RUNX.TAG: '{arch}-lrstudy'},\n"
        "  {RUNX.SKIP: true, arch: vgg},\n]\n",
    )
    runs = json.loads(project.runx("sweep.yml", "-n", "--json").stdout)
    assert [run["tag"] for run in runs] == ["alexnet"] * 2 + ["resnet50-lrstudy"] * 2
    assert runs[3]["name"].startswith("resnet50-lrstudy_NAME-4_")
    assert runs[3]["argv"][2:] == ["--adam", "--arch", "resnet50", "--lr", "0.005"]


@pytest.mark.parametrize("tag", ["ocrnet/HRNet", "../x", "a b", "größe", "..", "-n"])
def test_a_tag_becomes_a_safe_name_and_never_leaves_logroot(project, tag):
    project.write("sweep.yml", "CMD: 'true'\nHPARAMS: {}\n")
    project.runx("sweep.yml", "-i", f"--tag={tag}")
    (run,) = project.runs()
    assert run.parent == project.path / "runs/sweep"
    assert "/" not in run.name


def test_a_name_that_is_taken_is_an_error_without_coolnames(project):
    project.write("sweep.yml", "CMD: 'true'\nHPARAMS: {}\n")
    project.runx("sweep.yml", "-i", "--tag", "mine", "--no_cooldir")
    assert (project.path / "runs/sweep/mine/run.json").exists()
    done = project.runx("sweep.yml", "-i", "--tag", "mine", "--no_cooldir", status=2)
    assert "mine: is there already" in done.stderr
    assert not list((project.path / "runs/sweep/.runx/making").iterdir())


def test_dashes_and_underscores_and_long_forms_are_the_same_flags(project):
    short = project.runx("sweep.yml", "-n", "-i").stdout
    assert project.runx("sweep.yml", "--no_run", "--interactive").stdout == short
    assert project.runx("--no-run", "-i", "sweep.yml", "--exp-name", "x").stdout == short
    project.write("other", "NOTE: x\n")
    assert project.runx("sweep.yml", "-n", "-i", "--config_file", "other").stdout == short


def test_a_file_called_like_a_command_is_reached_by_its_path(project):
    project.write("init", "CMD: echo\nHPARAMS: {a: 1}\n")
    assert project.runx("./init", "-n", "-i").stdout == "echo --a 1\n"


def test_src_layouts_are_importable(project):
    project.write("src/model/__init__.py", "SIZE = 7\n")
    project.write("go.py", "import model; print(model.SIZE)\n")
    project.write("sweep.yml", "CMD: python go.py\nHPARAMS: {}\n")
    assert "7" in project.runx("sweep.yml", "-i").stdout


def test_staging_none_runs_in_the_project_itself(project):
    project.write("sweep.yml", "CMD: pwd -P\nHPARAMS: {}\nCODE_STAGING: none\n")
    assert str(project.path) in project.runx("sweep.yml", "-i").stdout.splitlines()


def test_dir_mode_opens_the_runs_directory_to_others(project):
    project.write("sweep.yml", "CMD: 'true'\nHPARAMS: {}\nDIR_MODE: 0777\n")
    project.runx("sweep.yml", "-i")
    mode = stat.S_IMODE(os.stat(project.runs()[0]).st_mode)
    assert mode & 0o777 == 0o777


@pytest.mark.parametrize("mode", ["a+rwX", "g+rX,o=", "07", "0999", "0077", "77777", "-1", "[7]"])
def test_a_dir_mode_that_is_no_octal_says_what_to_write_before_anything_is_made(project, mode):
    project.write("sweep.yml", f"CMD: 'true'\nHPARAMS: {{}}\nDIR_MODE: {mode}\n")
    printed = project.runx("sweep.yml", "-i", status=2).stderr
    assert "sweep.yml:3: DIR_MODE" in printed
    assert "0777 for a+rwX, 0775 for g+rwX" in printed or mode == "[7]"
    assert not (project.path / "runs/sweep").exists()


def test_files_and_links_come_from_elsewhere(project):
    project.write("../elsewhere/my.gin", "gin\n")
    project.write("data/big.bin", "data\n")
    project.write(
        "sweep.yml",
        "CMD: cat my.gin data/big.bin\nHPARAMS: {}\n"
        "FILES: {my.gin: ../elsewhere/my.gin}\nCODE_LINKS: data\n",
    )
    done = project.runx("sweep.yml", "-i")
    assert done.stdout.splitlines()[-2:] == ["gin", "data"]
    assert (project.runs()[0] / "code/data").is_symlink()


def test_a_farm_that_is_this_machine_by_name_is_no_missing_one(project):
    assert "no farm is set" in project.runx("sweep.yml").stderr
    assert "no farm is set" not in project.runx("sweep.yml", "FARM=local").stderr


@pytest.mark.parametrize("flag", ["-n", "-i"])
def test_a_sweep_of_which_nothing_is_left_says_so(project, flag):
    project.write("sweep.yml", "CMD: true\nHPARAMS: {lr: [1, 2], RUNX.SKIP: 'lr > 0'}\n")
    assert "RUNX.SKIP leaves no run; nothing to do" in project.runx("sweep.yml", flag).stderr


def test_config_shows_each_setting_and_who_said_it(project):
    project.write(".runx", "LOGROOT: logs\n")
    printed = json.loads(project.runx("config", "sweep.yml", "--json", RUNX_NOTE="n").stdout)
    assert printed["LOGROOT"]["from"].endswith(".runx:1")
    assert printed["NOTE"] == {"value": "n", "from": "RUNX_NOTE"}
    assert printed["CODE_STAGING"] == {"value": "auto", "from": "default"}
    assert "LOGROOT" in project.runx("config", "sweep.yml").stdout


def test_init_writes_settings_that_work_and_never_over_others(project):
    project.runx("init")
    project.runx("sweep.yml", "-n", "-i")
    assert "is there already" in project.runx("init", status=2).stderr
    project.runx("init", "--force")


def test_two_launchers_at_once_never_share_a_directory(project):
    project.write("sweep.yml", f"CMD: 'true'\nHPARAMS: {{n: {list(range(20))}}}\n")
    words = ["runx", "sweep.yml", "-i", "--again"]
    options = {"cwd": project.path, "env": project.environment, "stdin": subprocess.DEVNULL}
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, **options) for _ in range(2)]
    errors = [launcher.communicate(timeout=120)[1] for launcher in both]
    assert [launcher.returncode for launcher in both] == [0, 0], errors
    assert len(project.runs()) == 40


def test_run_by_module_is_the_same_command(project):
    for module in ("runx", "runx.runx"):
        words = [sys.executable, "-m", module, "sweep.yml", "-n", "-i"]
        done = subprocess.run(words, cwd=project.path, env=project.environment, capture_output=True)
        assert len(done.stdout.splitlines()) == 4


def test_what_args_can_not_tell_names_the_line_of_args(project):
    text = "CMD: python train.py\nHPARAMS: {l: [[a, b]]}\nARGS: {style: equals}\n"
    project.write("sweep.yml", text)
    for words in (["-n"], ["-n", "--json"], []):
        message = project.runx("sweep.yml", "-i", *words, status=2).stderr
        assert message.startswith("runx: sweep.yml:3: ARGS: l is a list; say how it is written")


def test_new_names_are_noted_only_where_a_run_would_be_new(project):
    note = "a launch makes new names"
    assert note in project.runx("sweep.yml", "-i", "-n").stderr
    project.runx("sweep.yml", "-i", "--where", "lr < 0.15")
    assert note in project.runx("sweep.yml", "-i", "-n", "--resume").stderr
    project.runx("sweep.yml", "-i", "--resume")
    for run in project.runs():
        (run / "attempts/1.events.jsonl").write_text('{"event":"ended","time":1,"code":1}\n')
    done = project.runx("sweep.yml", "-i", "-n", "--resume")
    assert done.stdout.count("python train.py") == 4
    assert note not in done.stderr
