import pytest
import yaml

from runx.rundir.secrets import unsaid, without_secrets

TEXTS = {
    "NOTIFY: https://secret # c\nB: 1\n": "NOTIFY: null # c\nB: 1\n",
    "NOTIFY:\n  to: secret\n  on: [end]\n\n# c\nB: 1\n": None,
    "NOTIFY: {to: secret,\n  on: end}\nB: 1\n": "NOTIFY: null\nB: 1\n",
    "NOTIFY: |\n  mail secret\n  more\nB: 1\n": None,
    "x-a: &a secret\nNOTIFY: *a\nB: 1\n": "x-a: &a null\nNOTIFY: *a\nB: 1\n",
    "farm:\n  NOTIFY: secret\nB: 1": "farm:\n  NOTIFY: null\nB: 1",
    "x-a: &a {NOTIFY: secret}\nfarm:\n  <<: *a\nB: 1\n": None,
    "B: 1\n'NOTIFY': \"secret é ✓\"": "B: 1\n'NOTIFY': null",
    '{"NOTIFY": "secret", "B": 1}': '{"NOTIFY": null, "B": 1}',
    "B: 1\nNOTIFY:\n": None,
    "CMD: echo NOTIFY secrets\nB: 1\n": "CMD: echo NOTIFY secrets\nB: 1\n",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_is_left_out_and_the_rest_stays(text):
    kept = without_secrets(text)
    assert "secret " not in kept and not kept.rstrip().endswith("secret")
    if TEXTS[text] is not None:
        assert kept == TEXTS[text]
    before, after = yaml.safe_load(text), yaml.safe_load(kept)
    assert after["B"] == before["B"] == 1
    assert after.get("NOTIFY") is None


@pytest.mark.parametrize("text", ["NOTIFY: {", "NOTIFY: *a", "NOTIFY: \x01", "[" * 5000 + "NOTIFY"])
def test_what_is_no_yaml_any_more_stays(text):
    assert without_secrets(text) == text


def test_a_command_line_is_kept_without_secrets():
    words = [
        "runx",
        "a.yml",
        "--notify=x",
        "--note",
        "--notify",
        "--notify",
        "NOTIFY.to=x",
        "+NOTIFY=x",
    ]
    assert list(unsaid(words)) == ["runx", "a.yml", "--note"]
    assert list(unsaid(["--notify"])) == []
