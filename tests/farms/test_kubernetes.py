"""Kubernetes: manifests as the published schemas want them, single indices, places and holds."""

import json
import re
import subprocess
from dataclasses import replace

import pytest
from batched import arrays_of, specs
from hypothesis import given
from hypothesis import strategies as st
from sites import Site, all_end, environment_of, installed_commands

from runx.errors import SettingsError
from runx.farms.kubernetes import cancel, cancel_arrays
from runx.farms.kubernetes_manifest import is_ours, job_name, manifest
from runx.rundir.handback import Requeue
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


OPTIONS = [
    ("tolerations", ("nvidia.com/gpu=present:NoSchedule", "spot:NoExecute", "*")),
    ("imagePullSecrets", "regcred"),
    ("service_account", "trainer"),
    ("shm", "16G"),
    ("labels", ("kueue.x-k8s.io/queue-name=lab", "team=vision")),
    ("annotations", ("note=a, b", "cluster-autoscaler.kubernetes.io/safe-to-evict=false")),
    ("nodeSelector", "gpu=a100,zone=b"),
    ("priorityClass", "high"),
    ("volumes", ("data:/data:ro", "scratch:/scratch")),
    ("ephemeral-storage", "10Gi"),
]


def test_what_pods_need_is_given_in_plain_names_and_as_the_schema_wants_it():
    farm, array = array_of(2, [Hparam(name, text, text) for name, text in OPTIONS], array=True)
    checked(array, farm)
    content = manifest(array, farm)
    pod = content["spec"]["template"]["spec"]
    assert pod["tolerations"] == [
        {
            "key": "nvidia.com/gpu",
            "operator": "Equal",
            "value": "present",
            "effect": "NoSchedule",
        },
        {"key": "spot", "operator": "Exists", "effect": "NoExecute"},
        {"operator": "Exists"},
    ]
    assert pod["imagePullSecrets"] == [{"name": "regcred"}]
    assert (pod["serviceAccountName"], pod["priorityClassName"]) == ("trainer", "high")
    assert pod["nodeSelector"] == {"gpu": "a100", "zone": "b"}
    [_, data, _, shm] = pod["volumes"]
    assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": "16384Mi"}
    assert data["persistentVolumeClaim"] == {"claimName": "data"}
    mounts = pod["containers"][0]["volumeMounts"]
    assert [each["mountPath"] for each in mounts] == [
        str(array.experiment_dir.parent),
        "/data",
        "/scratch",
        "/dev/shm",
    ]
    assert [each.get("readOnly") for each in mounts] == [None, True, None, None]
    assert pod["containers"][0]["resources"]["limits"] == {"ephemeral-storage": "10Gi"}
    # Kueue reads the label of the Job, monitors those of pods.
    for metadata in (content["metadata"], content["spec"]["template"]["metadata"]):
        assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "lab"
        assert metadata["annotations"]["note"] == "a, b"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "runx"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("toleration", "a:NoSchedule", "did you mean tolerations"),
        ("servicAccount", "x", "did you mean serviceAccount"),
        ("tolerations", "a:Never", "NoSchedule, PreferNoSchedule, NoExecute"),
        ("labels", "lab", "as name=value"),
        ("labels", "app.kubernetes.io/managed-by=me", "runx's own"),
        ("shm", "lots", "shm must be a size"),
        ("volumes", "data", "CLAIM:/mounted/at"),
        ("serviceAccount", ("a", "b"), "one value"),
    ],
)
def test_what_pods_can_not_have_is_refused_when_planned(name, text, message):
    farm, array = array_of(1, [Hparam(name, text, text)])
    with pytest.raises(SettingsError, match=message):
        manifest(array, farm)


def test_a_second_launch_of_a_run_makes_a_job_of_another_name():
    _, array = array_of()
    again = replace(array, launch="2026-11-21T22.18.16Z-846a97")
    assert job_name(again) != job_name(array)
    metadata = manifest(*reversed(array_of()))["metadata"]
    assert is_ours(metadata)
    metadata["annotations"]["runx/launch"] = again.launch
    assert not is_ours(metadata)
    assert is_ours({"name": "of-an-earlier-version", "labels": {}})


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
    # Index 0 has a selector of its own: a pod of a Job without indices has no such label.
    of_index, of_job = cancel(["sweep/0"], farm)
    assert of_index[-1].endswith("job-completion-index in (0)")
    assert of_job[-1].endswith(",!batch.kubernetes.io/job-completion-index")
    [command] = cancel(["sweep"], farm)
    assert command[-1] == "batch.kubernetes.io/job-name=sweep"
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


