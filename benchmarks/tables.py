"""Measurements as Markdown tables, and their place in a document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.turns import Cost, Job, Row

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def table(job: Job, rows: Sequence[Row]) -> str:
    """Return the table of a job: ratios first, for milliseconds hold for one machine."""
    each = " each" if job.count > 1 else ""
    columns = [("way", [row.name for row in rows])]
    columns += [("x floor", [f"{row.ratio:.2f}" for row in rows])]
    columns += [("(least, most)", [f"{row.least:.2f}, {row.most:.2f}" for row in rows])]
    columns += [(f"time{each}", [duration(row.cost.seconds / job.count) for row in rows])]
    columns += [("CPU x", [f"{row.cpu_ratio:.2f}" for row in rows])]
    columns += _resources(job, [row.cost for row in rows])
    shown = [(head, cells) for head, cells in columns if head != "CPU x" or rows[0].cost.cpu]
    lines = [[head for head, _ in shown], ["---"] * len(shown)]
    lines += [list(cells) for cells in zip(*(cells for _, cells in shown), strict=True)]
    target = f"Target: {job.target}.\n\n" if job.target else ""
    return f"### {job.title}\n\n{target}" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _resources(job: Job, costs: Sequence[Cost]) -> list[tuple[str, list[str]]]:
    values_of = {
        "memory, MB": [cost.memory for cost in costs],
        "inodes each": [cost.inodes / job.count for cost in costs],
        "disk, MB": [cost.disk for cost in costs],
    }
    return [
        (head, [f"{value:.1f}" if value else "" for value in values])
        for head, values in values_of.items()
        if any(values)
    ]


def duration(seconds: float) -> str:
    """Return a time as text, with a suitable unit.

    >>> duration(0.0042), duration(3.5e-6), duration(12)
    ('4.2 ms', '3.5 us', '12 s')
    """
    size, unit = next((pair for pair in _UNITS if seconds >= pair[0]), _UNITS[-1])
    return f"{seconds / size:.3g} {unit}" if seconds < 100 else f"{seconds:.0f} s"


def put(document: str, name: str, text: str) -> str:
    """Return a document with a text between the marks of its name, or at the end.

    >>> print(put("<!-- bench plan -->old<!-- end plan -->", "plan", "new"))
    <!-- bench plan -->
    <BLANKLINE>
    new
    <BLANKLINE>
    <!-- end plan -->
    """
    begin, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
    block = f"{begin}\n\n{text}\n\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(document):
        return pattern.sub(lambda _: block, document)
    return document.rstrip("\n") + f"\n\n{block}\n"
