"""Kubernetes: manifests as the published schemas want them, and single indices of a Job."""

import re
from dataclasses import replace

import pytest
from batched import arrays_of, specs
from hypothesis import given
from hypothesis import strategies as st
from sites import Site, all_end, environment_of, installed_commands

from runx.errors import SettingsError
from runx.farms.kubernetes import cancel, cancel_arrays, job_name, manifest
from runx.rundir.script import Requeue
from runx.sweeps.values import Hparam

VERSIONS = ("1.29", "1.31", "1.33")
"""Of those whose Indexed Jobs know backoffLimitPerIndex; the latest comes besides."""
DNS = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def array_of(count=1, resources=(), **more):
    farm, [array] = arrays_of("kubernetes", count, resources, **more)
    return farm, array


def checked(array, farm):
    validator = pytest.importorskip("kubernetes_validate")
    for version in (*VERSIONS, validator.latest_version()):
        validator.validate(manifest(array, farm), version, strict=True)


def resource(name, text):
    return Hparam(name, text, text)


def test_a_schema_that_does_not_know_a_key_refuses_it():
    validator = pytest.importorskip("kubernetes_validate")
    farm, array = array_of()
    wrong = manifest(array, farm)
    wrong["spec"]["backofLimit"] = 0
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("resources", [(), [("gpus", "2"), ("cpus", "4"), ("mem", "3G")]])
@pytest.mark.parametrize("requeue", [None, Requeue()])
def test_the_job_of_a_run_is_as_the_schema_wants_it(resources, requeue):
    given = [*(resource(*pair) for pair in resources), resource("time", "7m")]
    farm, array = array_of(1, given, requeue=requeue)
    checked(array, farm)
    assert manifest(array, farm)["spec"]["completions"] == 1


def test_the_job_of_an_array_is_as_the_schema_wants_it():
    given = [resource("constraint", "gpu=a100,zone=b"), resource("partition", "high")]
    farm, array = array_of(30, given, max_parallel=8)
    checked(array, farm)
    spec = manifest(array, farm)["spec"]
    assert (spec["completions"], spec["parallelism"]) == (30, 8)
    assert spec["completionMode"] == "Indexed"


def test_what_a_cluster_would_refuse_is_refused_here():
    for wrong in (resource("constraint", "a100"), resource("nodes", "2"), resource("qos", "x")):
        with pytest.raises(SettingsError):
            manifest(*reversed(array_of(1, [wrong])))


@given(st.text(max_size=200), st.text(max_size=200))
def test_names_are_valid_for_dns_and_as_different_as_what_they_name(first, second):
    names = []
    for text in (first, second):
        jobs = [replace(job, experiment=text) for job in specs("kubernetes", 20)]
        _, array = array_of(jobs=jobs)
        names.append(job_name(array))
    assert all(DNS.fullmatch(name) and len(name) <= 52 for name in names)
    assert (names[0] == names[1]) == (first == second)


def test_jobs_are_cancelled_by_index_or_whole():
    farm, _ = array_of()
    [command] = cancel(["sweep/3", "sweep/5"], farm)
    assert command[-1].endswith("job-completion-index in (3,5)")
    [command] = cancel_arrays(["sweep", "other"], farm)
    assert command[:3] == ("kubectl", "delete", "job")
    assert command[-2:] == ("sweep", "other")


@pytest.fixture
def site(installed, tmp_path):
    path = f"{installed_commands(tmp_path / 'bin', ('kubectl',))}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    section = (
        "FARM: kubernetes\nkubernetes:\n  VOLUME: logs\n  RESOURCES: {image: torch}\n"
        "  ARRAY: true\n  MAX_PARALLEL: 1\n"
    )
    return Site(tmp_path / "project", environment, section)


def by_nap(site, name):
    hparams = {run.name: (run / "hparams.json").read_text() for run in site.runs(name)}
    return sorted(hparams, key=lambda run: hparams[run])


def test_an_index_without_a_pod_ends_at_once_when_its_turn_comes(site):
    site.runx(site.sweep("one", "HPARAMS:\n  - {nap: 300}\n  - {nap: 400}\n"))
    first, second = by_nap(site, "one")
    site.wait("one", lambda states: states[first] == "running")
    site.runx("cancel", "one", second, status=1)
    assert site.states("one") == {first: "running", second: "queued"}
    site.runx("cancel", "one", first)
    assert set(site.wait("one", all_end).values()) == {"cancelled"}
    run = site.path / "logs" / "one" / second
    assert "from epoch" not in site.output(run)


def test_a_job_of_which_all_is_cancelled_gets_no_more_pods(site):
    site.runx(site.sweep("all", "HPARAMS:\n  - {status: 3}\n  - {nap: 300}\n  - {nap: 400}\n"))
    site.wait("all", lambda states: sorted(states.values()) == ["failed", "queued", "running"])
    site.runx("cancel", "all")
    states = site.wait("all", all_end)
    assert sorted(states.values()) == ["cancelled", "cancelled", "failed"]
    [waited] = [run for run in site.runs("all") if not (run / "attempts/1.events.jsonl").exists()]
    assert states[waited.name] == "cancelled"
