"""The language of sweeps as a person types it: from mistakes to what each run is told."""

import json
import shlex

import pytest

SWEEP = """
CMD: python train.py
SWEEPS: {seeds: {seed: {repeat: 2}}, arch: {arch: [s, l]}}
HPARAMS: {lr: [0.1, 0.01], opt: [sgd, adam], momentum: 0.9}
"""


@pytest.fixture
def sweep(project):
    project.write("sweep.yml", SWEEP)
    return project


def planned(project, *words, file="sweep.yml", **options):
    """Give what each planned run is told."""
    return [run["argv"] for run in described(project, *words, file=file, **options)]


def described(project, *words, file="sweep.yml", **options):
    return json.loads(project.runx(file, "-n", "-i", "--json", *words, **options).stdout)


WRONG = {
    "unknown key": (["lrr=1"], "did you mean lr?; +lrr=1 adds it"),
    "unknown key to remove": (["~lrr"], "did you mean lr?"),
    "unknown key like no other": (["~zzzz"], "zzzz is unknown: known are: lr"),
    "unknown name in a value": (["lr='{{ zzzz }}'"], "zzzz is unknown: known are: experiment.name"),
    "unknown setting": (["LOGROT=x"], "did you mean LOGROOT?"),
    "no override": (["other.yml"], "write key=value"),
    "YAML": (["lr=[1"], "lr=[1"),
    "hyperparameters in HPARAMS": (["HPARAMS.lr=1"], "stand alone: lr=1"),
    "EXTENDS": (["EXTENDS=x.yml"], "only a file extends another"),
    "unknown sweep": (["--sweep", "sed"], "did you mean seeds?"),
    "no expression": (["--where", "lr ="], "--where"),
    "unknown name": (["--where", "lrr < 1"], "lrr is unknown: did you mean lr?"),
    "run without --resume": (["--where", "run == 'owl'"], "run goes with --resume"),
    "state without --resume": (["--where", "state == 'failed'"], "goes with --resume"),
    "table that is launched": (["--table"], "--table goes with -n"),
    "style": (["ARGS.style=equal"], "did you mean equals?"),
    "impossible pair": (["ARGS.style=equals", "ARGS.list=space"], "equals takes one of"),
    "samples": (["SAMPLES=many"], "SAMPLES must be a whole number"),
    "random without samples": (["lr={uniform: [0, 1]}"], "write SAMPLES: 20"),
    "function": (["HPARAMS_FROM=gone.py:f"], "no such file"),
    "script's file": (["CONFIG=gone.yaml"], "no such file"),
    "placeholder": (["RUN_NAME={lrr}"], "{lrr} is unknown"),
    "one name": (["RUN_NAME={lr}"], "runs 1 and 2 would both be called 0.1"),
    "placeholder of a run": (["EXP_NAME={lr}"], "{lr} is unknown"),
    "no commit": (["RUN_NAME={git}-{wid}"], "has no commit"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_on_one_line_and_nothing_is_made(sweep, case):
    words, message = WRONG[case]
    done = sweep.runx("sweep.yml", *words, *(["-i"] if case.startswith("table") else []), status=2)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("no farm is set")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "default: ARGS" not in lines[0]
    assert not (sweep.path / "runs").exists()


def test_the_advice_quotes_a_name_for_the_shell(sweep):
    done = sweep.runx("sweep.yml", "-i", "--exp_name", "my sweep", "--limit", "1")
    assert "sumx 'my sweep' ranks them" in done.stderr


def test_a_mistake_in_an_override_names_it_and_one_in_a_base_its_file(sweep):
    done = sweep.runx("sweep.yml", "-n", "lr={logspce: [1, 2, 3]}", status=2)
    assert "lr={logspce: [1, 2, 3]} on the command line" in done.stderr
    sweep.write("base.yml", "NOTE: x\nHPARAMS:\n  wd: {logspce: 1}\n")
    sweep.write("sweep.yml", "EXTENDS: base.yml\nCMD: x\nHPARAMS: {lr: 1}\n")
    assert "base.yml:3: wd" in sweep.runx("sweep.yml", "-n", status=2).stderr


def test_overrides_win_over_file_flags_and_environment_and_are_recorded(sweep):
    words = ["lr=1e-3", "~momentum", "+new=x,y", "opt=adam", "NOTE=mine", "RESOURCES.time=2h"]
    sweep.runx("sweep.yml", "-i", *words, "--note", "flag", RUNX_NOTE="environment")
    expected = [["--lr", "1e-3", "--opt", "adam", "--new", new] for new in "xy"]
    assert sweep.argvs() == expected
    (launch,) = (sweep.path / "runs/sweep/.runx/launches").iterdir()
    kept = json.loads((launch / "launch.json").read_text())
    assert kept["argv"][1:][-2:] == ["--note", "flag"]
    assert set(words) <= set(kept["argv"])
    assert kept["settings"]["NOTE"] == {"value": "mine", "from": "NOTE=mine on the command line"}
    assert json.loads((sweep.runs()[0] / "run.json").read_text())["resources"] == {"time": "2h"}


def test_an_override_makes_the_same_runs_as_the_file_that_says_so(sweep):
    ids = {run["id"] for run in described(sweep, "lr=1", "~momentum")}
    sweep.write("other.yml", "CMD: python train.py\nHPARAMS: {opt: [adam, sgd], lr: 1}\n")
    assert {run["id"] for run in described(sweep, file="other.yml")} == ids


def test_a_setting_that_is_removed_is_as_if_no_file_had_said_it(sweep):
    sweep.write(".runx", "FARM: f\nNOTE: x\nf: {SUBMIT_CMD: submit_job}\n")
    assert "submit_job" in sweep.runx("sweep.yml", "-n").stdout
    assert "submit_job" not in sweep.runx("sweep.yml", "-n", "~FARM").stdout
    assert "submit_job" not in sweep.runx("sweep.yml", "-n", "FARM=local").stdout
    printed = json.loads(sweep.runx("config", "sweep.yml", "~NOTE", "--json").stdout)
    assert printed["NOTE"] == {"value": "", "from": "not set"}


def test_named_sweeps_count_only_when_asked_for(sweep):
    assert len(planned(sweep)) == 4
    assert len(planned(sweep, "--sweep", "seeds")) == 8
    every = planned(sweep, "--sweep", "*")
    assert len(every) == 16
    assert every == planned(sweep, "--sweep", "seeds, arch")


def test_a_base_is_shared_key_by_key_and_relative_to_its_file(project):
    project.write("shared/f.py", "def f():\n    return {'seed': [1, 2]}\n")
    project.write(
        "shared/base.yml",
        "CMD: python train.py\nHPARAMS_FROM: f.py:f\nRESOURCES: {time: 1h, mem: 2}\n"
        "HPARAMS: {lr: 0.1, wd: 1}\nf: {SUBMIT_CMD: submit_job, NOTE: of base}\n",
    )
    project.write(".runx", "NOTE: of runx\nTITLE: of runx\n")
    project.write(
        "sweep.yml",
        "EXTENDS: shared/base.yml\nHPARAMS: {lr: 0.2}\nRESOURCES: {time: 4h}\nFARM: f\n",
    )
    runs = described(project)
    assert [run["hparams"] for run in runs] == [{"lr": 0.2, "wd": 1, "seed": n} for n in (1, 2)]
    assert runs[0]["resources"] == {"time": "4h", "mem": 2}
    settings = json.loads(project.runx("config", "sweep.yml", "--json").stdout)
    assert settings["NOTE"]["value"] == "of base"
    assert settings["TITLE"]["value"] == "of runx"
    project.runx("sweep.yml", "-i")
    (launch,) = (project.path / "runs/sweep/.runx/launches").iterdir()
    kept = [file.read_text() for file in launch.glob("*.yml")]
    assert any("HPARAMS_FROM" in text for text in kept)


def test_a_scripts_own_configuration_is_the_default_of_its_hyperparameters(project):
    project.write("conf/config.yaml", "opt: {lr: 0.1, name: sgd}\nsizes: [1, 2]\nseed: null\n")
    project.write("show.py", "import sys; print(open(sys.argv[2]).read())")
    project.write(
        "sweep.yml",
        "CMD: python show.py\nCONFIG: conf/config.yaml\nARGS: {style: file}\n"
        "HPARAMS: {opt.lr: [0.5], +new: LOGDIR/x}\n",
    )
    project.runx("sweep.yml", "-i", "opt.name=adam")
    (run,) = project.runs()
    text = (run / "config.yaml").read_text()
    assert text in (run / "output.log").read_text()
    expected = 'opt: {lr: 0.5, name: "adam"}\nsizes: [1, 2]\nseed: null\n'
    assert text == f'{expected}new: "{run}/x"\n'
    assert (
        "opt.lrr is not in CONFIG"
        in project.runx("sweep.yml", "-n", "HPARAMS={opt.lrr: 1}", status=2).stderr
    )
    assert "+nme=1 adds it" in project.runx("sweep.yml", "-n", "nme=1", status=2).stderr


def test_random_axes_are_the_same_until_the_seed_is_another(project):
    project.write(
        "sweep.yml", "CMD: x\nSAMPLES: 4\nHPARAMS: {lr: {loguniform: [1e-4, 1]}, a: [1, 2]}\n"
    )
    first = planned(project)
    assert len(first) == 8
    assert planned(project) == first
    assert planned(project, "SEED=1") != first
    assert len(planned(project, "SAMPLES=2")) == 4


def test_runs_are_called_what_run_name_says_and_never_twice_the_same(sweep):
    words = ["RUN_NAME={wid}{sep}{sweep}"]
    sweep.runx("sweep.yml", "-i", "+out=LOGDIR/x", *words)
    names = [run.name for run in sweep.runs()]
    assert names == [
        f"{n}-lr={lr},opt={opt}"
        for n, (lr, opt) in enumerate(
            [("0.1", "sgd"), ("0.1", "adam"), ("0.01", "sgd"), ("0.01", "adam")], 1
        )
    ]
    done = sweep.runx("sweep.yml", "-i", "+out=LOGDIR/x", *words, status=2)
    assert "is there already" in done.stderr
    assert len(sweep.runs()) == 4
    sweep.runx("sweep.yml", "-i", "+out=LOGDIR/x", *words, "lr=0.1,0.01,0.3", "--resume")
    assert [run.name for run in sweep.runs()][4:] == ["5-lr=0.3,opt=sgd", "6-lr=0.3,opt=adam"]


def test_a_text_on_the_command_line_is_taken_as_it_stands(sweep):
    for text in ["a: b", "{x}", "it's", '"quoted" and not', "yes"]:
        printed = json.loads(sweep.runx("config", "sweep.yml", f"NOTE={text}", "--json").stdout)
        assert printed["NOTE"]["value"] == text
    printed = json.loads(sweep.runx("config", "sweep.yml", "NOTE='a: b'", "--json").stdout)
    assert printed["NOTE"]["value"] == "a: b"


def test_an_experiment_is_called_after_what_its_runs_share(sweep):
    done = described(sweep, "EXP_NAME={user}-{farm}-x", USER="ada")
    assert "/runs/ada-local-x/" in done[0]["logdir"]


def test_where_limit_and_shuffle_launch_a_part_and_the_preview_shows_it(sweep):
    assert [argv[1] for argv in planned(sweep, "--where", "lr < 0.05")] == ["0.01"] * 2
    assert planned(sweep, "--limit", "3") == planned(sweep)[:3]
    shuffled = planned(sweep, "--shuffle")
    assert sorted(shuffled) == sorted(planned(sweep))
    assert planned(sweep, "--shuffle", "--limit", "2") == shuffled[:2]
    assert [planned(sweep, "--shuffle", f"SEED={n}") for n in range(4)] != [shuffled] * 4
    done = sweep.runx("sweep.yml", "-i", "--shuffle", "--limit", "2", "--where", "opt == 'sgd'")
    assert sorted(sweep.argvs()) == sorted(planned(sweep, "--where", "opt == 'sgd'"))
    assert "starting 2 of 4 runs" in done.stderr
    assert planned(sweep, "--where", "lr > 5") == []
    sweep.runx("sweep.yml", "-i", "--where", "lr > 5")


def test_resuming_goes_by_state_too(project):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {fail: [true, false], n: [1, 2]}\n")
    project.runx("sweep.yml", "-i", "--limit", "1", status=1)
    failed = "state == 'failed'"
    assert planned(project, "--resume", "--where", failed) == [["--fail", "--n", "1"]]
    new = planned(project, "--resume", "--where", "state == 'new' and fail")
    assert new == [["--fail", "--n", "2"]]
    done = project.runx("sweep.yml", "-n", "--resume", "--limit", "1")
    assert "2 left out by --where or --limit" not in done.stderr
    assert "3 left out by --where or --limit" in done.stderr


STYLES = {
    "equals": ["--lr=0.1", "--sizes=[1, 2]", "--amp", "--s=a b"],
    "hydra": ["lr=0.1", "sizes=[1,2]", "amp=true", "off=false", "s='a b'"],
}


@pytest.mark.parametrize("style", STYLES)
def test_a_script_is_told_in_the_style_that_it_reads(project, style):
    more = ["ARGS.list=json"] if style == "equals" else []
    project.write(
        "sweep.yml",
        "CMD: python train.py\nHPARAMS: {lr: 0.1, sizes: [[1, 2]], amp: true, off: false, s: a b}",
    )
    words = [f"ARGS.style={style}", *more]
    assert planned(project, *words) == [STYLES[style]]
    line = project.runx("sweep.yml", "-n", "-i", *words).stdout
    assert shlex.split(line) == ["python", "train.py", *STYLES[style]]
    project.runx("sweep.yml", "-i", *words)
    assert project.argvs() == [STYLES[style]]
    assert described(project, *words)[0]["id"] == described(project)[0]["id"]


def test_a_script_is_told_by_its_environment(project):
    project.write(
        "show.py",
        "import json, os; print('argv', json.dumps([os.environ['HP_O.X'"
        ".replace('.', '_')], os.environ['HP_S'], os.environ['HP_OUT']]))",
    )
    project.write(
        "sweep.yml",
        "CMD: python show.py && echo again $HP_S\nARGS: {style: env}\n"
        'HPARAMS: {o.x: 1e-3, s: "it\'s $x", out: LOGDIR/x}\n',
    )
    line = project.runx("sweep.yml", "-n", "-i").stdout
    assert line.startswith("export HP_O_X=1e-3 ")
    project.runx("sweep.yml", "-i")
    (run,) = project.runs()
    assert project.argvs() == [["1e-3", "it's $x", f"{run}/x"]]
    assert "again it's $x" in (run / "output.log").read_text()
    assert str(run) not in (run / "run.sh").read_text().split("# ----")[1]


def test_a_farms_template_gets_the_command_in_its_style(project):
    project.write(".runx", "FARM: f\nf: {SUBMIT_CMD: 'echo {{ command }}'}\nARGS: {style: hydra}\n")
    done = project.runx("sweep.yml", "-n", "lr=1", "opt=a")
    assert done.stdout.splitlines()[1] == "echo 'python train.py lr=1 opt=a'"


def test_the_table_shows_a_sweep_from_above(sweep):
    words = ["RUNX.SKIP=opt == 'sgd' and lr < 0.05", "RESOURCES.gpus=a100:2", "RESOURCES.time=3h"]
    done = sweep.runx("sweep.yml", "-n", "--table", "lr=0.1,1e-1,0.01", *words)
    assert (
        "6 combinations, 1 skipped by RUNX.SKIP: opt == 'sgd' and lr < 0.05; 5 runs" in done.stdout
    )
    assert "2 of them the same as another" in done.stdout
    assert "each run needs gpus: a100:2, time: 3h" in done.stdout
    assert "at most 30 GPU-hours" in done.stdout
    assert done.stdout.splitlines()[0].split() == ["axis", "size", "values"]
    printed = json.loads(sweep.runx("sweep.yml", "-n", "--table", "--json", *words).stdout)
    assert (printed["combinations"], printed["runs"], printed["equal"]) == (4, 3, 0)
    assert printed["varying"] == ["lr", "opt"]
    assert printed["gpu_hours"] == 18
    assert not (sweep.path / "runs").exists()


def test_the_table_counts_a_hundred_thousand_and_shows_a_few(project):
    project.write("sweep.yml", "CMD: x\nHPARAMS: {a: {range: 1000}, b: {range: 100}}\n")
    lines = project.runx("sweep.yml", "-n", "--table").stdout.splitlines()
    assert "100,000 combinations; 100,000 runs" in lines
    assert lines[-1].startswith("and 99,980 more")
    assert len(lines) < 40


def test_resources_that_differ_are_told_apart(project):
    project.write(
        "sweep.yml",
        "CMD: x\nRESOURCES: {gpus: 1, time: 90m}\n"
        "HPARAMS: {RUNX.CASES: [{a: 1}, {a: 2, SUBMIT_JOB.NODES: 4}], b: [1, 2]}\n",
    )
    printed = project.runx("sweep.yml", "-n", "--table").stdout
    assert "2 runs need gpus: 1, time: 90m\n" in printed
    assert "2 runs need gpus: 1, time: 90m, nodes: 4\n" in printed
    assert "at most 15 GPU-hours" in printed
