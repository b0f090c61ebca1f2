"""NAMES: an experiment's own placeholders."""

import pytest

from runx.errors import SettingsError
from runx.sweeps.own_names import own_texts
from runx.sweeps.values import Hparam, Point

BIG = Point((Hparam("width", 1024, "1024"), Hparam("lr", 0.01, "1e-2")), "", (("nodes", 2),))


def texts(form, known=("width", "lr", "SUBMIT_JOB.NODES"), name="own"):
    at = "x.yml:{}".format
    return own_texts({name: form}, f"{{{name}}}", known, at, {"HOME": "/h"})(BIG)[name]


def test_a_text_is_filled_in_from_the_run():
    assert texts("{{ 'big' if width > 512 else 'small' }}") == "big"
    assert texts("w{{ width // 2 }}-{{ lr }}-{{ SUBMIT_JOB.NODES }}") == "w512-1e-2-2"
    assert texts("plain") == "plain"
    assert texts("{{ env.HOME }}", known=()) == "/h"


@pytest.mark.parametrize(
    ("form", "name", "known", "message"),
    [
        ("{{ widht }}", "own", ("width",), "NAMES: own: .*did you mean width"),
        ("{{ width }}", "own", (), "in EXP_NAME there are no hyperparameters"),
        ("{{ width + 'x' }}", "own", ("width",), "x.yml:own: NAMES: own: "),
        ("{{ env.GONE }}", "own", ("width",), "GONE is not set"),
        ("w{width}", "own", ("width",), r"own: {width}: write {{ width }} for a hyperparameter"),
        ("x", "wid", ("width",), "{wid} has a meaning already"),
        ("x", "title", ("width",), "{title} has a meaning already"),
        ("x", "width", ("width",), "{width} has a meaning already"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(form, name, known, message):
    with pytest.raises(SettingsError, match=message):
        texts(form, known, name)
