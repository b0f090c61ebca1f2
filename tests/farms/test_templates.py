"""Templates of SUBMIT_CMD: what they can't do, and what they cost."""

import subprocess
import time

import pytest

from runx.errors import SettingsError
from runx.farms.templates import Code, given, rendered

NAMES = {
    "name": "sweep_x",
    "script": "/runs/it's/run.sh",
    "resources": {"gpu": 2, "mount": ("/a", "/b c")},
    "hparams": given({"a": "$(touch PWNED)", "n": 10**9}),
    "command": Code("python x.py --a '$(touch PWNED)'"),
}

HOSTILE = [
    "{{ lipsum.__globals__.os.system('touch PWNED') }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ self._TemplateReference__context }}",
    "{% for i in range(10**9) %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10**(10**8) }}",
    "{{ 'a' | center(10**10) }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '{:>9999999999}'.format(1) }}",
    "{{ 'a'.ljust(10**10) }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{{ [1] * 10**10 }}",
    "{{ 'x' * hparams.n }}",
    "{{ range(hparams.n) | list }}",
    "{{ lipsum(n=10**7) }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{{ 1/0 }}",
    "{{ '\ud800' }}",
    "{{ '\\ud800' }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "-" * 100_000 + "1 }}",
    "{{ comand }}",
    "{{ hparams.b }}",
    "{{ resources.gpu",
    "{% nosuch %}",
    "{{ 9" + "9" * 5000 + " | int }}",
    "{{ 'a' | nosuch }}",
    "{{ hparams.a.x.y }}",
    "{{ resources.update({'gpu': 3}) }}",
    "{{ hparams.a | attr('__class__') }}",
    "{{ '\\0' }}",
    "{{ '" + chr(0xF0000) + "' | raw }}",
    "{% filter truncate(1) %}{{ name }}{{ name }}{% endfilter %}\\{{ name }}",
]


@pytest.mark.parametrize("template", HOSTILE)
def test_what_a_template_may_not_do_is_one_line(template, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    with pytest.raises(SettingsError, match=r"\ASUBMIT_CMD: [^\n]*\Z") as caught:
        rendered(f"submit {template}", NAMES)
    assert len(str(caught.value)) < 500
    assert time.monotonic() - began < 30
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (
            "s --name {{ name }} {{ resources | flags }}",
            "s --name sweep_x --gpu 2 --mount /a --mount '/b c'",
        ),
        ("s -c {{ command }}", """s -c 'python x.py --a '\\''$(touch PWNED)'\\'''"""),
        ('s --wrap "{{ command }}"', """s --wrap 'python x.py --a '\\''$(touch PWNED)'\\'''"""),
        ("s --wrap {{ 'bash ' ~ script }}", """s --wrap "bash /runs/it's/run.sh" """),
        ('s "{{ hparams.a }}"', "s '$(touch PWNED)'"),
        ("s {{ hparams.a | upper }}", "s '$(TOUCH PWNED)'"),
        ("{% if resources.gpu > 1 %}s many{% else %}s one{% endif %}", "s many"),
        ("s{% for m in resources.mount %} -v {{ m }}{% endfor %}", "s -v /a -v '/b c'"),
        (
            "{% set c %}echo {{ hparams.a }}{% endset %}s -c {{ c }}",
            "s -c \"echo '\\$(touch PWNED)'\"",
        ),
        ("s {{ '$HOME' | raw }}", 's "$HOME"'),
        ("s {{ none }} {{ resources.mount }}", "s '' /a '/b c'"),
    ],
)
def test_templates_quote_what_they_fill_in(template, words):

    def read(command):
        script = f"s() {{ printf '%s\\0' \"$@\"; }}; {command}"
        return subprocess.run(["bash", "-c", script], capture_output=True).stdout.split(b"\0")

    assert read(rendered(template, NAMES)) == read(words)


def test_a_value_is_never_taken_for_what_stands_for_another():
    with pytest.raises(SettingsError, match="a value has the character"):
        rendered("s {{ hparams.a }}", {"hparams": given({"a": chr(0xF0000)})})
