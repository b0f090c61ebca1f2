"""HTCondor: a real one, from Debian's package, that takes runs."""

import json
import re
import shlex

import pytest
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    it_goes_on_where_it_was,
    learns,
    long_ago,
    sweep,
)
from sites import Site, all_end, environment_of, running
from throwaway_condor import Condor, missing

pytestmark = pytest.mark.condor
FARM = """\
FARM: condor
condor:
  TYPE: condor
  RESOURCES: {cpus: 1, mem: 100M, time: 10m}
"""


@pytest.fixture(scope="module")
def pool():
    with running(Condor, missing()) as made:
        yield made


@pytest.fixture
def site(pool, installed, tmp_path):
    environment = environment_of(installed, pool.environment)
    return learns(Site(tmp_path / 'it\'s my "$(project)" 100%', environment, FARM))


def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site, "ARRAY: true\nRESOURCES: {gpus: 1}\n")


def test_fates(site):
    four_fates_are_told_apart(site, "8s")


def test_hostile_values(site):
    hostile_values_come_out_of_each_job(site)


def test_a_killed_launcher(site):
    a_killed_launcher_leaves_every_run_once(site)


def test_a_run_goes_on_where_it_was(site):
    it_goes_on_where_it_was(site, "ARRAY: true\nREQUEUE: true\n")


THROTTLED = "ARRAY: true\nMAX_PARALLEL: 2\n"


def job_of(run, attempt=1):
    return json.loads((run / f"attempts/{attempt}.job.json").read_text())


def queued(pool):
    """Return the ids of jobs in the queue, and how many more each factory will make."""
    jobs = pool.call("condor_q", "-af:j", "JobStatus", "-constraint", 'Cmd == "/bin/bash"')
    asked = ("TotalSubmitProcs", "JobMaterializeNextProcId")
    factories = pool.call("condor_q", "-factory", "-af", *asked).split()
    due = int(factories[0]) - int(factories[1]) if factories else 0
    return [line.split()[0] for line in jobs.splitlines()], due


def trained(site, name):
    return [site.output(run).count("from epoch 0") for run in site.runs(name)]


def test_cancelling_all_under_a_full_pool_leaves_nothing_due(site, pool):
    text = f"HPARAMS: {{seed: [1, 2, 3, 4, 5, 6], epochs: 1}}\n{THROTTLED}"
    with pool.full():
        site.runx(sweep(site, "all", text))
        assert set(site.states("all").values()) == {"queued"}
        assert queued(pool)[1] == 4
        site.runx("cancel", "all")
        assert queued(pool) == ([], 0)
        assert set(site.states("all").values()) == {"cancelled"}
        site.runx("all.yml", "--resume")
        assert set(site.states("all").values()) == {"queued"}
        assert queued(pool)[1] == 4
    site.done("all", 6)
    assert trained(site, "all") == [1] * 6


def test_a_cancelled_run_that_has_no_job_yet_never_runs(site, pool):
    text = f"HPARAMS: {{seed: [1, 2, 3, 4, 5, 6], epochs: 1}}\n{THROTTLED}"
    with pool.full():
        site.runx(sweep(site, "some", text))
        chosen = [run for run in site.runs("some") if re.search(r"\.[05]$", job_of(run)["id"])]
        first, last = sorted(chosen, key=lambda run: job_of(run)["id"])
        told = site.runx("cancel", "some", first.name, last.name, status=(0, 1))
        assert last.name in told.stderr
        states = site.states("some")
        assert (states[first.name], states[last.name]) == ("cancelled", "queued")
        site.runx("some.yml", "--resume")
        assert len(list(last.glob("attempts/*.claim"))) == 1
    states = site.wait("some", all_end)
    assert states.pop(last.name) == "cancelled"
    assert set(states.values()) == {"done"}
    assert site.output(last).count("from epoch") == 0
    site.runx("some.yml", "--resume")
    site.done("some", 6)
    assert trained(site, "some") == [1] * 6


