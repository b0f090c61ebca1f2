"""Settings: where each comes from, what it means, and the message on a mistake."""

import pytest

from runx.config.every_source import logroot
from runx.config.keys import KEYS
from runx.config.load import load
from runx.config.request import Request
from runx.errors import RunxError, SettingsError
from runx.rundir.shell import PLAIN

SWEEP = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2]}\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "sweep.yml").write_text(SWEEP)
    return tmp_path / "project"


def loaded(project, runx=None, sweep=None, environment=None, **options):
    if runx is not None:
        (project / ".runx").write_text(runx)
    if sweep is not None:
        (project / "sweep.yml").write_text(sweep)
    environment = {"HOME": str(project.parent / "home"), "USER": "ada", **(environment or {})}
    return load(Request(project / "sweep.yml", project, environment, **options))


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("", "empty"),
        ("HPARAMS: {}\n", "CMD is missing"),
        ("CMD: x\n", "HPARAMS is missing"),
        ("CMD: x\nHPARMS: {lr: 1}\n", "unknown key HPARMS; did you mean HPARAMS"),
        ("CMD: [a]\nHPARAMS: {}\n", "CMD must be text"),
        (SWEEP + "CMD: y\n", "CMD"),
        (SWEEP + "RESOURCES: 3\n", "sweep.yml:3: RESOURCES: '3' is no resource"),
        (SWEEP + "CODE_STAGING: links\n", "CODE_STAGING must be one of"),
        (SWEEP + "CODE_GITIGNORE: 3\n", "CODE_GITIGNORE must be true or false"),
        (SWEEP + "CODE_MAX_SIZE: big\n", "CODE_MAX_SIZE must be a size"),
        (SWEEP + "LOGROOT: $NOWHERE/logs\n", r"LOGROOT names \$NOWHERE, which is not set"),
        (SWEEP + "EXP_NAME: ../x\n", "can't name an experiment"),
        (SWEEP + "EXP_NAME: '{title}'\n", "EXP_NAME: {title}: there is no TITLE; write one"),
        (SWEEP + "RUN_NAME: '{title}'\n", "RUN_NAME: {title}: there is no TITLE; write one"),
        (SWEEP + "EXP_NAME: '{wid}'\n", "{wid} is unknown"),
        (
            SWEEP + "EXP_NAME: '{a}'\nNAMES: {a: '{{ lr }}'}\n",
            "NAMES: a: .*lr is unknown.*; in EXP_NAME there are no hyperparameters",
        ),
        (SWEEP + "RUNX.TAG: x\n", "sweep.yml:3: RUNX.TAG stands in HPARAMS; move it there"),
        (SWEEP + "RUNX.ABLATE: {a: [1, 2]}\n", "RUNX.ABLATE stands in HPARAMS"),
        (SWEEP + "SUBMIT_JOB.NODES: 2\n", "SUBMIT_JOB.NODES stands in HPARAMS"),
        (SWEEP + "xlr: 2\n", "unknown key xlr; nearest are .*LOGROOT.*; docs/yaml.md lists all$"),
        (
            SWEEP + "big: {SUBMIT_CMD: x, xlr: 1}\n",
            "xlr in farm big; nearest are [A-Z_, ]*; docs/yaml.md lists all$",
        ),
        (SWEEP + "HPARAMS_TYPES: {lr: flaot}\n", "HPARAMS_TYPES: lr: type takes"),
        (SWEEP + "HPARAMS_TYPES: [lr]\n", "HPARAMS_TYPES must be a mapping of names to types"),
        *(
            (SWEEP + f"LABELS: {labels}\n", "LABELS must be a list of names, none of them empty")
            for labels in ("['']", "[a, '  ']", "['a, b']")
        ),
        (SWEEP + "LABELS: {a: 1}\n", "LABELS must be a list of names"),
        (SWEEP + "FARM: bigfram\nbigfarm: {SUBMIT_CMD: x}\n", "did you mean bigfarm"),
        (SWEEP + "FARM: bigfarm\n", "no section describes farm bigfarm"),
        (SWEEP + "FARM: big\nbig: {RESOURCES: {gpu: 1}}\n", "farm big has no SUBMIT_CMD"),
        (SWEEP + "big: {SUBMIT_CMD: x, RESORCES: {}}\n", "unknown key RESORCES in farm big"),
        (
            SWEEP + "big: {SUBMITCMD: x}\n",
            "unknown key SUBMITCMD in farm big; did you mean SUBMIT_",
        ),
        (SWEEP + "RESSOURCES: {seed: 1}\n", "unknown key RESSOURCES; did you mean RESOURCES"),
        ("CMD: x\n\tHPARAMS: {}\n", "tab"),
        ("CMD: 'x\nHPARAMS: {}\n", "sweep.yml:"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(project, sweep, message):
    with pytest.raises(RunxError, match=message) as caught:
        loaded(project, sweep=sweep)
    assert "\n" not in str(caught.value)
    assert "sweep.yml" in str(caught.value)


def test_a_config_file_that_is_not_there_is_an_error(project):
    with pytest.raises(SettingsError, match="no such file"):
        loaded(project, config=project / "other.runx")


def test_with_nothing_but_the_experiment_runs_are_made_here_in_runs(project):
    experiment = loaded(project)
    assert experiment.farm is None
    assert experiment.logroot == project / "runs"
    assert experiment.name == "sweep"


def test_the_nearest_source_wins_key_by_key(project):
    runx = "LOGROOT: /runx\nTITLE: of runx\nNOTE: of runx\nRESOURCES: {gpu: 1, mem: 8}\n"
    sweep = SWEEP + "TITLE: of sweep\nNOTE: of sweep\nRESOURCES: {gpu: 2}\n"
    experiment = loaded(project, runx, sweep, {"RUNX_NOTE": "of environment"})
    assert str(experiment.logroot) == "/runx"
    assert experiment.title == "of sweep"
    assert experiment.note == "of environment"
    assert {r.name: r.value for r in experiment.resources} == {"gpu": 2, "mem": 8}


def test_a_flag_wins_over_everything(project):
    experiment = loaded(
        project,
        "EXP_NAME: a\n",
        SWEEP + "EXP_NAME: b\n",
        {"RUNX_EXP_NAME": "c"},
        flags={"EXP_NAME": "d"},
    )
    assert experiment.name == "d"
    assert experiment.settings["EXP_NAME"].origin == "--exp_name"


def test_the_section_of_the_farm_that_is_chosen_holds_any_setting(project):
    runx = (
        "LOGROOT: /all\nFARM: big\n"
        "big: {SUBMIT_CMD: submit_big, LOGROOT: /big, RESOURCES: {gpu: 8}}\n"
        "small: {SUBMIT_CMD: submit_small, RESOURCES: {gpu: 1}}\n"
    )
    big = loaded(project, runx)
    assert (big.farm.name, big.farm.submit_cmd, str(big.logroot)) == ("big", "submit_big", "/big")
    small = loaded(project, runx, flags={"FARM": "small"})
    assert (small.farm.submit_cmd, str(small.logroot)) == ("submit_small", "/all")
    assert small.resources[0].value == 1


def test_interactively_a_farm_submits_nothing_but_its_settings_hold(project):
    runx = "FARM: big\nbig: {SUBMIT_CMD: submit_big, LOGROOT: /big}\n"
    experiment = loaded(project, runx, here=True)
    assert experiment.farm is None
    assert str(experiment.logroot) == "/big"


def test_a_relative_logroot_starts_at_the_file_that_says_it(project):
    (project / ".runx").write_text("LOGROOT: logs\n")
    (project / "deep" / "down").mkdir(parents=True)
    (project / "deep" / "down" / "sweep.yml").write_text(SWEEP)
    request = Request(project / "deep/down/sweep.yml", project / "deep", {"HOME": "/none"})
    assert load(request).logroot == project / "logs"


def test_a_folder_named_runx_is_never_taken_for_the_settings(project):
    (project / ".runx").mkdir()
    (project.parent / ".runx").write_text("LOGROOT: logs\n")
    assert loaded(project).logroot == project.parent / "logs"


def test_the_users_own_settings_stand_under_the_projects(project):
    home = project.parent / "home" / ".config"
    home.mkdir(parents=True)
    (home / "runx.yml").write_text("LOGROOT: /users\nTITLE: users\n")
    experiment = loaded(project, "TITLE: projects\n")
    assert (str(experiment.logroot), experiment.title) == ("/users", "projects")


def test_paths_expand_home_variables_and_the_user(project):
    experiment = loaded(project, "LOGROOT: $SCRATCH/{user}/logs\n", environment={"SCRATCH": "/s"})
    assert str(experiment.logroot) == "/s/ada/logs"
    home = loaded(project, "LOGROOT: ~/logs\n")
    assert home.logroot.name == "logs"
    assert "~" not in str(home.logroot)


def test_pythonpath_expands_and_keeps_logdir(project):
    path = "PYTHONPATH: LOGDIR/code:$LIB/x:~/lib:$PYTHONPATH\n"
    experiment = loaded(project, path, environment={"LIB": "/lib"})
    first, second, third = experiment.pythonpath.split(":")
    assert (first, second) == ("LOGDIR/code", "/lib/x")
    assert third.endswith("/lib") and "~" not in third


def test_logroot_is_found_without_an_experiments_file(project):
    (project / ".runx").write_text("LOGROOT: logs\n")
    (project / "below").mkdir()
    assert logroot(project / "below", {"HOME": "/none"}) == project / "logs"
    assert str(logroot(project, {"HOME": "/none", "RUNX_LOGROOT": "/env"})) == "/env"


def test_the_ignore_patterns_of_the_user_replace_the_default(project):
    assert loaded(project).code.ignore == (".git", "*.pyc", "__pycache__", "*.pth")
    assert loaded(project, "CODE_IGNORE_PATTERNS: '.git,docs*'\n").code.ignore == (".git", "docs*")
    assert loaded(project, "CODE_IGNORE_PATTERNS: [a b, c]\n").code.ignore == ("a b", "c")


def test_an_empty_hparams_is_one_run_and_no_mistake(project):
    assert loaded(project, sweep="CMD: x\nHPARAMS: {}\n").hparams == {}


def test_a_users_settings_that_are_somebody_elses_are_refused_in_a_line(public, as_ordinary_user):
    (public / "closed").mkdir(mode=0)
    (public / "sweep.yml").write_text(SWEEP)
    # What loading imports lies where an ordinary user may not look.
    loaded(public)

    def refused():
        with pytest.raises(SettingsError, match="you may not look there"):
            loaded(public, environment={"XDG_CONFIG_HOME": str(public / "closed")})

    as_ordinary_user(refused)


@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"CMD", "HPARAMS", "EXTENDS"}))
@pytest.mark.parametrize("nothing", ["", "null", "~"])
def test_a_key_with_nothing_after_it_is_no_fault(project, name, nothing):
    experiment = loaded(project, sweep=f"{SWEEP}{name}: {nothing}\n")
    unset = loaded(project, sweep=SWEEP)
    if name != "CODE_IGNORE_PATTERNS":
        assert experiment.code == unset.code
    assert experiment.logroot == unset.logroot
    assert (experiment.farm, experiment.shell, experiment.sweep_context.seed) == (None, PLAIN, 0)


