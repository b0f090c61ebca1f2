"""The manifest of a Job on Kubernetes: what is asked of the cluster, as batch/v1 has it."""

from __future__ import annotations

import re
from typing import Any

from runx.cmdline.resources import Needs
from runx.errors import SettingsError
from runx.farms.base import Farm, JobArray
from runx.farms.jobscript import job_script
from runx.farms.words import plain_name, refuse

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
