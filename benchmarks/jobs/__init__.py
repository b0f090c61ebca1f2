"""The jobs that are measured: a module for each kind of work, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.jobs import (
    following,
    freezing,
    growing,
    launching,
    logging,
    others,
    planning,
    reading,
    reporting,
    saving,
    starting,
    stepping,
    submitting,
)
from benchmarks.turns import Job

JOBS: dict[str, Callable[[bool], Iterator[Job]]] = {
    "start": starting.jobs,
    "plan": planning.jobs,
    "launch": launching.jobs,
    "submit": submitting.jobs,
    "steps": stepping.jobs,
    "freeze": freezing.jobs,
    "log": logging.jobs,
    "save": saving.jobs,
    "read": reading.jobs,
    "others": others.jobs,
    "report": reporting.jobs,
    "top": following.jobs,
    "growth": growing.jobs,
}
"""Functions that yield jobs: few and small ones, or with True all of them."""
