"""A stand-in for kubectl: takes the Jobs that its schema takes, runs them, and lists their pods."""

import json
import os
import re
import sys

sys.argv.insert(1, "kubectl")
from standin import Jobs, refuse  # noqa: E402

JOB = "batch.kubernetes.io/job-name"
INDEX = "batch.kubernetes.io/job-completion-index"
QUANTITY = r"\d+(\.\d+)?(m|[kMGTPE]i?)?"
SPEC = {
    "completions",
    "parallelism",
    "template",
    "podFailurePolicy",
    "completionMode",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "backoffLimit",
    "suspend",
    "activeDeadlineSeconds",
}


def create(words):
    if words != ["-f", "-", "-o", "name"]:
        refuse(f"unknown {words}", 1)
    job = json.load(sys.stdin)
    name, spec = job["metadata"]["name"], job["spec"]
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        refuse(f'The Job "{name}" is invalid: metadata.name', 1)
    if set(spec) - SPEC or spec["template"]["spec"]["restartPolicy"] != "Never":
        refuse(f'The Job "{name}" is invalid: spec: {sorted(set(spec) - SPEC)}', 1)
    [container] = spec["template"]["spec"]["containers"]
    for resource, quantity in container.get("resources", {}).get("limits", {}).items():
        if not re.fullmatch(QUANTITY, str(quantity)):
            refuse(f"spec.template.spec.containers[0].resources.limits.{resource}: {quantity}", 1)
    if not container["image"]:
        refuse("spec.template.spec.containers[0].image: Required value", 1)
    tasks = {
        index: (container["command"], {"JOB_COMPLETION_INDEX": str(index)})
        for index in range(spec["completions"])
    }
    with Jobs() as jobs:
        jobs.add(name, tasks, spec.get("completionMode") == "Indexed", spec["parallelism"])
    print(f"job.batch/{name}")


def pod(job, index, state):
    phase = {"running": "Running", 0: "Succeeded"}.get(state, "Failed")
    ended = {"exitCode": 143 if state == "cancelled" else state, "reason": "Error"}
    return {
        "metadata": {
            "labels": {JOB: job["name"], "app.kubernetes.io/managed-by": "runx"},
            "annotations": {INDEX: index},
        },
        "status": {
            "phase": phase,
            "containerStatuses": [{"state": {"terminated": ended}}] if phase != "Running" else [],
        },
    }


def get(words):
    if words[1:] != ["-l", "app.kubernetes.io/managed-by=runx", "-o", "json"]:
        refuse(f"unknown {words}", 1)
    with Jobs() as jobs:
        jobs.advance()
        items = {
            "pods": [
                pod(job, index, state)
                for _, index, job, state in jobs.listed()
                if state != "waiting"
            ],
            "jobs": [
                {"metadata": {"name": job["name"]}, "spec": {"completions": len(job["tasks"])}}
                for job in jobs.all.values()
                if not job.get("deleted")
            ],
        }
    print(json.dumps({"items": items[words[0]]}))


def delete_jobs(words):
    if words[:3] != ["--cascade=orphan", "--wait=false", "--ignore-not-found"]:
        refuse(f"unknown {words}", 1)
    with Jobs() as jobs:
        for job in jobs.all.values():
            if job["name"] in words[3:]:
                job["deleted"] = True
                for index in [index for index, task in job["tasks"].items() if "pid" not in task]:
                    job["tasks"].pop(index)


def delete(words):
    if words[0] == "job":
        delete_jobs(words[1:])
        return
    selector = words[-1]
    if words[:4] != ["pod", "--wait=false", "--ignore-not-found", "-l"] or len(words) != 5:
        refuse(f"unknown {words}", 1)
    match = re.fullmatch(rf"{JOB}=([\w-]+)(?:,{INDEX} in \(([\d,]+)\))?", selector)
    if match is None:
        refuse(f"unable to parse requirement: {selector}", 1)
    with Jobs() as jobs:
        for number, index, job, _ in jobs.listed():
            if job["name"] == match[1] and (not match[2] or index in match[2].split(",")):
                jobs.cancel(number, index)


words = sys.argv[2:]
while words[0] in ("--namespace", "--context"):
    words = words[2:]
{"create": create, "get": get, "delete": delete}[words[0]](words[1:])
assert os.environ["STANDIN"]