def cluster(site, **content):
    """Let nothing start on the cluster: ``pods`` is the status of its pods, none without it."""
    folder = site.path.parent / "jobs"
    folder.mkdir(exist_ok=True)
    (folder / "pods.json").write_text(json.dumps(content))
    return folder / "pods.json"


def orders(site, verb):
    lines = (site.path.parent / "kubectl.log").read_text().splitlines()
    return [words for words in map(json.loads, lines) if words[1] == verb]


def test_a_preview_shows_the_manifest_and_is_a_command_that_submits_it(site):
    file = site.sweep("shown", "HPARAMS: {lr: [1, 2]}\nRESOURCES: {shm: 1G}\n")
    shown = site.runx(file, "-n").stdout
    start = shown.index("kubectl create")
    manifest = json.loads(shown[shown.index("{", start) : shown.rindex("}") + 1])
    assert manifest["kind"] == "Job"
    assert manifest["spec"]["completions"] == 2
    assert manifest["spec"]["template"]["spec"]["volumes"][1]["name"] == "shm"
    done = subprocess.run(
        ["bash", "-c", shown],
        env=site.environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("job.batch/shown"), done.stderr
    [first, _] = json.loads(site.runx(file, "-n", "--json").stdout)
    assert json.loads(first["stdin"])["kind"] == "Job"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            {
                "pods": {
                    "conditions": [
                        {
                            "type": "PodScheduled",
                            "status": "False",
                            "reason": "Unschedulable",
                            "message": "0/3 nodes are available",
                        }
                    ]
                }
            },
            "Unschedulable: 0/3 nodes are available",
        ),
        ({"events": "quota"}, "no pod: exceeded quota: two"),
        ({}, ""),
    ],
)
def test_why_runs_wait_is_said_of_each(site, content, reason):
    site.runx(site.sweep("wait", "HPARAMS: {lr: [1, 2, 3], nap: 300}\n"))
    [id, *_] = job_ids_of(site, "wait")
    event = {
        "reason": "FailedCreate",
        "involvedObject": {"name": id.partition("/")[0]},
        "message": 'Error creating: pods "q1-4-qx9t9" is forbidden: exceeded quota: two',
    }
    site.runx("cancel", "wait")
    cluster(site, **(content | ({"events": [event]} if "events" in content else {})))
    file = site.sweep("late", "HPARAMS: {lr: [1, 2, 3]}\n")
    site.runx(file)
    [id, *_] = job_ids_of(site, "late")
    event["involvedObject"]["name"] = id.partition("/")[0]
    waits = cluster(site, **(content | ({"events": [event]} if "events" in content else {})))
    shown = json.loads(site.runx("status", "late", "--json").stdout)
    assert [each["state"] for each in shown] == ["queued"] * 3
    assert {each["reason"] for each in shown} == {reason}
    waits.unlink()
    site.done("late", 3)


def job_ids_of(site, name):
    return [json.loads((run / "attempts/1.job.json").read_text())["id"] for run in site.runs(name)]


def test_a_job_that_waits_is_held_as_a_whole_and_released(site):
    waits = cluster(site)
    site.runx(site.sweep("hold", "HPARAMS: {lr: [1, 2]}\n"))
    assert "2 of 2 runs held" in site.runx("hold", "hold").stderr
    shown = json.loads(site.runx("status", "hold", "--json").stdout)
    assert {(each["state"], each["reason"]) for each in shown} == {("queued", "held")}
    waits.unlink()
    [one, _] = [run.name for run in site.runs("hold")]
    refused = site.runx("release", "hold", one, status=1).stderr
    assert "whole Jobs" in refused
    site.runx("release", "hold")
    site.done("hold", 2)
    assert "0 of 2 runs held" in site.runx("hold", "hold").stderr


def test_a_job_of_which_some_runs_is_not_held(site):
    site.runx(site.sweep("begun", "HPARAMS:\n  - {nap: 300}\n  - {nap: 400}\n"))
    site.wait("begun", lambda states: "running" in states.values())
    assert "none may run yet" in site.runx("hold", "begun", status=1).stderr
    assert not orders(site, "patch")
    site.runx("cancel", "begun")


