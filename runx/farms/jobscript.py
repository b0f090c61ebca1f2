"""The script that a scheduler starts: it finds its run and becomes run.sh."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runx.farms.kind import Batch
from runx.plans.experiment import Farm

if TYPE_CHECKING:
    import jinja2


def job_script(batch: Batch, farm: Farm, index: str = "", lines: Sequence[str] = ()) -> str:
    """Render the script of a batch; ``index`` is the shell's word for an array's index, from 0.

    ``lines`` are the scheduler's own; they come before those of DIRECTIVES.
    """
    return _template().render(
        lines=[*lines, *farm.directives],
        name=re.sub(r"[^\w.@+=,-]", " ", batch.name),
        home=shlex.quote(str(batch.home)),
        logdir=shlex.quote(str(batch.errand.logdir)),
        runs=shlex.quote(str(batch.runs)),
        index=index if batch.array else "",
        time=batch.needs.time,
    )


@functools.lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    import jinja2

    text = Path(__file__).with_name("job.sh.j2").read_text(encoding="utf-8")
    language = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return language.from_string(text)
