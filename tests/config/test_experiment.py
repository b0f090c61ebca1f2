"""An experiment's settings as they are shown."""

import pytest

from runx.config.keys import KEYS
from runx.config.load import load
from runx.config.request import Request


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "a.yml").write_text("CMD: x\nHPARAMS: {lr: [1, 2]}\nENV: {A: 1}\n")
    request = Request(tmp_path / "a.yml", tmp_path, {"HOME": "/none"}, overrides=("lr=3",))
    return load(request).settings


def test_a_setting_has_its_text_and_its_source(settings):
    assert settings["ENV"].text == "{A: 1}"
    assert settings["ENV"].origin.endswith("a.yml:3")
    assert settings["LOGROOT"] == ("./runs", "default")


def test_hparams_are_shown_with_what_is_laid_over_them(settings):
    assert settings["HPARAMS"].text == "{lr: 3}"
    assert settings["HPARAMS"].origin.endswith("a.yml:2, lr=3")


def test_what_is_not_set_and_has_no_default_is_not_shown(settings):
    assert settings.get("TITLE") is None
    assert "NO_SUCH_KEY" not in settings
    assert len(settings) == len(dict(settings))
    defaults = {name for name, key in KEYS.items() if key.default is not None}
    assert set(settings) == {"CMD", "HPARAMS", "ENV", *defaults}
