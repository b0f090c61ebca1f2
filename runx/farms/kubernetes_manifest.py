"""The manifest of a Kubernetes Job, made of a job array and of what its runs need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, Handback, JobArray
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs, mebibytes
from runx.farms.words import plain_name, refuse, texts
from runx.nearest import suggestion
from runx.sweeps.values import Hparam

REQUEUE_STATUS = 75
"""The exit status by which a run is started again."""
HANDBACK = Handback(status=REQUEUE_STATUS)
LABELS = {"app.kubernetes.io/managed-by": "runx"}
"""The label of everything that runx makes."""
JOB_LABEL, LAUNCH = "runx/job", "runx/launch"
"""The label of what the job is, and the annotation of its launch: the Job's name has both."""
_LONGEST = 52
"""Characters of a Job's name: with an index appended it names a host, which may have 63."""
OPTIONS = (
    "tolerations",
    "imagePullSecrets",
    "serviceAccount",
    "shm",
    "labels",
    "annotations",
    "nodeSelector",
    "priorityClass",
    "volumes",
)
"""What RESOURCES may say of a Job besides the portable keys; any other is a quantity."""
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NAMES = {name.lower(): name for name in OPTIONS}


def manifest(array: JobArray, farm: Farm) -> dict[str, Any]:
    """Return the manifest of an array's Job; an index that fails doesn't end the others."""
    count = len(array.jobs)
    given, quantities = _options(array.needs.rest)
    labels = {**_pairs(given, "labels"), **LABELS, JOB_LABEL: _digest(array.name, 40)}
    annotations = _pairs(given, "annotations")
    metadata = {"labels": labels} | ({"annotations": annotations} if annotations else {})
    spec: dict[str, Any] = {
        "completions": count,
        "parallelism": min(array.max_parallel or count, count),
        "template": {"metadata": metadata, "spec": _pod(array, farm, given, quantities)},
        "podFailurePolicy": {"rules": list(_policy(farm))},
    }
    if array.is_array:
        spec |= {"completionMode": "Indexed", "backoffLimitPerIndex": 0, "maxFailedIndexes": count}
    else:
        spec |= {"backoffLimit": 0}
    named = {"name": job_name(array), "annotations": {**annotations, LAUNCH: array.launch}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, **named},
        "spec": spec,
    }


def job_name(array: JobArray) -> str:
    """Return the name of an array as a label of DNS, which names a Job; no other launch has it."""
    return _name(array.name, _digest(array.name, 40), array.launch)


def _name(name: str, label: str, launch: str) -> str:
    """Return the name of a Job.

    >>> re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", _name("Ünit_Sweep.A-", "1", "2")) is not None
    True
    """
    clean = re.sub(r"[^a-z0-9-]+", "-", plain_name(name).lower())[: _LONGEST - 9].strip("-")
    return f"{clean}-{_digest(f'{label} {launch}', 8)}"


def _digest(text: str, length: int) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def is_ours(metadata: Mapping[str, Any]) -> bool:
    """Return whether a Job is the one that its name was made for, not another of that name.

    Jobs of earlier versions have no label that tells.
    """
    label = metadata.get("labels", {}).get(JOB_LABEL)
    launch = metadata.get("annotations", {}).get(LAUNCH, "")
    return not label or str(metadata["name"]).endswith(f"-{_digest(f'{label} {launch}', 8)}")


def _policy(farm: Farm) -> list[dict[str, Any]]:
    """Return the rules for ends of a pod that are not the run's, after which it starts again."""
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    rules: list[dict[str, Any]] = [{"action": "Ignore", "onPodConditions": [disrupted]}]
    if farm.takes_back:
        codes = {"operator": "In", "values": [REQUEUE_STATUS]}
        rules.insert(0, {"action": "Ignore", "onExitCodes": codes})
    return rules


