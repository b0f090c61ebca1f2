"""Settings that are mappings: what is refused, where it stands, and what is understood."""

from pathlib import Path

import pytest

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.errors import SettingsError
from runx.rundir.handback import Requeue
from runx.rundir.styles import Style
from runx.sweeps.values import Hparam
from runx.sweeps.yaml import parse


def decoded(name, yaml):
    node = parse(f"it: {yaml}", "x").tree["it"]
    place = "sweep.yml:3"
    entry = Entry(node, place, Path("/project"), lambda *_: place)
    return KEYS[name].kind.decode(name, entry, {})


@pytest.mark.parametrize(
    ("name", "yaml", "message"),
    [
        ("RESOURCES", "3", "RESOURCES: '3' is no resource; write as 'duration=3h & "),
        ("RESOURCES", "{gpu: {a: 1}}", "RESOURCES.gpu must be a value or a list of values"),
        ("FILES", "[a]", "FILES must be a mapping of names to paths"),
        ("FILES", "{a: }", "FILES must be a mapping of names to paths"),
        ("FILES", "{a: [b]}", "FILES must be text"),
        ("ENV", "A=1", "ENV must be a mapping of names to values"),
        ("ENV", "{a-b: 1}", "ENV: 'a-b' can't name a variable"),
        ("ENV", "{A: [1]}", "ENV.A must be one value"),
        ("ENV", '{A: "\\0"}', "ENV.A must be one value"),
        ("IDENTITY_DEFAULTS", "[a]", "IDENTITY_DEFAULTS must be a mapping"),
        ("ARGS", "[a]", r"ARGS must be a style, or a mapping as \{style: hydra\}"),
        ("SWEEPS", "seeds", "SWEEPS must be a mapping of names to hyperparameters"),
        ("REQUEUE", "often", r"REQUEUE must be as \{max: 5, signal: USR1@120\}"),
        ("REQUEUE", "[1]", "REQUEUE must be as"),
        ("REQUEUE", "{mx: 3}", "REQUEUE: unknown key mx; did you mean max"),
        ("REQUEUE", "{max: many}", "REQUEUE.max must be a whole number"),
        ("REQUEUE", "{max: [1]}", "REQUEUE.max must be one value"),
        ("REQUEUE", "{signal: TERM}", "REQUEUE.signal must be as USR1@120"),
        ("REQUEUE", "{forward: maybe}", "REQUEUE.forward must be true, false or note"),
    ],
)
def test_what_is_no_such_mapping_is_refused_where_it_stands(name, yaml, message):
    with pytest.raises(SettingsError, match=f"^sweep.yml:3: {message}"):
        decoded(name, yaml)


@pytest.mark.parametrize(
    ("name", "yaml", "value"),
    [
        ("RESOURCES", "{gpu: 2}", ((Hparam("gpu", 2, "2"),),)),
        ("RESOURCES", "{m: [1, b]}", ((Hparam("m", (1, "b"), ("1", "b")),),)),
        ("FILES", "{a: ../b}", {"a": Path("/b")}),
        ("ENV", "{A: 010, B: }", {"A": "010", "B": ""}),
        ("IDENTITY_DEFAULTS", "{dropout: 0.0}", {"dropout": 0.0}),
        ("ARGS", "{style: equals}", Style("equals", "", "flag", "--")),
        ("REQUEUE", "true", Requeue(5, 120, "term")),
        ("REQUEUE", "false", None),
        ("REQUEUE", "{max: 2, signal: SIGUSR1@60, forward: note}", Requeue(2, 60, "note")),
        ("REQUEUE", "{signal: USR1, forward: TRUE}", Requeue(5, 120, "signal")),
    ],
)
def test_a_mapping_is_read_as_its_kind_has_it(name, yaml, value):
    assert decoded(name, yaml) == value