def test_nothing_after_a_key_is_stronger_than_what_weaker_sources_say(project):
    runx = "LOGROOT: /weaker\nTITLE: weaker\nCODE_LINKS: weaker\n"
    experiment = loaded(project, runx, SWEEP + "LOGROOT:\nTITLE:\nCODE_IGNORE_PATTERNS:\n")
    assert (experiment.logroot, experiment.title) == (project / "runs", "")
    assert (experiment.code.ignore, experiment.code.links) == ((), ("weaker",))


def test_an_empty_word_is_a_seed(project):
    assert loaded(project, sweep=SWEEP + "SEED: ''\n").sweep_context.seed == ""


def test_an_empty_logroot_in_the_environment_is_none(project):
    assert loaded(project, environment={"RUNX_LOGROOT": ""}).logroot == project / "runs"


def test_what_begins_with_x_holds_anchors_and_nothing_else(project):
    sweep = "x-base: &b {lr: [1, 2], wd: 3}\nx-: 1\nCMD: x\nHPARAMS: {<<: *b, wd: 4}\n"
    runx = "x-farm: &f {SUBMIT_CMD: x}\nbig: {<<: *f}\nFARM: big\n"
    experiment = loaded(project, runx, sweep)
    assert list(experiment.hparams) == ["lr", "wd"]
    assert experiment.farm.submit_cmd == "x"
    with pytest.raises(SettingsError, match="no section describes farm x-farm"):
        loaded(project, runx.replace("FARM: big", "FARM: x-farm"), sweep)