def test_an_array_that_waits_for_its_turn_is_held_and_released_as_a_whole(site, pool):
    text = f"HPARAMS: {{seed: [1, 2, 3, 4], epochs: 1}}\n{THROTTLED}"
    with pool.full():
        site.runx(sweep(site, "held", text))
        site.runx("hold", "held")
        assert site.runx("status", "held").stdout.count("queued (held") == 4
        site.runx("release", "held")
        assert "held:" not in site.runx("status", "held").stdout
        last = max(site.runs("held"), key=lambda run: job_of(run)["id"])
        assert "not found" in site.runx("hold", "held", last.name, status=1).stderr
    site.done("held", 4)


def test_a_job_that_can_not_start_says_why(site):
    text = "HPARAMS: {lr: 1}\nDIRECTIVES: [output = /nonexistent/x.out]\n"
    site.runx(sweep(site, "why", text))
    status = lambda: site.runx("status", "why").stdout  # noqa: E731
    site.wait("why", lambda _: "held: Error" in status())
    assert "/nonexistent/x.out" in status()
    site.runx("cancel", "why")
    assert list(site.states("why").values()) == ["cancelled"]


def test_what_passed_its_limit_leaves_the_queue(site, pool):
    site.runx(sweep(site, "long", "HPARAMS: {pause: 100}\nRESOURCES: {time: 3s}\n"))
    site.wait("long", lambda states: list(states.values()) == ["timeout"])
    pool.until(lambda: queued(pool)[0] == [])
    assert list(site.states("long").values()) == ["timeout"]


@pytest.mark.parametrize("how", ["-fast", "-graceful"])
def test_a_run_that_was_vacated_goes_on_where_it_was(site, pool, how):
    site.runx(sweep(site, "vacated", "HPARAMS: {epochs: 8, pause: 0.5}\n"))
    [run] = site.runs("vacated")
    site.printed(run, "epoch 2 of attempt 1")
    words = ("condor_vacate_job", *(["-fast"] if how == "-fast" else []), job_of(run)["id"])
    pool.call(*words)
    site.printed(run, "epoch 7 of attempt 2")
    # The first attempt was killed without a word: it counts as running as long as its heart beats.
    long_ago(run)
    site.done("vacated", 1)
    assert site.output(run).count("from epoch 0") == 1
    assert site.output(run).count("epoch 7 of attempt 2") == 1


def test_without_a_schedd_nothing_is_taken_for_ended(site, pool):
    text = f"HPARAMS: {{seed: [1, 2, 3, 4], epochs: 1}}\n{THROTTLED}"
    with pool.full():
        site.runx(sweep(site, "down", text))
        [*runs] = site.runs("down")
        assert {job_of(run)["options"]["schedd"] for run in runs} == {"node1@"}
        pool.call("condor_off", "-fast", "-daemon", "schedd")
        try:
            for run in runs:
                long_ago(run)
            done = site.runx("status", "down", "--json")
            assert "can't be asked" in done.stderr
            assert {run["state"] for run in json.loads(done.stdout)} == {"queued"}
            site.runx("down.yml", "--resume")
            assert all(len(list(run.glob("attempts/*.claim"))) == 1 for run in runs)
        finally:
            pool.call("condor_on", "-daemon", "schedd")
            pool.until(lambda: "total" in pool.call("condor_q", "-totals", check=False).lower())
    site.done("down", 4)
    assert trained(site, "down") == [1] * 4


def test_runs_wait_for_those_of_another_experiment(site, pool):
    """Also for some that have no jobs yet, and with requirements of their own."""
    first = f"HPARAMS: {{seed: [1, 2, 3], epochs: 2, pause: 0.5}}\n{THROTTLED}"
    site.runx(sweep(site, "first", first))
    second = f"HPARAMS: {{seed: [1, 2, 3], epochs: 1}}\n{THROTTLED}"
    second += "DIRECTIVES: ['requirements = (Memory > 1)']\n"
    site.runx(sweep(site, "second", second), "--after", "first")
    assert set(site.states("second").values()) == {"queued"}
    assert site.runx("status", "second").stdout.count("waits for other jobs") == 3
    site.done("second", 3)
    assert set(site.states("first").values()) == {"done"}
    ends = [json.loads(line) for run in site.runs("first") for line in events_of(run)]
    starts = [json.loads(line) for run in site.runs("second") for line in events_of(run)]
    assert max(event["time"] for event in ends) < min(event["time"] for event in starts)
    assert trained(site, "second") == [1] * 3


