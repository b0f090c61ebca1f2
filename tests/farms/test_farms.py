"""What every kind of farm owes, tried once over the table."""

import dataclasses
import json

import pytest
from batched import ABOUT, errands, farm_of

from runx.cmdline.resources import PORTABLE
from runx.cmdline.script import Requeue
from runx.errors import RunxError, SettingsError
from runx.farms import FARMS, kind_of
from runx.farms.kind import Kind, Question
from runx.processes import Finished
from runx.schedulers.asking import ask
from runx.schedulers.batches import batches, lane, parallel_shares
from runx.sweeps.values import Hparam
from runx.types import Submission

SCHEDULERS = sorted(set(FARMS) - {"command"})
ANSWERS = {
    "slurm": "12\n",
    "sge": "12.1-2:1\n",
    "pbs": "12[].server\n",
    "torque": "12[].server\n",
    "lsf": "Job <12> is submitted to queue <normal>.\n",
    "oar": "[ADMISSION RULE] x\nOAR_JOB_ID=12\nOAR_JOB_ID=13\nOAR_ARRAY_ID=12\n",
    "moab": "\nMoab.12\n",
    "condor": "12.0 - 12.1\n",
    "kubernetes": "job.batch/sweep\n",
}


def planned(type, count=1, resources=(), largest=1000, **more):
    farm = farm_of(type, **more)
    return farm, batches(errands(type, count, resources), farm, kind_of(type), largest, ABOUT)


@pytest.mark.parametrize("type", sorted(FARMS))
def test_a_farm_is_a_kind(type):
    assert isinstance(kind_of(type), Kind)


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_run_is_submitted_in_words_without_newlines_or_work(type):
    farm, [batch] = planned(type)
    order = kind_of(type).submission(batch, farm)
    assert isinstance(order, Submission)
    assert all(isinstance(word, str) and "\0" not in word for word in order.words)


@pytest.mark.parametrize("type", SCHEDULERS)
def test_its_job_is_named_so_that_it_can_be_found_again(type):
    farm, [batch] = planned(type)
    kind = kind_of(type)
    name = kind.job_name(batch)
    told = " ".join(kind.submission(batch, farm).words) + kind.submission(batch, farm).stdin
    script = kind.script(batch, farm) if kind.script else ""
    assert name in told + script


@pytest.mark.parametrize("type", SCHEDULERS)
def test_an_answer_that_names_no_job_gives_no_id(type):
    _, [batch] = planned(type)
    assert kind_of(type).job_ids("", batch) == []
    assert kind_of(type).job_ids("error: no such queue\n", batch) == []


@pytest.mark.parametrize("type", sorted(ANSWERS))
def test_each_run_of_an_array_has_an_id_of_its_own(type):
    _, [batch] = planned(type, 2, array=True)
    ids = kind_of(type).job_ids(ANSWERS[type], batch)
    assert len(set(ids)) == 2


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_portable_resource_is_translated_or_refused_never_dropped(type):
    values = {"mem": "3G", "time": "7m", "gpus": "5", "cpus": "6", "nodes": "1"}
    for name in PORTABLE:
        text = values.get(name, "a=word")
        resource = Hparam(name, text, text)
        try:
            with_it, [one] = planned(type, 1, [resource])
            kind = kind_of(type)
            order = kind.submission(one, with_it)
            script = kind.script(one, with_it) if kind.script else ""
        except RunxError as error:
            assert name in str(error)
            continue
        _, [other] = planned(type, 1)
        told = (order.words, order.stdin, script)
        without = kind.submission(other, with_it)
        plain = (without.words, without.stdin, kind.script(other, with_it) if kind.script else "")
        assert told != plain or name in ("nodes", "image"), name


@pytest.mark.parametrize("type", SCHEDULERS)
def test_a_scheduler_that_can_not_be_asked_is_not_taken_for_an_empty_one(type):
    for question in kind_of(type).questions:
        failed = Finished(("x",), 1, "", "Unable to contact controller")
        assert question.read(failed) is None


