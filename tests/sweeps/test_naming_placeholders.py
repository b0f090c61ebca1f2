"""RUN_NAME and EXP_NAME."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runx.errors import SettingsError
from runx.sweeps.naming import LONGEST_NAME, NameContext, fill_template, template_names
from runx.sweeps.values import Hparam, Point

LAUNCH = NameContext(
    {"user": "me", "date": "2026.02.06", "git": "abc", "farm": "slurm"}, 120, ["lr"]
)


def naming(template: str) -> Callable[[Point], str]:
    return template_names(
        template, LAUNCH, ["lr", "opt", "out"], lambda _: "1a2b", lambda: "wise-owl"
    )


def point(lr: str = "0.1", tag: str = "", **more: str) -> Point:
    others = [Hparam(name, value, value) for name, value in more.items()]
    return Point((Hparam("lr", float(lr), lr), *others), tag)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{swep}", r"RUN_NAME: \{swep\} is unknown: did you mean sweep\?"),
        ("{}", r"RUN_NAME: \{\} is unknown"),
        ("{optt}", r"did you mean opt\?"),
    ],
)
def test_an_unknown_placeholder_is_refused_before_any_name_is_made(template, message):
    with pytest.raises(SettingsError, match=message):
        naming(template)


def test_two_runs_of_one_name_are_refused():
    new_name = naming("{user}-{opt}")
    new_name(point(opt="a/b"))
    with pytest.raises(SettingsError, match="runs 1 and 2 would both be called me-a-b; put"):
        new_name(point(opt="a-b"))


def test_a_name_of_nothing_is_refused():
    with pytest.raises(SettingsError, match=r"run 1 would have no name; put \{wid\}"):
        naming("{tag}")(point())


def test_every_placeholder_is_filled_in():
    new_name = naming("{wid}_{tag}_{coolname}_{date}_{id}_{user}_{farm}_{git}_{opt}")
    assert new_name(point(tag="t", opt="sgd")) == (
        "001_t_wise-owl_2026.02.06_1a2b_me_slurm_abc_sgd"
    )


def test_the_sweep_is_what_varies_without_the_runs_own_directory():
    launch = LAUNCH._replace(varying=["lr", "out"])
    new_name = template_names("{wid}{sep}{sweep}", launch, [], str, str)
    assert new_name(point("1e-3", out="LOGDIR/x", opt="sgd")) == "001-lr=1e-3"


def test_there_is_no_dash_where_nothing_varies():
    new_name = template_names("{wid}{sep}{sweep}", LAUNCH._replace(varying=[]), [], str, str)
    assert new_name(point()) == "001"


def test_a_name_that_is_too_long_is_shortened_and_stays_its_own():
    new_name = naming("{opt}")
    one, other = new_name(point(opt="x" * 300 + "1")), new_name(point(opt="x" * 300 + "2"))
    assert one != other
    assert len(one) == len(other) == LONGEST_NAME


def test_an_experiment_takes_what_its_runs_share():
    assert fill_template("{user}/{date}", LAUNCH.texts, "x") == "me/2026.02.06"
    with pytest.raises(SettingsError, match=r"EXP_NAME: \{lr\} is unknown"):
        fill_template("{lr}", LAUNCH.texts, "EXP_NAME")
