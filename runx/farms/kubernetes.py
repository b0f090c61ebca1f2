"""Kubernetes: a Job for a run, an Indexed Job for an array, by kubectl."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from runx.farms.base import Farm, FarmType, Handback, JobArray, Question, Submission, Words
from runx.farms.manifest import AGAIN, OURS, job_name, manifest
from runx.farms.words import chunked
from runx.processes import Finished
from runx.states.attempts import JobStatus

_INDEX = "batch.kubernetes.io/job-completion-index"
_JOB = "batch.kubernetes.io/job-name"
_SOON = ("--wait=false", "--ignore-not-found")
_REASONS = {
    "OOMKilled": "oom",
    "DeadlineExceeded": "timeout",
    "Evicted": "preempted",
    "Preempting": "preempted",
    "NodeLost": "lost",
}


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array: a manifest on kubectl's stdin."""
    text = json.dumps(manifest(array, farm), indent=2) + "\n"
    return Submission((*_kubectl(farm), "create", "-f", "-", "-o", "name"), {}, text)


def _kubectl(farm: Farm) -> Words:
    context, namespace = farm.options.get("ADDRESS"), farm.options.get("NAMESPACE")
    return (
        "kubectl",
        *(("--context", context) if context else ()),
        *(("--namespace", namespace) if namespace else ()),
    )


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Read what ``kubectl create -o name`` answers: ``job.batch/name``."""
    match = re.search(r"^job\.batch/(\S+)$", answer, re.MULTILINE)
    if match is None:
        return []
    return [f"{match[1]}/{index}" for index in range(len(array.jobs))]


def pods(finished: Finished) -> dict[str, JobStatus] | None:
    """Read the pods of our Jobs; of several of one index, the youngest counts."""
    if finished.status:
        return None
    found: dict[str, JobStatus] = {}
    items = json.loads(finished.output)["items"]
    for pod in sorted(items, key=lambda pod: str(pod["metadata"].get("creationTimestamp", ""))):
        about = pod["metadata"]
        index = about.get("annotations", {}).get(_INDEX) or about["labels"].get(_INDEX) or "0"
        name = about["labels"].get(_JOB) or about["labels"].get("job-name", "")
        found[f"{name}/{index}"] = _status(pod.get("status", {}))._replace(
            name=name, task=int(index)
        )
    return found


def _status(status: dict[str, Any]) -> JobStatus:
    phase = status.get("phase")
    if phase in ("Pending", "Running", "Succeeded"):
        return JobStatus({"Pending": "queued", "Running": "running", "Succeeded": "done"}[phase])
    containers = status.get("containerStatuses", [])
    ends = [one.get("state", {}).get("terminated") or {} for one in containers]
    reasons = [status.get("reason", ""), *(end.get("reason", "") for end in ends)]
    for reason in reasons:
        if reason in _REASONS:
            return JobStatus(_REASONS[reason])
    codes = [end["exitCode"] for end in ends if "exitCode" in end]
    return JobStatus("failed", f"exit status {codes[0]}" if codes else str(phase))


def jobs(finished: Finished) -> dict[str, JobStatus] | None:
    """Read our Jobs: what has no pod yet waits for its turn."""
    if finished.status:
        return None
    found = {}
    for job in json.loads(finished.output)["items"]:
        name = job["metadata"]["name"]
        why = "held" if job["spec"].get("suspend") else ""
        for index in range(int(job["spec"].get("completions") or 1)):
            found[f"{name}/{index}"] = JobStatus("queued", why, name, index)
    return found


def _get(what: str, ids: Sequence[str], farm: Farm) -> Words:
    label, value = next(iter(OURS.items()))
    return (*_kubectl(farm), "get", what, "-l", f"{label}={value}", "-o", "json")


def cancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    """End the pods of single indices; one that has none yet finds its order when it gets one."""
    several: dict[str, list[str]] = {}
    for job in ids:
        name, _, index = job.partition("/")
        several.setdefault(name, []).append(index)
    return [
        (*_kubectl(farm), "delete", "pod", *_SOON, "-l", _selected(name, indices))
        for name, indices in several.items()
    ]


def cancel_whole(names: Sequence[str], farm: Farm) -> list[Words]:
    """Remove Jobs, so that they make no more pods; those that have ended still tell how."""
    return [
        (*_kubectl(farm), "delete", "job", "--cascade=orphan", *_SOON, *some)
        for some in chunked(names)
    ]


def _selected(name: str, indices: Sequence[str]) -> str:
    if list(indices) == ["0"]:
        return f"{_JOB}={name}"
    return f"{_JOB}={name},{_INDEX} in ({','.join(indices)})"


def _test_only(submission: Submission) -> Submission:
    return Submission(
        (*submission.words, "--dry-run=server"), submission.environment, submission.stdin
    )


FARM_TYPE = FarmType(
    programs=("kubectl",),
    package="install kubectl, and see that it reaches the cluster",
    submission=submission,
    job_ids=job_ids,
    job_name=job_name,
    questions=(
        Question(lambda ids, farm: _get("pods", ids, farm), pods),
        Question(lambda ids, farm: _get("jobs", ids, farm), jobs),
    ),
    cancel=cancel,
    cancel_whole=cancel_whole,
    test_only=_test_only,
    arrays=True,
    largest=10000,
    handback=Handback(status=AGAIN),
)
