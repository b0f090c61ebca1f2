"""Kubernetes: a Job for a run, an Indexed Job for an array, by kubectl."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, Handback, JobArray, StatusQuery, Submission, Words
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs
from runx.farms.words import chunked, plain_name, refuse
from runx.processes import Finished
from runx.rundir.events import JobStatus

REQUEUE_STATUS = 75
"""The exit status by which a run is started again."""
LABELS = {"app.kubernetes.io/managed-by": "runx"}
"""The label of everything that runx makes."""
_LONGEST = 52
"""Characters of a Job's name: with an index appended it names a host, which may have 63."""
_INDEX = "batch.kubernetes.io/job-completion-index"
_JOB = "batch.kubernetes.io/job-name"
_REASONS = {
    "OOMKilled": "oom",
    "DeadlineExceeded": "timeout",
    "Evicted": "preempted",
    "Preempting": "preempted",
    "NodeLost": "lost",
}
_DELETE_OPTIONS = ("--wait=false", "--ignore-not-found")


def manifest(array: JobArray, farm: Farm) -> dict[str, Any]:
    """Return the manifest of an array's Job; an index that fails doesn't end the others."""
    count = len(array.jobs)
    spec: dict[str, Any] = {
        "completions": count,
        "parallelism": min(array.max_parallel or count, count),
        "template": {"metadata": {"labels": LABELS}, "spec": _pod(array, farm)},
        "podFailurePolicy": {"rules": list(_policy(farm))},
    }
    if array.is_array:
        spec |= {"completionMode": "Indexed", "backoffLimitPerIndex": 0, "maxFailedIndexes": count}
    else:
        spec |= {"backoffLimit": 0}
    name = {"name": job_name(array), "labels": LABELS, "annotations": {"runx/launch": array.launch}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": name, "spec": spec}


def _policy(farm: Farm) -> list[dict[str, Any]]:
    """Return the rules for ends of a pod that are not the run's, after which it starts again."""
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    rules: list[dict[str, Any]] = [{"action": "Ignore", "onPodConditions": [disrupted]}]
    if farm.requeue is not None:
        codes = {"operator": "In", "values": [REQUEUE_STATUS]}
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
    """Return the claim of LOGROOT, and where pods mount it: as VOLUME says, or where it is here."""
    claim, _, mounted = farm.options.get("VOLUME", "").partition(":")
    if not claim:
        raise SettingsError("VOLUME is missing: the claim that holds LOGROOT, as CLAIM:/mounted/at")
    return claim, mounted or str(array.experiment_dir.parent)


def _limits(needs: Needs) -> dict[str, Any]:
    limits = {
        "nvidia.com/gpu": needs.gpus,
        "cpu": needs.cpus,
        "memory": f"{needs.mem}Mi" if needs.mem else None,
    }
    quantities = {name: str(value) for name, value in limits.items() if value}
    quantities |= {resource.name: str(resource.text) for resource in needs.rest}
    return {"limits": quantities, "requests": quantities} if quantities else {}


def job_name(array: JobArray) -> str:
    """Return the name of an array as a label of DNS, which names a Job.

    >>> re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", _dns("Ünit_Sweep.A-")) is not None
    True
    """
    return _dns(array.name)


def _dns(name: str) -> str:
    from hashlib import sha256

    clean = re.sub(r"[^a-z0-9-]+", "-", plain_name(name).lower()).strip("-")
    if clean == name and len(clean) <= _LONGEST:
        return clean
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{clean[: _LONGEST - 9].strip('-')}-{digest}"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array, with its manifest as stdin."""
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
    """Return ids, ``name/index``, by what ``kubectl create -o name`` prints: ``job.batch/name``."""
    match = re.search(r"^job\.batch/(\S+)$", answer, re.MULTILINE)
    if match is None:
        return []
    return [f"{match[1]}/{index}" for index in range(len(array.jobs))]


def pods(finished: Finished) -> dict[str, JobStatus] | None:
    """Return the statuses of pods by job id; of several pods of one index, the youngest counts."""
    if finished.status:
        return None
    statuses: dict[str, JobStatus] = {}
    items = json.loads(finished.output)["items"]
    for pod in sorted(items, key=lambda pod: str(pod["metadata"].get("creationTimestamp", ""))):
        metadata = pod["metadata"]
        labels = metadata["labels"]
        index = metadata.get("annotations", {}).get(_INDEX) or labels.get(_INDEX) or "0"
        name = labels.get(_JOB) or labels.get("job-name", "")
        statuses[f"{name}/{index}"] = _status(pod.get("status", {}))._replace(
            name=name, task=int(index)
        )
    return statuses


def _status(status: dict[str, Any]) -> JobStatus:
    phase = status.get("phase")
    if phase in ("Pending", "Running", "Succeeded"):
        return JobStatus({"Pending": "queued", "Running": "running", "Succeeded": "done"}[phase])
    containers = status.get("containerStatuses", [])
    ends = [container.get("state", {}).get("terminated") or {} for container in containers]
    reasons = [status.get("reason", ""), *(end.get("reason", "") for end in ends)]
    for reason in reasons:
        if reason in _REASONS:
            return JobStatus(_REASONS[reason])
    codes = [end["exitCode"] for end in ends if "exitCode" in end]
    return JobStatus("failed", f"exit status {codes[0]}" if codes else str(phase))


def jobs(finished: Finished) -> dict[str, JobStatus] | None:
    """Return every index of runx's Jobs as queued, for those that have no pod yet."""
    if finished.status:
        return None
    statuses = {}
    for job in json.loads(finished.output)["items"]:
        name = job["metadata"]["name"]
        reason = "held" if job["spec"].get("suspend") else ""
        for index in range(int(job["spec"].get("completions") or 1)):
            statuses[f"{name}/{index}"] = JobStatus("queued", reason, name, index)
    return statuses


def _get(kind: str, ids: Sequence[str], farm: Farm) -> Words:
    label, value = next(iter(LABELS.items()))
    return (*_kubectl(farm), "get", kind, "-l", f"{label}={value}", "-o", "json")


def cancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    """Return commands that end the pods of indices; one without a pod ends by its order."""
    indices: dict[str, list[str]] = {}
    for job in ids:
        name, _, index = job.partition("/")
        indices.setdefault(name, []).append(index)
    return [
        (*_kubectl(farm), "delete", "pod", *_DELETE_OPTIONS, "-l", _selector(name, of_job))
        for name, of_job in indices.items()
    ]


def cancel_arrays(names: Sequence[str], farm: Farm) -> list[Words]:
    """Return commands that delete Jobs, so that they make no more pods, but not their pods."""
    return [
        (*_kubectl(farm), "delete", "job", "--cascade=orphan", *_DELETE_OPTIONS, *chunk)
        for chunk in chunked(names)
    ]


def _selector(name: str, indices: Sequence[str]) -> str:
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
    queries=(
        StatusQuery(lambda ids, farm: _get("pods", ids, farm), pods),
        StatusQuery(lambda ids, farm: _get("jobs", ids, farm), jobs),
    ),
    cancel=cancel,
    cancel_arrays=cancel_arrays,
    test_only=_test_only,
    arrays=True,
    largest=10000,
    handback=Handback(status=REQUEUE_STATUS),
)
