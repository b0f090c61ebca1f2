"""Asking a scheduler whether it would take what is planned; nothing is submitted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from runx.errors import FarmError, SettingsError
from runx.farms import kind_of
from runx.plans.experiment import Experiment
from runx.schedulers.delivering import largest_array, submit_words
from runx.schedulers.handing import planned
from runx.types import Run


def would_take(
    experiment: Experiment, runs: Sequence[Run], launch: str, say: Callable[[str], None]
) -> None:
    """Have every job's script and words looked at by its scheduler; a refusal is an error."""
    farm = experiment.farm
    kind = kind_of(farm.type) if farm else None
    if farm is None or kind is None or kind.test_only is None:
        name = f"a farm of TYPE {farm.type}" if farm else "this machine"
        raise SettingsError(f"--test-only: {name} can't be asked that; -n shows what would be run")
    with tempfile.TemporaryDirectory() as folder:
        for batch in planned(experiment, runs, launch, largest_array(farm)):
            script = Path(folder) / batch.script.name
            script.write_text(kind.script(batch, farm) if kind.script else "")
            order = kind.test_only(kind.submission(batch, farm))
            words = [str(script) if word == str(batch.script) else word for word in order.words]
            here = ["--chdir=/" if word == f"--chdir={batch.home}" else word for word in words]
            finished = submit_words(replace(order, words=tuple(here)), farm, kind)
            if finished.status:
                raise FarmError(f"farm {farm.name} would refuse {batch.name}: {finished.complaint}")
            say(f"{batch.name}: {finished.complaint}")
