"""Queries that are made in place of one that a scheduler can't answer."""

import sys

import pytest
from batched import farm_of

from runx.farms.ask import ask
from runx.farms.base import StatusQuery
from runx.rundir.events import JobStatus


def query(told, **more):
    """Return a query that is answered with statuses by their ids, or with None."""
    words = (sys.executable, "-c", "")
    known = told and {id: JobStatus(state) for id, state in told.items()}
    return StatusQuery(lambda ids, farm: words, lambda finished: known, **more)


def answer(*queries):
    warnings = []
    answer = ask(farm_of("pbs"), queries, ["1", "2"], warnings.append)
    return {id: status.state for id, status in answer.statuses.items()}, answer.hidden, warnings


def test_what_stands_in_for_a_query_makes_up_for_it():
    told = answer(query(None), query({"1": "running"}, instead=True))
    assert told == ({"1": "running"}, "", [])


def test_it_is_not_made_where_the_query_was_answered():
    told = answer(query({"1": "running"}), query({"2": "failed"}, instead=True))
    assert told == ({"1": "running"}, "", [])


def test_a_further_query_is_made_all_the_same():
    told = answer(query(None), query({"1": "queued"}, instead=True), query({"2": "done"}))
    assert told == ({"1": "queued", "2": "done"}, "", [])


@pytest.mark.parametrize("instead", [True, False])
def test_where_neither_is_answered_nothing_is_known(instead):
    statuses, hidden, [warning] = answer(query(None), query(None, instead=instead))
    assert statuses == {}
    assert hidden == "mine can't be asked"
    assert warning.startswith("farm mine can't be asked: ")
