"""The statuses of Kubernetes' Jobs: their conditions and indices decide, then their pods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runx.farms.kubernetes_manifest import is_ours
from runx.processes import Finished
from runx.rundir.events import JobStatus

INDEX = "batch.kubernetes.io/job-completion-index"
JOB = "batch.kubernetes.io/job-name"
_UID = "batch.kubernetes.io/controller-uid"
_REASONS = {
    "OOMKilled": "oom",
    "DeadlineExceeded": "timeout",
    "Evicted": "preempted",
    "Preempting": "preempted",
    "NodeLost": "lost",
}
_STARTING = ("", "ContainerCreating", "PodInitializing")
"""Why a container waits that is about to start."""
_LONGEST = 200  # characters of a reason
_QUEUE = "kueue.x-k8s.io/queue-name"


def statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return the statuses of runx's Jobs by job id, ``name/index``, given Jobs and their pods.

    Where kubectl was refused it prints an empty list all the same.
    """
    if finished.status:
        return None
    items = json.loads(finished.output)["items"]
    jobs = [item for item in items if item["kind"] == "Job"]
    uids = {job["metadata"]["name"]: job["metadata"].get("uid") for job in jobs}
    pods = _pods([item for item in items if item["kind"] == "Pod"], uids)
    found = {}
    for (name, index), pod in pods.items():
        if name not in uids:  # The Job was deleted without its pods, as runx cancel does.
            found[f"{name}/{index}"] = _open(pod, {})._replace(name=name, task=index)
    for job in jobs:
        name, spec = job["metadata"]["name"], job["spec"]
        if not is_ours(job["metadata"]):
            continue
        done = set(indices(job["status"].get("completedIndexes", "")))
        failed = set(indices(job["status"].get("failedIndexes", "")))
        for index in range(int(spec.get("completions") or 1)):
            status = _status(job, index in done, index in failed, pods.get((name, index)))
            found[f"{name}/{index}"] = status._replace(name=name, task=index)
    return found


