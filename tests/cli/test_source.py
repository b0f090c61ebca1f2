import json
import shlex
import subprocess


def piped(project, words, text, status=0):
    done = subprocess.run(
        ["runx", *words],
        cwd=project.path,
        env=project.environment,
        input=text,
        capture_output=True,
        text=isinstance(text, str),
        timeout=60,
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


SWEEP = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2]}\n"
COMMAND = ("--", "python", "train.py", "--lr", "0.1,0.2")


def test_a_command_needs_no_file(project):
    done = project.runx("-i", *COMMAND)
    assert project.argvs("runs/train") == [["--lr", "0.1"], ["--lr", "0.2"]]
    assert "2 runs done; sumx train" in done.stderr
    [launch] = (project.path / "runs/train/.runx/launches").iterdir()
    assert "CMD: python train.py --lr {lr}" in (launch / "experiment.yml").read_text()


def test_a_command_goes_on_by_the_line_that_is_printed(project):
    words = ("--", "python", "train.py", "--lr", "0.1,0.2", "--fail")
    done = project.runx("-i", *words, status=1)
    line = done.stderr.partition("retry: ")[2].splitlines()[0]
    assert line == "runx -i --resume --restage -- python train.py --lr 0.1,0.2 --fail"
    project.write("train.py", "import sys\n")
    project.runx(*shlex.split(line)[1:])
    assert len(project.runs("runs/train")) == 2
    again = project.runx("status", "train", "--failures").stdout
    assert again == "\n" or "retry" not in again


def test_settings_and_other_values_stand_before_a_command(project):
    done = project.runx("lr=3", "EXP_NAME=mine", "-n", *COMMAND)
    assert done.stdout == "python train.py --lr 3\n"
    project.runx("-i", "EXP_NAME=mine", *COMMAND)
    assert len(project.runs("runs/mine")) == 2


def test_a_file_takes_overrides_after_two_dashes_as_before(project):
    done = project.runx("sweep.yml", "-n", "--", "lr=3", "opt=a")
    assert done.stdout.splitlines() == ["python train.py --lr 3 --opt a"]


def test_a_file_and_a_command_are_not_launched_together(project):
    done = project.runx("sweep.yml", "-n", *COMMAND, status=2)
    assert "name a FILE, sweep.yml, or a command after --, not both" in done.stderr


def test_saving_writes_a_file_that_is_launched_from_then_on(project):
    done = project.runx("--save", "new.yml", "-i", *COMMAND[:-1], "0.1,0.2", "--fail", status=1)
    assert "retry: runx new.yml -i --resume --restage" in done.stderr
    assert (
        (project.path / "new.yml").read_text().startswith("CMD: python train.py --lr {lr} --fail")
    )
    assert len(project.runs("runs/new")) == 2
    # the same once more is no harm, another one is refused
    project.runx("--save=new.yml", "-n", *COMMAND[:-1], "0.1,0.2", "--fail")
    for name, words in (("new.yml", COMMAND), ("gone/x.yml", COMMAND), ("x.txt", COMMAND)):
        done = project.runx("--save", name, "-n", *words, status=2)
        assert done.stderr.startswith(f"runx: --save {name}") and done.stderr.count("\n") == 1
    assert "sweep.yml is one" in project.runx("sweep.yml", "--save", "y.yml", status=2).stderr


def test_an_experiment_is_read_from_standard_input(project):
    done = piped(project, ["-", "-n"], SWEEP)
    assert done.stdout == "python train.py --lr 0.1\npython train.py --lr 0.2\n"
    piped(project, ["-", "-i", "lr=5", "EXP_NAME=mine"], SWEEP)
    assert project.argvs("runs/mine") == [["--lr", "5"]]
    assert piped(project, ["check", "-"], SWEEP).stdout == "-: 2 runs\n"
    assert "python train.py" in piped(project, ["config", "-"], SWEEP).stdout


def test_what_was_read_goes_on_by_the_line_that_is_printed(project):
    text = SWEEP + "EXP_NAME: it's mine\n"
    project.write("train.py", "raise SystemExit(3)")
    done = piped(project, ["-", "-i"], text, status=1)
    line = done.stderr.partition("retry: ")[2].splitlines()[0]
    status = project.runx("status", "it's mine", "--failures", status=1).stdout
    project.write("train.py", "")
    for each in (line, status.partition("retry: ")[2].splitlines()[0]):
        subprocess.run(["bash", "-c", each], cwd=project.path, env=project.environment, check=True)
    names = [
        json.loads((run / "run.json").read_text())["hparams"]
        for run in project.runs("runs/it's mine")
    ]
    assert len(names) == 2


def test_what_is_read_and_no_experiment_is_told_in_a_line(project):
    for text in ("", "- 1\n", "CMD: [", "CMD: x\nHPARAM: {}\n", b"CMD: \xff\n"):
        done = piped(project, ["-", "-n"], text, status=2)
        error = done.stderr if isinstance(text, str) else done.stderr.decode()
        assert error.startswith("runx: stdin") and error.count("\n") == 1, error


def test_an_import_is_piped_into_a_launch(project):
    project.write("s.sh", "for lr in 0.1 0.2; do\n  python train.py --lr $lr\ndone\n")
    text = project.runx("import", "s.sh").stdout
    assert piped(project, ["-", "-n"], text).stdout.count("train.py") == 2
