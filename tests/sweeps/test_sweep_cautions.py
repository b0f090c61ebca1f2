"""Warnings of values that HPARAMS may have by mistake."""

from __future__ import annotations

from functools import partial

from runx.sweeps.sweep import cautions
from runx.sweeps.yaml import parse


def warnings(hparams: str) -> list[str]:
    document = parse(hparams, "sweep.yml")
    return cautions(document.tree["HPARAMS"], partial(document.at, "HPARAMS"))


def test_a_value_that_a_shell_would_change_draws_a_warning():
    assert warnings("HPARAMS:\n  data: [$HOME/data, ~/data, a~b, 5$]\n  more: '${SCRATCH}'") == [
        "sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in",
        "sweep.yml:2: data: ~ reaches the script as written; {{ env.HOME }} fills it in",
        "sweep.yml:3: more: $SCRATCH reaches the script as written; {{ env.SCRATCH }} fills it in",
    ]


def test_what_another_launch_may_find_otherwise_draws_a_warning():
    (line,) = warnings("HPARAMS:\n  port: '{{ 8000 + run.index }}'\n  a: '{{ lr }}'")
    assert line.startswith("sweep.yml:2: port: run.index enters what identifies the run")


def test_values_in_lists_of_mappings_and_in_cases_are_looked_at_too():
    lines = warnings("HPARAMS:\n- RUNX.CASES:\n  - x: $A\n- RUNX.ZIP: {y: [$B]}")
    assert [line.partition(":")[2].split(" reaches")[0] for line in lines] == [
        "3: x: $A",
        "4: y: $B",
    ]