def indices(text: str) -> Iterator[int]:
    """Return the indices that a Job's status names.

    >>> list(indices("0,1")), list(indices("0-3,7")), list(indices(""))
    ([0, 1], [0, 1, 2, 3, 7], [])
    """
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _pods(
    pods: list[dict[str, Any]], uids: Mapping[str, str]
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the pods by Job and index; of several of one index, the youngest counts.

    Those of another Job of the same name, as its uid shows, are left out.
    """
    latest = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", ""))):
        metadata = pod["metadata"]
        labels = metadata["labels"]
        name = labels.get(JOB) or labels.get("job-name", "")
        index = metadata.get("annotations", {}).get(INDEX) or labels.get(INDEX) or "0"
        if labels.get(_UID, uids.get(name)) == uids.get(name, labels.get(_UID)):
            latest[name, int(index)] = pod
    return latest


def _status(
    job: Mapping[str, Any], is_done: bool, has_failed: bool, pod: dict[str, Any] | None
) -> JobStatus:
    """Return the status of an index, which outlives its pod; FailureTarget is not the end yet."""
    ends = {each["type"]: each for each in _conditions(job) if each["status"] == "True"}
    if is_done or "Complete" in ends:
        return JobStatus("done")
    if has_failed or "Failed" in ends:
        return _failed(pod, {} if has_failed else ends["Failed"])
    if job["spec"].get("suspend") and not (pod and _phase(pod) == "Succeeded"):
        queue = job["metadata"].get("labels", {}).get(_QUEUE)
        return JobStatus("queued", f"held, or waits in queue {queue}" if queue else "held")
    if pod is not None:
        return _open(pod, job["spec"])
    if job["metadata"].get("deletionTimestamp"):
        return JobStatus("cancelled", "its Job is being deleted")
    return JobStatus("queued")


def _failed(pod: dict[str, Any] | None, end: Mapping[str, Any]) -> JobStatus:
    """Return the status of an index that has failed: why its pod did, or else its whole Job."""
    if end.get("reason") == "DeadlineExceeded":
        return JobStatus("timeout")
    if pod is not None and _phase(pod) == "Failed":
        return _ended(pod)
    reason = "its pod failed or was deleted"
    if end.get("reason") not in (None, "BackoffLimitExceeded", "FailedIndexes"):
        reason = str(end.get("message") or end["reason"])
    return JobStatus("failed", reason[:_LONGEST])


def _open(pod: dict[str, Any], spec: Mapping[str, Any]) -> JobStatus:
    """Return the status of a pod whose index has no end yet; ``spec`` is that of its Job."""
    phase = _phase(pod)
    if phase == "Pending":
        return JobStatus("queued", _why_waiting(pod["status"])[:_LONGEST])
    if phase in ("Running", "Succeeded"):
        return JobStatus("running" if phase == "Running" else "done")
    if phase != "Failed":
        return JobStatus("unknown", f"its pod is {phase or 'without a phase'}")
    # The Job makes another pod for one that was deleted, disrupted, or that exits with 75.
    ended = _ended(pod)
    if spec and (pod["metadata"].get("deletionTimestamp") or _is_ignored(pod, spec)):
        return JobStatus("preempted", f"{ended.reason or ended.state}; another pod follows")
    return ended


def _is_ignored(pod: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Return whether a Job's policy ignores the failure of its pod."""
    true = {each["type"] for each in _conditions(pod) if each["status"] == "True"}
    codes = set(_codes(pod))
    for rule in spec.get("podFailurePolicy", {}).get("rules", ()):
        by_code = codes & set(rule.get("onExitCodes", {}).get("values", ()))
        by_type = true & {each["type"] for each in rule.get("onPodConditions", ())}
        if rule["action"] == "Ignore" and (by_code or by_type):
            return True
    return False


def _ended(pod: Mapping[str, Any]) -> JobStatus:
    status = pod["status"]
    reasons = [status.get("reason", ""), *(end.get("reason", "") for end in _terminated(pod))]
    for reason in reasons:
        if reason in _REASONS:
            return JobStatus(_REASONS[reason])
    codes = _codes(pod)
    if codes:
        return JobStatus("failed", f"exit status {codes[0]}")
    return JobStatus("failed", str(status.get("message") or reasons[0] or "its pod failed"))


def _terminated(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    containers = pod["status"].get("containerStatuses", [])
    return [container.get("state", {}).get("terminated") or {} for container in containers]


def _codes(pod: Mapping[str, Any]) -> list[int]:
    return [end["exitCode"] for end in _terminated(pod) if "exitCode" in end]


def _why_waiting(status: Mapping[str, Any]) -> str:
    """Return why a pod waits: for its image or other things of its containers, or for a node."""
    for container in (
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ):
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason", "") not in _STARTING:
            return _joined(waiting)
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _joined(condition)
    return ""


def _joined(why: Mapping[str, Any]) -> str:
    message = str(why.get("message") or "").partition("\n")[0]
    return ": ".join(filter(None, (why.get("reason"), message)))


def _phase(pod: Mapping[str, Any]) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def _conditions(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return item.get("status", {}).get("conditions") or []


def reasons(finished: Finished) -> dict[str, JobStatus] | None:
    """Return why Jobs get no pods, by their names, given the events of Jobs.

    The latest counts. Kubernetes keeps events for an hour, and makes them anew while it tries.
    """
    if finished.status:
        return None
    found = {}
    events = json.loads(finished.output)["items"]
    for event in sorted(events, key=lambda event: str(event.get("lastTimestamp") or "")):
        if event.get("reason") == "FailedCreate":
            message = str(event.get("message") or "").partition("\n")[0]
            message = re.sub(r'^Error creating: (pods "\S+" is forbidden: )?', "", message)
            name = event["involvedObject"]["name"]
            found[name] = JobStatus("queued", f"no pod: {message}"[:_LONGEST], name)
    return found
