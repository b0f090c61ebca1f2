"""RESOURCES with alternatives, in Experimaestro's text or as a list, over sources; CAPACITY."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runx.config.alternatives import alternatives, laid_over
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError
from runx.farms.resources import Needs, needs
from runx.sweeps.values import Hparam, Scalar
from runx.sweeps.yaml import parse

SWEEP = "CMD: python train.py\nHPARAMS: {lr: 1}\n"


def read(text):
    node = alternatives(Scalar(text, text), "x.yml:3")
    nodes = node if isinstance(node, list) else [node]
    return [{name: item.text for name, item in each.items()} for each in nodes]


def loaded(folder, sweep="", runx="", *overrides, **environment):
    (folder / "sweep.yml").write_text(SWEEP + sweep)
    (folder / ".runx").write_text(runx)
    environment = {"HOME": "/none", **environment}
    return load(Request(folder / "sweep.yml", folder, environment, overrides=overrides))


def asked(experiment):
    return [{each.name: each.text for each in one} for one in experiment.alternatives]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "'3' is no resource"),
        ("", "'' is no resource"),
        ("cuda*1 |", "'' is no resource"),
        ("cuda*1 & & cpu(cores=2)", "'' is no resource"),
        ("cuda(mem=4G", "'cuda\\(mem=4G' is no resource"),
        ("cuda(cores=4)", "cuda\\(cores=4\\): cuda takes mem"),
        ("cpu(mem)", "cpu\\(mem\\): cpu takes mem and cores"),
        ("cpu(mem=4G,)", "cpu\\(\\): cpu takes mem and cores"),
        ("cpu(cores=2)*2", "'cpu\\(cores=2\\)\\*2' is no resource"),
        ("cuda*1 & cuda*1", r"says gpus twice; write cuda\(...\)\*2 for two"),
        ("duration=1h & duration=2h", "says time twice"),
        ("gpus=2", "'gpus=2' is no resource; write as 'duration=3h & cuda"),
    ],
)
def test_a_text_that_asks_for_nothing_known_is_refused_where_it_stands(tmp_path, text, message):
    with pytest.raises(SettingsError, match=rf"sweep.yml:3: RESOURCES: .*{message}"):
        loaded(tmp_path, f"RESOURCES: {text!r}\n")


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("[]", "there is no alternative"),
        ("[[a]]", "each alternative must be a mapping, or as"),
        ("[{gpus: 1}, null]", "each alternative must be a mapping, or as"),
        ("[{gpus: {a: 1}}]", "RESOURCES.gpus must be a value or a list of values"),
    ],
)
def test_a_list_of_anything_else_is_refused(tmp_path, yaml, message):
    with pytest.raises(SettingsError, match=rf"sweep.yml:3: RESOURCES\S* .*{message.split()[-1]}"):
        loaded(tmp_path, f"RESOURCES: {yaml}\n")


SPACES = st.sampled_from(["", " ", "  "])
SIZES = st.sampled_from(["4G", "400M", "4GiB", "512MiB", "80"])
TIMES = st.sampled_from([("3h", "3h"), ("40 h", "40h"), ("3 hours", "3h"), ("2 days", "2d")])


@st.composite
def alternative(draw):
    """One alternative: its terms as people may write them, and what it means."""
    terms, means = [], {}
    pad = lambda: draw(SPACES)  # noqa: E731
    if draw(st.booleans()):
        text, means["time"] = draw(TIMES)
        terms.append(f"duration{pad()}={pad()}{text}")
    if draw(st.booleans()) or not terms:
        means["gpus"] = str(draw(st.integers(1, 16)))
        memory = draw(st.none() | SIZES)
        inner = f"{pad()}mem{pad()}={pad()}{memory}{pad()}" if memory else ""
        means |= {"gpu_mem": memory} if memory else {}
        plain = means["gpus"] == "1" and draw(st.booleans())
        terms.append(f"cuda{pad()}({inner})" + ("" if plain else f"{pad()}*{pad()}{means['gpus']}"))
    if draw(st.booleans()):
        means["cpus"], means["mem"] = str(draw(st.integers(1, 64))), draw(SIZES)
        parts = draw(st.permutations([f"cores={means['cpus']}", f"mem{pad()}={means['mem']}"]))
        terms.append(f"cpu({f'{pad()},{pad()}'.join(parts)})")
    return f"{pad()}&{pad()}".join(draw(st.permutations(terms))), means


@given(st.lists(alternative(), min_size=1, max_size=4), SPACES)
def test_a_text_means_what_was_written_into_it(written, space):
    text = f"{space}|{space}".join(text for text, _ in written)
    assert read(f"{space}{text}{space}") == [means for _, means in written]
    for means in read(text):
        needs([Hparam(name, value, value) for name, value in means.items()])


@given(st.text() | st.text("cudapmemorst()=&|*, {}0123456789GhM"))
@example("cuda({{)|}}")
@example("duration=" + "9" * 400)
def test_any_other_text_is_refused_in_one_line(text):
    try:
        assert all(each for each in read(text))
    except SettingsError as error:
        assert str(error).startswith("x.yml:3: RESOURCES: ")


def test_what_is_computed_in_a_text_may_hold_any_sign():
    text = "cuda(mem={{ max(4, 2) * attempt }}G) * {{ (n) }} | duration={{ 2 * attempt }}h"
    gpus = {"gpu_mem": "{{ max(4, 2) * attempt }}G", "gpus": "{{ (n) }}"}
    assert read(text) == [gpus, {"time": "{{ 2 * attempt }}h"}]


def test_each_alternative_keeps_to_itself_what_any_of_them_names(tmp_path):
    text = "RESOURCES: 'duration=3h & cuda(mem=4G)*1 | cpu(cores=16)'\n"
    runx = "RESOURCES: {gpu: 4, cpus: 2, account: me}\n"
    assert asked(loaded(tmp_path, text, runx)) == [
        {"account": "me", "time": "3h", "gpu_mem": "4G", "gpus": "1"},
        {"account": "me", "cpus": "16"},
    ]


def test_a_mapping_over_alternatives_holds_for_each(tmp_path):
    listed = "RESOURCES: ['cuda*2', {cpus: 8}]\n"
    assert asked(loaded(tmp_path, listed, "", "RESOURCES.time=1h")) == [
        {"gpus": "2", "time": "1h"},
        {"cpus": "8", "time": "1h"},
    ]
    assert asked(loaded(tmp_path, "RESOURCES: {gpus: 1}\n", listed))[1] == {
        "cpus": "8",
        "gpus": "1",
    }


def test_a_text_may_come_from_anywhere_and_outweighs_a_weaker_one(tmp_path):
    one = "duration=1h & cuda(mem=4G)*1 & cpu(cores=2)"
    assert asked(loaded(tmp_path, "", "", f"RESOURCES={one}"))[0]["cpus"] == "2"
    assert asked(loaded(tmp_path, "", "", RUNX_RESOURCES=one))[0]["gpu_mem"] == "4G"
    mapped = loaded(tmp_path, f"RESOURCES: '{one}'\n", "RESOURCES: {gpus: 8, image: x}\n")
    assert asked(mapped) == [
        {"gpus": "1", "image": "x", "time": "1h", "gpu_mem": "4G", "cpus": "2"}
    ]
    with pytest.raises(SettingsError, match="RESOURCES was set before it, and not as a mapping"):
        loaded(tmp_path, "", "", f"RESOURCES={one}", "RESOURCES.gpus=2")


def test_one_list_replaces_another():
    one, two = {"gpus": Scalar(1, "1")}, {"cpus": Scalar(2, "2")}
    assert laid_over([one, two], [two, one]) == [one, two]
    assert laid_over(Scalar(None, ""), one) == Scalar(None, "")


def capacity(yaml):
    node = parse(f"it: {yaml}", "x").tree["it"]
    entry = Entry(node, ".runx:3", Path("/project"), lambda *_: ".runx:4")
    return KEYS["CAPACITY"].kind.decode("CAPACITY", entry, {})


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("big", "CAPACITY must be auto, or a mapping as"),
        ("[8]", "CAPACITY must be auto, or a mapping as"),
        ("{gpu_memory: 4G}", "CAPACITY: unknown key gpu_memory; did you mean gpu_mem"),
        ("{partition: gpu}", "CAPACITY: unknown key partition"),
        ("{gpus: [1]}", "CAPACITY.gpus must be one value"),
        ("{gpus: many}", "CAPACITY: gpus must be a whole number, not 'many'"),
        ("{gpu_mem: 0}", "CAPACITY: gpu_mem must be a size"),
        ("{time: 3}", "CAPACITY: time must be as 2h"),
        ("{mem: -1G}", "CAPACITY: mem must be a size"),
    ],
)
def test_a_capacity_that_says_nothing_is_refused_where_it_stands(yaml, message):
    with pytest.raises(SettingsError, match=rf"^\.runx:[34]: {message}"):
        capacity(yaml)


def test_a_capacity_is_in_the_units_of_needs():
    assert capacity("{gpu: 8, gpu_mem: 80G, cpus: 64, mem: 500G, time: 3d}") == Needs(
        gpus=8, gpu_mem=76294, cpus=64, mem=512000, time=259200
    )
    assert capacity("{}") == Needs()
    assert capacity("auto") == "auto"


def test_only_this_machine_is_measured(tmp_path):
    runx = "FARM: auto\nbig: {TYPE: slurm, CAPACITY: auto}\n"
    with pytest.raises(SettingsError, match=r"\.runx:2: CAPACITY: auto measures this machine"):
        loaded(tmp_path, "", runx)
