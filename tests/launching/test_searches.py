"""SEARCH and HPARAMS to searches and points: what is chosen, what crosses, what is refused."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.errors import RunxError, SettingsError, SweepError
from runx.launching.plan import plan, sweep_of
from runx.launching.search_checks import check_search
from runx.launching.search_points import first_points
from runx.launching.searches import searches_of

SEARCH = "SEARCH: {metric: acc, goal: max, trials: 4}"


def experiment(tmp_path, hparams, search=SEARCH, rest="", cmd="train"):
    file = tmp_path / "search.yml"
    lines = "\n".join(f"  {line}" for line in hparams.splitlines())
    file.write_text(f"CMD: {cmd}\n{search}\n{rest}\nHPARAMS:\n{lines}\n")
    return load(Request(file, tmp_path, {"HOME": "/none"}))


def runs_of(settings):
    numbers = iter(range(10**6))
    return list(plan(settings, sweep_of(settings), lambda point: f"run{next(numbers)}"))


def test_lists_cross_and_repeated_axes_are_seeds_of_one_point(tmp_path):
    settings = experiment(
        tmp_path, "lr: {uniform: [0, 1]}\narch: [small, large]\nseed: {repeat: 3}"
    )
    searches = searches_of(settings)
    assert [each.search.fixed for each in searches.values()] == [
        {"arch": "small"},
        {"arch": "large"},
    ]
    runs = runs_of(settings)
    assert len(runs) == 2 * 4 * 3
    # All seeds of a point start together, and all searches go on side by side.
    assert [run.point.trial.number for run in runs[:7]] == [1] * 6 + [2]
    assert {run.point.trial.search for run in runs} == {*searches}
    assert runs[0].hparams == {"arch": "small", "seed": 0}


def test_each_run_has_an_identity_of_its_own_that_more_trials_leave_as_it_is(tmp_path):
    hparams = "lr: {uniform: [0, 1]}\nseed: {repeat: 2}"
    few = experiment(tmp_path, hparams)
    before = [few.id_of(run.point) for run in runs_of(few)]
    more = experiment(tmp_path, hparams, SEARCH.replace("4", "6"))
    after = [more.id_of(run.point) for run in runs_of(more)]
    assert len({*after}) == 12
    assert after[:8] == before


@pytest.mark.parametrize(
    "change",
    [
        SEARCH.replace("goal: max", "goal: min"),
        SEARCH.replace("acc", "val.f1"),
        SEARCH.replace("trials", "sampler: tpe, trials"),
    ],
)
def test_another_measure_or_sampler_is_the_same_search(tmp_path, change):
    hparams = "lr: {uniform: [0, 1]}"
    one, other = experiment(tmp_path, hparams), experiment(tmp_path, hparams, change)
    assert [*searches_of(one)] == [*searches_of(other)]


@pytest.mark.parametrize(
    "hparams", ["lr: {uniform: [0, 2]}", "lr: {loguniform: [0.1, 1]}", "rate: {uniform: [0, 1]}"]
)
def test_another_range_is_another_search(tmp_path, hparams):
    one = searches_of(experiment(tmp_path, "lr: {uniform: [0, 1]}"))
    assert not {*one} & {*searches_of(experiment(tmp_path, hparams))}


def test_what_is_computed_of_the_choice_is_left_to_the_run(tmp_path):
    settings = experiment(
        tmp_path, "lr: {uniform: [0, 1]}\nwd: '{{ lr / 10 }}'\nb: [1, 2]\nc: '{{ b + 1 }}'"
    )
    assert [run.hparams for run in runs_of(settings)][:2] == [{"b": 1, "c": 2}, {"b": 2, "c": 3}]


def test_cases_are_chosen(tmp_path):
    cases = "RUNX.CASES:\n- {opt: sgd, mom: {uniform: [0, 1]}}\n- {opt: adam}\nb: 1"
    settings = experiment(tmp_path, cases)
    [planned] = searches_of(settings).values()
    assert planned.search.searched == ("opt", "mom")
    assert runs_of(settings)[0].hparams == {"b": 1}
    points = [each.values for each in first_points(settings, planned)]
    assert {(values["opt"], "mom" in values) for values in points} == {
        ("sgd", True),
        ("adam", False),
    }


def test_a_base_that_is_only_inherited_from_is_no_search(tmp_path):
    hparams = "- RUNX.SKIP: true\n  lr: {uniform: [0, 1]}\n- arch: small\n- arch: large"
    settings = experiment(tmp_path, hparams)
    check_search(settings)
    assert len(searches_of(settings)) == 2


def test_a_point_that_is_skipped_is_no_fallback(tmp_path):
    settings = experiment(tmp_path, "lr: {uniform: [0, 1]}\nRUNX.SKIP: lr > 0.5")
    [planned] = searches_of(settings).values()
    points = list(first_points(settings, planned))
    assert [each.number for each in points] == [1, 2, 3, 4]
    assert all(each.values["lr"] <= 0.5 for each in points)
    assert len({each.values["lr"] for each in points}) == 4


def test_fallbacks_are_the_same_on_every_machine_and_go_on_where_they_ended(tmp_path):
    few = experiment(tmp_path, "lr: {uniform: [0, 1]}")
    more = experiment(tmp_path, "lr: {uniform: [0, 1]}", SEARCH.replace("4", "7"))
    [one], [other] = searches_of(few).values(), searches_of(more).values()
    points = list(first_points(few, one))
    assert list(first_points(more, other))[:4] == points
    there = {each.number: each.values for each in points}
    assert [each.number for each in first_points(more, other, there)] == [5, 6, 7]


def test_points_to_try_first_come_first_and_what_they_leave_open_is_drawn(tmp_path):
    search = "SEARCH: {metric: acc, trials: 3, try_first: [{lr: 0.25}, {lr: 0.5, opt: b}]}"
    settings = experiment(tmp_path, "lr: {uniform: [0, 1]}\nopt: {choice: [a, b]}", search)
    [planned] = searches_of(settings).values()
    points = list(first_points(settings, planned))
    assert [each.sampler for each in points] == ["try_first", "try_first", "qmc"]
    assert points[0].values["lr"] == 0.25
    assert points[0].values["opt"] in ("a", "b")
    assert points[1].values == {"lr": 0.5, "opt": "b"}


def test_a_point_to_try_first_of_one_search_is_none_of_another(tmp_path):
    search = "SEARCH: {metric: acc, trials: 2, try_first: [{lr: 0.25, arch: s}]}"
    settings = experiment(tmp_path, "lr: {uniform: [0, 1]}\narch: [s, l]", search)
    one, other = searches_of(settings).values()
    assert next(first_points(settings, one)).values == {"lr": 0.25}
    assert next(first_points(settings, other)).sampler == "qmc"


RANGE = "lr: {uniform: [0, 1]}"
REFUSED = {
    "nothing to choose": ("lr: [1, 2]", {}, "HPARAMS has nothing to choose; write a range"),
    "a mapping without": (f"- {RANGE}\n- lr: 3", {}, "the mapping at .*:6 has nothing to choose"),
    "RUN_NAME": (RANGE, {"rest": "RUN_NAME: 'x{lr}'"}, ":3: RUN_NAME: {lr} is chosen when a run"),
    "RESOURCES": (RANGE, {"rest": "RESOURCES: {mem: '{{ lr * 2 }}'}"}, ":3: RESOURCES: mem: lr is"),
    "tag": (f"{RANGE}\nRUNX.TAG: 'a{{lr}}'", {}, ":6: RUNX.TAG: lr is chosen when a run starts"),
    "a tag chosen": (f"{RANGE}\nRUNX.TAG: {{choice: [a, b]}}", {}, ":6: RUNX.TAG: is needed when"),
    "SAMPLES": (RANGE, {"rest": "SAMPLES: 3"}, ":3: SAMPLES: SEARCH.trials says how many points"),
    "few": ("lr: {choice: [1, 2]}", {}, ":2: SEARCH.trials: 4 are asked for, and there are 2 po"),
    "skipped": (f"{RANGE}\nRUNX.SKIP: lr >= 0", {}, "there are 0 points that RUNX.SKIP leaves"),
    "skipped seed": (
        f"{RANGE}\nseed: {{repeat: 2}}\nRUNX.SKIP: seed == 1 and lr > 0.5",
        {},
        ":7: RUNX.SKIP: .* a point is run with each seed",
    ),
    "hyperparameter": (
        RANGE,
        {"search": "SEARCH: {metric: lr, goal: min, trials: 3}"},
        ":2: SEARCH.metric: lr is a hyperparameter",
    ),
    "unknown first": (
        RANGE,
        {"search": "SEARCH: {metric: acc, trials: 3, try_first: [{foo: 1}]}"},
        ":2: SEARCH.try_first: foo is nothing that the search chooses",
    ),
    "first outside": (
        RANGE,
        {"search": "SEARCH: {metric: acc, trials: 3, try_first: [{lr: 7}]}"},
        ":2: SEARCH.try_first: lr: 7: is no point of the ranges",
    ),
    "too many first": (
        RANGE,
        {"search": "SEARCH: {metric: acc, trials: 1, try_first: [{lr: 0.5}, {lr: 0.6}]}"},
        "has 2 points, and trials: 1 of them are tried; write trials: 2 or more",
    ),
    "warm start": (
        RANGE,
        {"search": "SEARCH: {metric: acc, trials: 1, warm_start: nowhere}"},
        ":2: SEARCH.warm_start: no run or experiment nowhere",
    ),
    "types": (RANGE, {"rest": "HPARAMS_TYPES: {lr: int}"}, ":5: lr: 0.414 is no int"),
    "a list of computed": (
        f"{RANGE}\nwd: ['{{{{ lr }}}}', 3]",
        {},
        ":6: wd: is computed of lr, which a search chooses; give it one value",
    ),
    "set twice": (f"{RANGE}\nRUNX.CASES: [{{lr: 1}}, {{lr: 2}}]", {}, "lr is set twice"),
}


def test_what_is_chosen_groups_no_steps(tmp_path):
    file = tmp_path / "search.yml"
    steps = "{train: {CMD: t}, report: {CMD: r, AFTER: train, PER: [lr]}}"
    file.write_text(f"STEPS: {steps}\n{SEARCH}\nHPARAMS: {{lr: {{uniform: [0, 1]}}}}\n")
    with pytest.raises(
        SettingsError, match=r"search\.yml:1: STEPS: report: PER: lr is chosen when"
    ):
        check_search(load(Request(file, tmp_path, {"HOME": "/none"})))


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_search_cannot_follow_is_refused_with_its_place(tmp_path, case):
    hparams, others, message = REFUSED[case]
    with pytest.raises((SettingsError, SweepError, RunxError), match=message) as raised:
        check_search(settings := experiment(tmp_path, hparams, **others))
        sweep_of(settings)
    assert "\n" not in str(raised.value)


def test_more_runs_than_meant_name_the_trials(tmp_path):
    settings = experiment(tmp_path, RANGE, SEARCH.replace("4", "200000"))
    with pytest.raises(SweepError, match=":2: SEARCH has 200,000 runs, more than 100,000"):
        sweep_of(settings)