def test_a_job_is_asked_for_where_it_was_submitted(site):
    site.environment["KUBE_CONTEXT"] = "lab"
    site.runx(site.sweep("place", "HPARAMS: {lr: [1, 2], nap: 300}\n"))
    [create] = orders(site, "create")
    assert create[0] == {"--context": "lab", "--namespace": "me"}
    address = json.loads((site.runs("place")[0] / "attempts/1.job.json").read_text())
    assert address["options"] == {
        "VOLUME": "logs",
        "context": "lab",
        "namespace": "me",
        "server": "https://k8s.example:6443",
    }
    site.environment["KUBE_CONTEXT"] = "other"
    site.wait("place", lambda states: "running" in states.values())
    # A context of that name which leads to another cluster is not asked.
    site.environment["KUBE_SERVER"] = "https://else.example:6443"
    told = site.runx("status", "place").stderr
    assert "its jobs are at https://k8s.example:6443" in told
    assert "https://else.example:6443" in told
    assert "0 of 2 runs cancelled" in site.runx("cancel", "place", status=1).stderr
    assert not orders(site, "delete")
    del site.environment["KUBE_SERVER"]
    site.runx("cancel", "place")
    assert {each[0]["--context"] for each in orders(site, "delete")} == {"lab"}
    assert set(site.wait("place", all_end).values()) == {"cancelled"}


def test_a_context_that_is_not_there_stops_a_launch(site):
    file = site.sweep("none", "HPARAMS: {lr: 1}\nADDRESS: nosuch\n")
    assert "cannot locate context nosuch" in site.runx(file, status=3).stderr
    assert "cannot locate context nosuch" in site.runx(file, "-n").stderr


def test_a_run_is_started_again_as_a_job_of_another_name(site):
    file = site.sweep("anew", "HPARAMS: {status: 3}\nARRAY: false\nMAX_PARALLEL:\n")
    site.runx(file)
    site.wait("anew", lambda states: list(states.values()) == ["failed"])
    site.runx(file, "--resume")
    run = site.runs("anew")[0]
    site.wait("anew", lambda _: (run / "attempts/2.events.jsonl").exists())
    first, second = (
        json.loads((run / f"attempts/{number}.job.json").read_text())["id"] for number in (1, 2)
    )
    assert first != second


def test_index_0_alone_is_cancelled(site):
    site.runx(site.sweep("zero", "HPARAMS:\n  - {nap: 300}\n  - {nap: 400}\nMAX_PARALLEL: 2\n"))
    first, second = by_nap(site, "zero")
    site.wait("zero", lambda states: set(states.values()) == {"running"})
    site.runx("cancel", "zero", first)
    states = site.wait("zero", lambda states: states[first] != "running")
    assert states == {first: "cancelled", second: "running"}
    site.runx("cancel", "zero")


def failing(site, verb, text):
    folder = site.path.parent / "jobs"
    folder.mkdir(exist_ok=True)
    (folder / "fails").write_text(f"{verb}\n{text}")
    return folder / "fails"


@pytest.mark.parametrize(
    "text",
    [
        'error when creating "STDIN": Timeout: request did not complete within the allotted time',
        'Error from server (AlreadyExists): error when creating "STDIN": already exists',
    ],
)
def test_a_job_that_went_in_though_its_create_failed_is_found_by_its_name(site, text):
    # As where kubectl tries again what the server had taken, and is told that it exists.
    fails = failing(site, "create", text)
    file = site.sweep("in", "HPARAMS: {lr: [1, 2]}\n")
    site.runx(file, status=(0, 3))
    fails.unlink()
    site.runx(file, "--resume")
    site.done("in", 2)
    assert len(orders(site, "create")) == 1


def test_another_job_of_the_name_is_neither_believed_nor_taken_for_ours(site):
    cluster(site)
    file = site.sweep("theirs", "HPARAMS: {lr: [1, 2]}\n")
    site.runx(file)
    jobs = site.path.parent / "jobs" / "jobs.json"
    content = json.loads(jobs.read_text())
    manifest = json.loads(content["1"]["manifest"])
    manifest["metadata"]["annotations"]["runx/launch"] = "another"
    content["1"]["manifest"] = json.dumps(manifest)
    jobs.write_text(json.dumps(content))
    shown = json.loads(site.runx("status", "theirs", "--json").stdout)
    # Ours is gone, and has been for a moment only: that is no end yet.
    assert {each["state"] for each in shown} == {"queued"}
    assert {each["reason"] for each in shown} == {""}