def test_an_experiment_is_named_by_its_title_and_its_own_placeholders(project):
    named = "TITLE: a/b c?\nEXP_NAME: '{title}-{who}'\nNAMES: {who: '{{ env.USER }}'}\n"
    assert loaded(project, sweep=SWEEP + named).name == "a-b-c-ada"


def test_looking_claims_no_number_and_the_same_experiment_keeps_the_one_claimed(project):
    numbered = SWEEP + "EXP_NAME: '{xid}-{who}'\nNAMES: {who: '{{ env.USER }}'}\n"
    assert loaded(project, sweep=numbered).name == "1-ada"
    assert not (project / "runs").exists()
    assert loaded(project, claims=True).name == "1-ada"
    (project / "other.yml").write_text(SWEEP + "EXP_NAME: '{xid}-{user}'\n")
    other = Request(project / "other.yml", project, {"HOME": "/", "USER": "ada"}, claims=True)
    assert (load(other).name, loaded(project).name, load(other).name) == ("2-ada", "1-ada", "2-ada")


def test_a_number_in_run_names_alone_is_of_the_experiments_name(project):
    numbered = loaded(project, sweep=SWEEP + "RUN_NAME: '{xid}-{wid}'\n", claims=True)
    assert (numbered.name, numbered.texts["xid"]) == ("sweep", "1")
    assert loaded(project, claims=True).number.value == 1
    assert loaded(project, sweep=SWEEP).number is None


def test_args_may_be_a_style_alone(project):
    assert loaded(project, sweep=f"{SWEEP}ARGS: hydra\n").style.style == "hydra"
    assert loaded(project, runx="ARGS: {list: json}\n", sweep=f"{SWEEP}ARGS: equals\n").style[
        :2
    ] == (
        "equals",
        "json",
    )
    overridden = loaded(project, sweep=SWEEP, overrides=("ARGS=env", "ARGS.list=json"))
    assert overridden.style[:2] == ("env", "json")
    with pytest.raises(SettingsError, match=r"sweep.yml:3: ARGS: hidra is no style: .* hydra"):
        loaded(project, sweep=f"{SWEEP}ARGS: hidra\n")
