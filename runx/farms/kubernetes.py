"""Kubernetes: a Job for a run, an Indexed Job for an array, by kubectl."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from runx.errors import FarmError
from runx.farms.base import (
    Farm,
    FarmType,
    JobArray,
    JobCommands,
    Place,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.kubernetes_manifest import HANDBACK, LABELS, class_of, job_name, manifest
from runx.farms.kubernetes_status import INDEX, JOB, reasons, statuses
from runx.farms.words import chunked
from runx.processes import Finished

_DELETE_OPTIONS = ("--wait=false", "--ignore-not-found")
_OURS = ("-l", "=".join(*LABELS.items()))


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array, with its manifest as stdin."""
    text = json.dumps(manifest(array, farm), indent=2) + "\n"
    return Submission((*_kubectl(farm), "create", "-f", "-", "-o", "name"), {}, text)


def _kubectl(farm: Farm) -> Words:
    context = farm.options.get("context") or farm.options.get("ADDRESS")
    namespace = farm.options.get("namespace") or farm.options.get("NAMESPACE")
    return (
        "kubectl",
        *(("--context", context) if context else ()),
        *(("--namespace", namespace) if namespace else ()),
    )


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return ids, ``name/index``, by what ``kubectl create -o name`` prints: ``job.batch/name``."""
    match = re.search(r"^job\.batch/(\S+)$", answer, re.MULTILINE)
    if match is None:
        return []
    return [f"{match[1]}/{index}" for index in range(len(array.jobs))]


def place(finished: Finished, farm: Farm) -> Mapping[str, str]:
    """Return the context, namespace and server that kubectl uses, empty without a configuration.

    That is so in a pod, whose service account kubectl takes.

    Raises:
        FarmError: There is no such context.
    """
    if finished.status:
        if "--context" in finished.words:
            raise FarmError(f"farm {farm.name}: kubectl: {finished.last_line}")
        return {}
    config = json.loads(finished.output)
    [context] = config["contexts"]
    clusters = config.get("clusters") or [{}]
    given = farm.options.get("namespace") or farm.options.get("NAMESPACE")
    namespace = given or context["context"].get("namespace") or "default"
    server = str(clusters[0].get("cluster", {}).get("server", ""))
    return {"context": context["name"], "namespace": namespace, "server": server}


def _get(kinds: str) -> StatusQuery:
    return StatusQuery(
        lambda ids, farm: (*_kubectl(farm), "get", kinds, *_OURS, "-o", "json"),
        statuses,
        sees="all",
    )


def _events(ids: Sequence[str], farm: Farm) -> Words:
    of_jobs = "involvedObject.kind=Job,reason=FailedCreate"
    return (*_kubectl(farm), "get", "events", "--field-selector", of_jobs, "-o", "json")


def _job(id: str) -> str:
    return id.partition("/")[0]


def cancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    """Return commands that end the pods of indices; one without a pod ends by its order.

    An id without an index is that of a whole Job.
    """
    of_jobs: dict[str, list[str]] = {}
    for id in ids:
        name, slash, index = id.partition("/")
        of_jobs.setdefault(name, []).extend([index] if slash else [])
    selectors = [each for name, indices in of_jobs.items() for each in _selectors(name, indices)]
    return [(*_kubectl(farm), "delete", "pod", *_DELETE_OPTIONS, "-l", each) for each in selectors]


def _selectors(name: str, indices: Sequence[str]) -> list[str]:
    """Return what selects the pods of indices; that of a Job without indices has no such label."""
    chosen = f"{JOB}={name}"
    if not indices:
        return [chosen]
    parts = [f"{chosen},{INDEX} in ({','.join(chunk)})" for chunk in chunked(indices)]
    return [*parts, f"{chosen},!{INDEX}"] if "0" in indices else parts


def cancel_arrays(names: Sequence[str], farm: Farm) -> list[Words]:
    """Return commands that delete Jobs, so that they make no more pods, but not their pods."""
    return [
        (*_kubectl(farm), "delete", "job", "--cascade=orphan", *_DELETE_OPTIONS, *chunk)
        for chunk in chunked(names)
    ]


def _suspend(is_suspended: bool) -> JobCommands:
    patch = json.dumps({"spec": {"suspend": is_suspended}}, separators=(",", ":"))

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        if parts := [id for id in ids if "/" in id]:
            raise FarmError(
                f"farm {farm.name}: Kubernetes holds and releases whole Jobs, and a Job is held"
                f" before it runs: name all runs of {_job(parts[0])}, of which none may run yet"
            )
        return [
            (*_kubectl(farm), "patch", "job", name, "--type=merge", "-p", patch) for name in ids
        ]

    return commands


def _test_only(submission: Submission) -> Submission:
    return replace(submission, words=(*submission.words, "--dry-run=server"))


FARM_TYPE = FarmType(
    gpu_memory=True,
    programs=("kubectl",),
    package="install kubectl, and see that it reaches the cluster",
    submission=submission,
    job_ids=job_ids,
    job_name=job_name,
    located=Place(
        lambda farm: (*_kubectl(farm), "config", "view", "--minify", "-o", "json"), place
    ),
    queries=(_get("jobs,pods"), _get("jobs")),
    reasons=StatusQuery(_events, reasons, _job),
    cancel=cancel,
    cancel_arrays=cancel_arrays,
    hold=_suspend(True),
    release=_suspend(False),
    array_of=_job,
    suspends=True,
    test_only=_test_only,
    arrays=True,
    largest=10000,
    handback=HANDBACK,
    priority=lambda farm: (class_of(farm),),
    reads=("PRIORITY_CLASSES", "ADDRESS", "NAMESPACE", "VOLUME"),
)
