import json

import pytest

from runx.analysis.index_rows import Shape, attempts_in, entry, from_columns, parts, to_columns
from runx.rundir.events import Attempt, Event, JobAddress
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

ENDED = (Event("started", 1.5, {"code": None}), Event("ended", 2.5, {"code": 3}))


JOB = JobAddress("slurm", "slurm", "17", "owl", {}, "17\n")


def record(attempt, **more):
    status = State("failed", "exit status 3", 3, None, 1)
    more = {"attempts": (attempt,), **more}
    return RunRecord("owl", RunDir("/logs/owl"), {"lr": 0.1}, status, {"acc": 9}, **more)


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt(1),
        Attempt(1, ENDED, host="h"),
        Attempt(2, ENDED, "slurm", "h", JOB, "cancel", False, True, 1.0, 2.0, 3.0, False, "l"),
    ],
)
def test_what_is_read_back_is_what_was_written(attempt):
    one = record(attempt, resources={"nodes": 2}, sources={"acc": "log.csv"})
    entries = {"owl": entry(one, ["", "metrics.csv"], 7, {"val.acc:max": 9})}
    read = from_columns(json.loads(json.dumps(to_columns(entries))))
    assert attempts_in(read["owl"]) == one.attempts
    sources = {"acc": "log.csv"}
    assert parts(read["owl"]) == [
        {"lr": 0.1},
        {"nodes": 2},
        {"acc": 9},
        {"val.acc:max": 9},
        sources,
    ]
    assert read["owl"][0].files == ("", "metrics.csv")


def test_runs_with_other_names_in_them_do_not_mix():
    one, other = record(Attempt(1)), record(Attempt(1), resources={"nodes": 2})
    entries = {"a": entry(one, [""], 1, {}), "b": entry(other, [""], 2, {})}
    entries["c"] = entry(one, [""], 3, {})
    read = from_columns(json.loads(json.dumps(to_columns(entries))))
    assert {name: row[0] for name, (_, row) in read.items()} == {"a": 1, "b": 2, "c": 3}
    assert [entry_read[0].resources for entry_read in map(read.get, "abc")] == [(), ("nodes",), ()]


@pytest.mark.parametrize("columns", [[], [[1]], [[1, 2], [1], [1], [1], [1]], 3, None, {}])
def test_columns_that_are_not_alike_are_refused(columns):
    shape = Shape(("",), (), (), (), (), ())._asdict()
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_columns([{**shape, "runs": ["owl"], "columns": columns}])