@pytest.mark.parametrize("type", SCHEDULERS)
def test_cancelling_names_every_job(type):
    kind = kind_of(type)
    ids = ["sweep/1", "sweep/2"] if type == "kubernetes" else ["12", "13"]
    words = " ".join(word for command in kind.cancel(ids, farm_of(type)) for word in command)
    assert all(job.partition("/")[2] or job in words for job in ids)


@pytest.mark.parametrize("type", [one for one in SCHEDULERS if kind_of(one).arrays])
def test_the_script_of_an_array_names_its_list_of_runs(type):
    farm, [batch] = planned(type, 3, array=True)
    kind = kind_of(type)
    order = kind.submission(batch, farm)
    script = kind.script(batch, farm) if kind.script else json.dumps(order.stdin)
    assert str(batch.runs) in script


def test_runs_of_other_needs_are_another_array_and_none_is_too_long():
    _, found = planned("slurm", 25, largest=10, array=True)
    assert [len(batch.errands) for batch in found] == [10, 10, 5]
    mixed = [
        *errands("slurm", 2),
        *errands("slurm", 2, [Hparam("gpus", 2, "2")]),
    ]
    farm = farm_of("slurm", array=True)
    assert len(batches(mixed, farm, kind_of("slurm"), 10, ABOUT)) == 2


def test_from_twenty_runs_on_they_are_one_array():
    assert len(planned("slurm", 19)[1]) == 19
    assert len(planned("slurm", 20)[1]) == 1
    assert len(planned("slurm", 20, array=False)[1]) == 20


@pytest.mark.parametrize("type", [one for one in SCHEDULERS if kind_of(one).arrays])
def test_ten_thousand_runs_go_in_as_few_calls_as_the_scheduler_allows(type):
    kind = kind_of(type)
    farm, found = planned(type, 10_000, largest=kind.largest)
    assert len(found) == -(-10_000 // kind.largest) <= 10
    runs = [one.run for batch in found for one in batch.errands]
    assert len(set(runs)) == 10_000
    # What Linux takes as one word.
    assert all(len(word) < 2**17 for one in found for word in kind.submission(one, farm).words)


def test_more_batches_than_may_run_wait_for_each_other():
    _, found = planned("slurm", 5, array=False, max_parallel=2)
    assert [lane(batch, 2, len(found)) for batch in found] == [None, None, 0, 1, 2]
    assert parallel_shares(2, [1] * 5) == [1] * 5


@pytest.mark.parametrize(
    ("type", "more", "said"),
    [
        ("ray", {"array": True}, "no arrays"),
        ("oar", {"max_parallel": 2}, "MAX_PARALLEL"),
    ],
)
def test_what_a_farm_can_not_do_is_refused(type, more, said):
    with pytest.raises(SettingsError, match=said):
        planned(type, 2, **more)


def test_a_kind_from_elsewhere_is_taken_by_its_module(monkeypatch, tmp_path):
    (tmp_path / "myfarm.py").write_text("from runx.farms.slurm import KIND as farm\nother = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert kind_of("myfarm:farm").arrays
    for wrong in ("myfarm:other", "myfarm:none", "nomodule:x", "slrum"):
        with pytest.raises(SettingsError):
            kind_of(wrong)


def test_the_warning_is_asked_for_where_a_job_can_go_back():
    for type in SCHEDULERS:
        if kind_of(type).handback is not None:
            farm, [batch] = planned(type, requeue=Requeue())
            plain, _ = planned(type)
            kind = kind_of(type)
            asked = (kind.submission(batch, farm), kind.script and kind.script(batch, farm))
            quiet = (kind.submission(batch, plain), kind.script and kind.script(batch, plain))
            if type != "moab":
                assert asked != quiet, type


def test_a_job_whose_id_is_not_known_is_looked_for_among_all():
    asked = []
    question = Question(
        lambda ids, farm: ("echo", *ids), lambda told: asked.append(told.output.split()) or {}
    )
    kind = Kind(("echo",), "", None, None, questions=(question, question))
    ask(kind, farm_of("pbs"), ["7"], pytest.fail, unnamed=True)
    assert asked == [["7"], [], ["7"]]


def test_a_farm_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind_of("slurm").arrays = False
