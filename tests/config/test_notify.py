import pytest

from runx.config.experiment import Experiment
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError
from runx.rundir.notify import Notify


def loaded(tmp_path, text, **environment):
    (tmp_path / "sweep.yml").write_text(f"CMD: x\nHPARAMS: {{lr: 1}}\n{text}")
    home = {"HOME": str(tmp_path), **environment}
    experiment: Experiment = load(Request(tmp_path / "sweep.yml", tmp_path, home))
    return experiment.notify


MISTAKES = {
    "NOTIFY: [a, b]": "sweep.yml:3: NOTIFY must be a command, a URL, or as",
    "NOTIFY: {on: end}": "NOTIFY.to: say a command, or a URL",
    "NOTIFY: {to: null}": "NOTIFY.to: say a command",
    "NOTIFY: {too: x}": "sweep.yml:3: NOTIFY: unknown key too; did you mean to?",
    "NOTIFY: {to: [x]}": "NOTIFY.to must be one value",
    "NOTIFY: ftp://x/y": "ftp:// is none of https, http, json\\+https, ntfy\\+https, slack\\+https",
    "NOTIFY: teams+https://x/y": r"teams\+https:// is none of",
    "NOTIFY: https://x/a b": "no whole URL",
    "NOTIFY: https:///a": "no whole URL",
    "NOTIFY: https://": "no whole URL",
    "NOTIFY: https://ntfy.sh/$TOPIC": r"names \$TOPIC, which is not set",
    "NOTIFY: {to: x, on: ends}": "NOTIFY.on: ends is none of end, failure, best",
    "NOTIFY: {to: x, on: [[end]]}": "NOTIFY.on: a list is none of",
    "NOTIFY: {to: x, on: best}": "on best: by which metric",
    "NOTIFY: {to: x, best: wombat}": "best: wombat: less or more",
    "NOTIFY: {to: x, best: acc, lower: perhaps}": "NOTIFY.lower must be true or false",
    "NOTIFY: {to: x, digest: 3}": "NOTIFY.digest must be true or false",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_said_with_its_place(tmp_path, text):
    with pytest.raises(SettingsError, match=MISTAKES[text]) as refused:
        loaded(tmp_path, text)
    assert "sweep.yml:3" in str(refused.value)


@pytest.mark.parametrize("text", ["", "NOTIFY:", "NOTIFY: ''", "NOTIFY: false"])
def test_without_it_nobody_is_told(tmp_path, text):
    assert loaded(tmp_path, text) is None


def test_a_word_is_a_command_and_a_mapping_says_more(tmp_path):
    assert loaded(tmp_path, "NOTIFY: mail me") == Notify("mail me")
    full = (
        "NOTIFY: {to: mail me, on: [best, end, end], best: 'val.x:max', lower: false, digest: true}"
    )
    expected = Notify("mail me", ("best", "end"), "val.x:max", False, True)
    assert loaded(tmp_path, full) == expected
    named = loaded(tmp_path, "NOTIFY: {to: x, best: loss}")
    assert named == Notify("x", ("end", "failure", "best"), "loss", True)


def test_a_token_comes_from_the_environment_or_from_the_users_file(tmp_path):
    text = "NOTIFY: https://ntfy.sh/$TOPIC?x=${OTHER}"
    told = loaded(tmp_path, text, TOPIC="a", OTHER="b")
    assert told.to == "https://ntfy.sh/a?x=b"
    assert loaded(tmp_path, "", RUNX_NOTIFY="mail me").to == "mail me"
    assert loaded(tmp_path, "NOTIFY: other", RUNX_NOTIFY="") is None
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "runx.yml").write_text("NOTIFY: https://x.org/secret\n")
    assert loaded(tmp_path, "").to == "https://x.org/secret"