def _options(rest: Sequence[Hparam]) -> tuple[dict[str, Sequence[str]], dict[str, str]]:
    """Return what RESOURCES say of the Job by its name, and quantities of other resources.

    Raises SettingsError for what is nearly one of OPTIONS: it would be taken for a quantity.
    """
    given: dict[str, Sequence[str]] = {}
    quantities = {}
    for resource in rest:
        plain = re.sub(r"[_-]", "", resource.name.lower())
        if plain in _NAMES:
            given[_NAMES[plain]] = [text.strip() for text in texts(resource) if text.strip()]
        elif (hint := suggestion(plain, OPTIONS)).startswith("did"):
            raise SettingsError(f"RESOURCES: unknown key {resource.name}; {hint}")
        else:
            quantities[resource.name] = str(resource.text)
    return given, quantities


def _pod(
    array: JobArray, farm: Farm, given: Mapping[str, Sequence[str]], quantities: Mapping[str, str]
) -> dict[str, Any]:
    needs = array.needs
    refuse(needs, "kubernetes", "qos", "account", "gpu_kind")
    if needs.nodes and needs.nodes > 1:
        refuse(needs, "kubernetes", "nodes")
    if not needs.image:
        raise SettingsError("RESOURCES: image is missing: the container that runs on Kubernetes")
    volumes = list(_volumes(array, farm, given))
    container = {
        "name": "run",
        "image": needs.image,
        "command": ["bash", "-c", job_script(array, farm, "$JOB_COMPLETION_INDEX", HANDBACK)],
        "resources": _limits(needs, quantities),
        "volumeMounts": [mount for _, mount in volumes],
    }
    fields = {
        "nodeSelector": _node_labels(needs, given),
        "affinity": _affinity(needs),
        "priorityClassName": _priority_class(farm, _one(given, "priorityClass") or needs.partition),
        "activeDeadlineSeconds": needs.time,
        "serviceAccountName": _one(given, "serviceAccount"),
        "imagePullSecrets": [{"name": name} for name in given.get("imagePullSecrets", ())],
        "tolerations": [_toleration(text) for text in given.get("tolerations", ())],
    }
    return {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [volume for volume, _ in volumes],
        **{name: value for name, value in fields.items() if value},
    }


def _priority_class(farm: Farm, own: str) -> str:
    """Return the priority class of RESOURCES, or that of PRIORITY; both are one too many."""
    if not farm.priority:
        return own
    if own:
        raise SettingsError(f"PRIORITY: RESOURCES name the priority class {own}; leave one out")
    return class_of(farm)


def class_of(farm: Farm) -> str:
    """Return the priority class of PRIORITY: on its side of 0 the farthest, but not beyond it.

    >>> named = Farm("k", priority=-7, options={"PRIORITY_CLASSES": "low=-1,lowest=-9,high=5"})
    >>> class_of(named), class_of(named._replace(priority=9))
    ('low', 'high')
    """
    text, wanted = farm.options.get("PRIORITY_CLASSES", ""), farm.priority
    classes = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, number = (word.strip() for word in part.partition("="))
        if not name or not re.fullmatch(r"[+-]?\d{1,2}", number, re.ASCII):
            raise SettingsError(f"PRIORITY_CLASSES must be as low=-5,high=5, not {text!r}")
        classes[int(number)] = name
    near = [number for number in classes if number * wanted > 0 and abs(number) <= abs(wanted)]
    if not near:
        raise SettingsError(
            f"Kubernetes has priorities by names of classes: for {wanted} PRIORITY_CLASSES names"
            f" none; say PRIORITY_CLASSES: NAME={wanted}"
        )
    return classes[max(near, key=abs)]