def test_runs_after_one_that_failed_are_cancelled_and_say_why(site, pool):
    site.runx(sweep(site, "bad", "HPARAMS: {status: 3, epochs: 3, pause: 1}\n"))
    site.runx(
        sweep(site, "never", f"HPARAMS: {{seed: [1, 2, 3, 4]}}\n{THROTTLED}"), "--after", "bad"
    )
    states = site.wait("never", all_end)
    assert set(states.values()) == {"cancelled"}
    assert "which it waited for, is not done" in site.runx("status", "never").stdout
    assert trained(site, "never") == [0] * 4
    pool.until(lambda: not pool.call("condor_q", "-af", "ClusterId").strip())


def test_what_opens_a_cancelled_array_ends(site, pool):
    site.runx(sweep(site, "slow", "HPARAMS: {pause: 100}\n"))
    site.runx(sweep(site, "gone", "HPARAMS: {seed: [1, 2]}\n"), "--after", "slow")
    site.runx("cancel", "gone")
    assert set(site.states("gone").values()) == {"cancelled"}
    asked = ("condor_q", "-constraint", "JobUniverse == 7", "-af", "ClusterId")
    pool.until(lambda: not pool.call(*asked).strip())
    site.runx("cancel", "slow")


def test_jobs_of_their_own_run_a_few_at_a_time(site):
    text = "HPARAMS: {seed: [1, 2, 3], epochs: 1}\nARRAY: false\nMAX_PARALLEL: 2\n"
    site.runx(sweep(site, "lanes", text))
    assert site.runx("status", "lanes").stdout.count("waits for other jobs") == 1
    site.done("lanes", 3)
    assert trained(site, "lanes") == [1] * 3


def events_of(run):
    return (run / "attempts/1.events.jsonl").read_text().splitlines()


@pytest.mark.parametrize("end", ["echo 'ERROR: Failed to commit job submission' >&2; exit 1", ":"])
def test_a_submission_that_went_in_although_it_failed_is_found_by_its_name(site, tmp_path, end):
    """One prints an error, one no answer at all."""
    commands = tmp_path / "bin"
    commands.mkdir()
    path = site.environment["PATH"]
    real = f"PATH={shlex.quote(path)} condor_submit"
    (commands / "condor_submit").write_text(f'#!/bin/bash\n{real} "$@" >/dev/null\n{end}\n')
    (commands / "condor_submit").chmod(0o755)
    unkind = Site(
        site.path,
        {**site.environment, "PATH": f"{commands}:{path}"},
        FARM,
    )
    learns(unkind)
    unkind.runx(sweep(unkind, "twice", f"HPARAMS: {{seed: [1, 2, 3], epochs: 1}}\n{THROTTLED}"))
    site.runx("twice.yml", "--resume")
    site.done("twice", 3)
    assert trained(site, "twice") == [1] * 3
    assert all(len(list(run.glob("attempts/*.claim"))) == 1 for run in site.runs("twice"))


def test_a_run_that_launches_runs_launches_them_once_each(site, pool):
    inner = sweep(site, "inner", "HPARAMS: {seed: [1, 2], epochs: 1}\nARRAY: true\n")
    site.write(
        "outer.yml",
        f"CMD: cd {shlex.quote(str(site.path))} && runx {inner} && true\nARGS: {{style: env}}\n"
        f"HPARAMS: {{n: 1}}\nENV: {{CONDOR_CONFIG: {pool.environment['CONDOR_CONFIG']}}}\n",
    )
    site.runx("outer.yml")
    site.done("outer", 1)
    site.done("inner", 2)
    assert trained(site, "inner") == [1, 1]
