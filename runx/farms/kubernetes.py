"""Kubernetes: a Job for a run, an Indexed Job for an array, by kubectl."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, Handback, JobArray, Question, Submission, Words
from runx.farms.resources import Needs
from runx.farms.words import chunked, job_script, plain_name, refuse
from runx.processes import Finished
from runx.rundir.events import JobStatus

AGAIN = 75
"""The exit status by which a run asks to be started again."""


OURS = {"app.kubernetes.io/managed-by": "runx"}
"""The label of all that runx makes."""


_LONGEST = 52
"""Characters of a Job's name: with an index behind it, it names a host, which may have 63."""


def manifest(array: JobArray, farm: Farm) -> dict[str, Any]:
    """Describe the Job; an index that fails leaves the others alone."""
    count = len(array.jobs)
    spec: dict[str, Any] = {
        "completions": count,
        "parallelism": min(array.parallel or count, count),
        "template": {"metadata": {"labels": OURS}, "spec": _pod(array, farm)},
        "podFailurePolicy": {"rules": list(_policy(farm))},
    }
    if array.is_array:
        spec |= {"completionMode": "Indexed", "backoffLimitPerIndex": 0, "maxFailedIndexes": count}
    else:
        spec |= {"backoffLimit": 0}
    name = {"name": job_name(array), "labels": OURS, "annotations": {"runx/launch": array.launch}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": name, "spec": spec}


def _policy(farm: Farm) -> list[dict[str, Any]]:
    """Say which ends of a pod are none of the run's: it starts again without being counted."""
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    rules: list[dict[str, Any]] = [{"action": "Ignore", "onPodConditions": [disrupted]}]
    if farm.requeue is not None:
        codes = {"operator": "In", "values": [AGAIN]}
        rules.insert(0, {"action": "Ignore", "onExitCodes": codes})
    return rules


def _pod(array: JobArray, farm: Farm) -> dict[str, Any]:
    needs = array.needs
    refuse(needs, "kubernetes", "qos", "account", "gpu_kind")
    if needs.nodes and needs.nodes > 1:
        refuse(needs, "kubernetes", "nodes")
    if not needs.image:
        raise SettingsError("RESOURCES: image is missing: the container that runs on Kubernetes")
    claim, mounted = _volume(array, farm)
    container = {
        "name": "run",
        "image": needs.image,
        "command": ["bash", "-c", job_script(array, farm, "$JOB_COMPLETION_INDEX")],
        "resources": _limits(needs),
        "volumeMounts": [{"name": "logroot", "mountPath": mounted}],
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "logroot", "persistentVolumeClaim": {"claimName": claim}}],
    }
    if needs.constraint:
        pod["nodeSelector"] = dict([_label(text) for text in needs.constraint.split(",")])
    if needs.partition:
        pod["priorityClassName"] = needs.partition
    if needs.time:
        pod["activeDeadlineSeconds"] = needs.time
    return pod


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals:
        raise SettingsError("RESOURCES: constraint must be labels of nodes, as gpu=a100")
    return name, value


def _volume(array: JobArray, farm: Farm) -> tuple[str, str]:
    """Give the claim of LOGROOT, and where pods mount it: where it is here, or as VOLUME says."""
    claim, _, mounted = farm.options.get("VOLUME", "").partition(":")
    if not claim:
        raise SettingsError("VOLUME is missing: the claim that holds LOGROOT, as CLAIM:/mounted/at")
    return claim, mounted or str(array.home.parent)


def _limits(needs: Needs) -> dict[str, Any]:
    limits = {
        "nvidia.com/gpu": needs.gpus,
        "cpu": needs.cpus,
        "memory": f"{needs.mem}Mi" if needs.mem else None,
    }
    told = {name: str(value) for name, value in limits.items() if value}
    told |= {one.name: str(one.text) for one in needs.rest}
    return {"limits": told, "requests": told} if told else {}


def job_name(array: JobArray) -> str:
    """Name a Job as DNS has names.

    >>> re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", _dns("Ünit_Sweep.A-")) is not None
    True
    """
    return _dns(array.name)


def _dns(name: str) -> str:
    from hashlib import sha256

    clean = re.sub(r"[^a-z0-9-]+", "-", plain_name(name).lower()).strip("-")
    if clean == name and len(clean) <= _LONGEST:
        return clean
    told_apart = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{clean[: _LONGEST - 9].strip('-')}-{told_apart}"


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