def _affinity(needs: Needs) -> dict[str, Any]:
    """Return that a pod goes to nodes whose GPUs have so much memory.

    The label, in MiB, is that of NVIDIA's GPU feature discovery.
    """
    if not needs.gpu_mem:
        return {}
    larger = {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": [str(needs.gpu_mem - 1)]}
    terms = [{"matchExpressions": [larger]}]
    required = {"nodeSelectorTerms": terms}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _one(given: Mapping[str, Sequence[str]], name: str) -> str:
    values = given.get(name, ())
    if len(values) > 1:
        raise SettingsError(f"RESOURCES: {name} must be one value")
    return values[0] if values else ""


def _pairs(given: Mapping[str, Sequence[str]], name: str) -> dict[str, str]:
    """Return what RESOURCES say as ``name=value``, in a list or with commas between."""
    texts = given.get(name, ())
    # An annotation may hold commas: those are parted in lists alone.
    parts = [part for text in texts for part in ([text] if len(texts) > 1 else text.split(","))]
    pairs = dict(_pair(name, part) for part in parts)
    for taken in (*LABELS, JOB_LABEL, LAUNCH):
        if taken in pairs:
            raise SettingsError(f"RESOURCES: {name}: {taken} is runx's own; leave it out")
    return pairs


def _pair(name: str, text: str) -> tuple[str, str]:
    key, equals, value = text.strip().partition("=")
    if not equals or not key.strip():
        example = {"constraint": "labels of nodes, as gpu=a100"}.get(name, "as name=value")
        raise SettingsError(f"RESOURCES: {name} must be {example}, not {text!r}")
    return key.strip(), value.strip()


def _node_labels(needs: Needs, given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    constraint = needs.constraint.split(",") if needs.constraint else ()
    return dict(_pair("constraint", text) for text in constraint) | _pairs(given, "nodeSelector")


def _toleration(text: str) -> dict[str, str]:
    """Return a toleration, written as kubectl writes taints; ``*`` tolerates every taint.

    >>> _toleration("gpu=yes:NoSchedule") == {
    ...     "key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}
    True
    >>> _toleration("*")
    {'operator': 'Exists'}
    """
    taint, _, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    if (effect and effect not in _EFFECTS) or not key:
        raise SettingsError(
            f"RESOURCES: tolerations must be as nvidia.com/gpu=present:NoSchedule, not {text!r};"
            f" an effect is one of {', '.join(_EFFECTS)}"
        )
    toleration: dict[str, str] = {} if key == "*" else {"key": key}
    toleration["operator"] = "Equal" if equals else "Exists"
    fields = {"value": value if equals else "", "effect": effect}
    return {**toleration, **{name: text for name, text in fields.items() if text}}


def _volumes(
    array: JobArray, farm: Farm, given: Mapping[str, Sequence[str]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each volume of a pod and where it is mounted; VOLUME, of LOGROOT, comes first."""
    claim, _, mounted = farm.options.get("VOLUME", "").partition(":")
    if not claim:
        raise SettingsError("VOLUME is missing: the claim that holds LOGROOT, as CLAIM:/mounted/at")
    place = mounted or str(array.experiment_dir.parent)
    yield _claimed("logroot", claim), {"name": "logroot", "mountPath": place}
    for number, text in enumerate(given.get("volumes", ())):
        match = re.fullmatch(r"([\w.-]+):(/[^:]*)(:ro)?", text)
        if match is None:
            raise SettingsError(f"RESOURCES: volumes must be as CLAIM:/mounted/at, not {text!r}")
        name, read_only = f"volume-{number}", {"readOnly": True} if match[3] else {}
        yield _claimed(name, match[1]), {"name": name, "mountPath": match[2], **read_only}
    if size := _one(given, "shm"):
        memory = {"medium": "Memory", "sizeLimit": f"{_shm(size)}Mi"}
        yield {"name": "shm", "emptyDir": memory}, {"name": "shm", "mountPath": "/dev/shm"}


def _claimed(name: str, claim: str) -> dict[str, Any]:
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


def _shm(text: str) -> int:
    return mebibytes(text, "RESOURCES: shm")


def _limits(needs: Needs, quantities: Mapping[str, str]) -> dict[str, Any]:
    limits = {
        "nvidia.com/gpu": needs.gpus,
        "cpu": needs.cpus,
        "memory": f"{needs.mem}Mi" if needs.mem else None,
    }
    texts = {**{name: str(value) for name, value in limits.items() if value}, **quantities}
    return {"limits": texts, "requests": texts} if texts else {}
