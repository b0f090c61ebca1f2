"""A stand-in for kubectl and a cluster, which answers in the words of support/answers/kubernetes.

It takes the manifests that the API's schema takes. While there is a file $STANDIN/pods.json nothing
starts: ``pods`` in it is the status of all pods, none where there is no such key, ``events`` are
those of Jobs. $STANDIN/fails, a verb and a line, makes that verb fail after it has done its work.
"""

import json
import os
import re
import sys
from hashlib import sha256

sys.argv.insert(1, "kubectl")
from standin import HOME, Jobs  # noqa: E402

OURS = "app.kubernetes.io/managed-by=runx"
JOB = "batch.kubernetes.io/job-name"
INDEX = "batch.kubernetes.io/job-completion-index"
UID = "batch.kubernetes.io/controller-uid"
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
CONTEXTS = {"lab": ("me", "https://k8s.example:6443"), "other": ("", "https://other.example:6443")}


def starting():
    """Return what keeps pods from starting, by pods.json, and None where nothing does."""
    file = HOME / "pods.json"
    return json.loads(file.read_text()) if file.exists() else None


class Cluster(Jobs):
    """Jobs of which some are suspended, and on whose nodes nothing may start."""

    def advance(self):
        if starting() is None and not any(job.get("suspend") for job in self.all.values()):
            super().advance()


def fail(text):
    sys.stderr.write(f"{text}\n")
    sys.exit(1)


def checked(job):
    """Return a Job's name and spec; refuse what the API server refuses."""
    name, spec = job["metadata"]["name"], job["spec"]
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        fail(f'The Job "{name}" is invalid: metadata.name')
    if set(spec) - SPEC or spec["template"]["spec"]["restartPolicy"] != "Never":
        fail(f'The Job "{name}" is invalid: spec: {sorted(set(spec) - SPEC)}')
    [container] = spec["template"]["spec"]["containers"]
    for resource, quantity in container.get("resources", {}).get("limits", {}).items():
        if not re.fullmatch(QUANTITY, str(quantity)):
            fail(f"spec.template.spec.containers[0].resources.limits.{resource}: {quantity}")
    if not container["image"]:
        fail("spec.template.spec.containers[0].image: Required value")
    return name, spec, container["command"]


def create(words):
    if words not in (["-f", "-", "-o", "name"], ["-f", "-", "-o", "name", "--dry-run=server"]):
        fail(f"unknown {words}")
    job = json.load(sys.stdin)
    name, spec, command = checked(job)
    tasks = {
        index: (command, {"JOB_COMPLETION_INDEX": str(index)})
        for index in range(spec["completions"])
    }
    with Cluster() as jobs:
        if any(job["name"] == name and not job.get("deleted") for job in jobs.all.values()):
            fail(
                'Error from server (AlreadyExists): error when creating "STDIN":'
                f' jobs.batch "{name}" already exists'
            )
        if "--dry-run=server" not in words:
            number = jobs.add(
                name, tasks, spec.get("completionMode") == "Indexed", spec["parallelism"]
            )
            jobs.all[number] |= {"manifest": json.dumps(job), "suspend": False}
    print(f"job.batch/{name}")


def uid(number):
    return sha256(number.encode()).hexdigest()[:32]


def pod(number, job, index, state, waiting):
    ended = {"exitCode": 143 if state == "cancelled" else state, "reason": "Error"}
    phase = {"running": "Running", 0: "Succeeded"}.get(state, "Failed")
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": "False"}]}
    if phase != "Running":
        status["containerStatuses"] = [{"name": "run", "state": {"terminated": ended}}]
    if state == "waiting":
        status = {"phase": "Pending", **waiting}
    labels = {JOB: job["name"], "app.kubernetes.io/managed-by": "runx", UID: uid(number)}
    index = {INDEX: index} if job["array"] else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "labels": {**labels, **index}, "annotations": index},
        "status": status,
    }


def condition(type, reason):
    return {"type": type, "status": "True", "reason": reason, "message": reason}


def status(number, job, jobs):
    states = {index: jobs.state(number, index) for index in job["tasks"]}
    done = [index for index, state in states.items() if state == 0]
    failed = [index for index, state in states.items() if state not in (0, "running", "waiting")]
    result, conditions = {"uncountedTerminatedPods": {}}, []
    if job["array"]:
        result |= {"completedIndexes": ",".join(done), "failedIndexes": ",".join(failed)}
    if len(done) == len(states):
        conditions += [condition(type, "Reached") for type in ("SuccessCriteriaMet", "Complete")]
    elif len(done) + len(failed) == len(states):
        conditions += [condition(type, "FailedIndexes") for type in ("FailureTarget", "Failed")]
    if job["suspend"]:
        conditions += [condition("Suspended", "JobSuspended")]
    return result | ({"conditions": conditions} if conditions else {})


def listed_job(number, job, jobs):
    manifest = json.loads(job["manifest"])
    metadata = {**manifest["metadata"], "uid": uid(number)}
    spec = {**manifest["spec"], "suspend": job["suspend"]}
    answer = status(number, job, jobs)
    return {"kind": "Job", "metadata": metadata, "spec": spec, "status": answer}


def listed_pods(jobs):
    waiting = starting() or {}
    for number, index, job, state in jobs.listed():
        gone = job["suspend"] or state == "cancelled"
        if not gone and (state != "waiting" or waiting.get("pods")):
            yield pod(number, job, index, state, waiting.get("pods", {}))


def get(words):
    kinds, *rest = words
    if kinds == "events":
        if rest[:1] != ["--field-selector"] or rest[2:] != ["-o", "json"]:
            fail(f"unknown {words}")
        events = (starting() or {}).get("events", [])
        print(json.dumps({"apiVersion": "v1", "items": events, "kind": "List"}))
        return
    if rest != ["-l", OURS, "-o", "json"]:
        fail(f"unknown {words}")
    with Cluster() as jobs:
        jobs.advance()
        there = [(n, job) for n, job in jobs.all.items() if not job.get("deleted")]
        items = {
            "jobs": [listed_job(number, job, jobs) for number, job in there],
            "pods": list(listed_pods(jobs)),
        }
    found = [item for kind in kinds.split(",") for item in items[kind]]
    print(json.dumps({"apiVersion": "v1", "items": found, "kind": "List"}))


def delete_jobs(words):
    if words[:3] != ["--cascade=orphan", "--wait=false", "--ignore-not-found"]:
        fail(f"unknown {words}")
    with Cluster() as jobs:
        for job in jobs.all.values():
            if job["name"] in words[3:] and not job.get("deleted"):
                job["deleted"] = True
                for index in [index for index, task in job["tasks"].items() if "pid" not in task]:
                    job["tasks"].pop(index)
                print(f'job.batch "{job["name"]}" deleted')


def delete(words):
    if words[0] == "job":
        delete_jobs(words[1:])
        return
    selector = words[-1]
    if words[:4] != ["pod", "--wait=false", "--ignore-not-found", "-l"] or len(words) != 5:
        fail(f"unknown {words}")
    match = re.fullmatch(rf"{JOB}=([\w-]+)(?:,{INDEX} in \(([\d,]+)\)|(,!{INDEX}))?", selector)
    if match is None:
        fail(f"unable to parse requirement: {selector}")
    count = 0
    with Cluster() as jobs:
        for number, index, job, _ in list(jobs.listed()):
            chosen = index in match[2].split(",") if match[2] and job["array"] else not match[2]
            if job["name"] == match[1] and chosen and not (match[3] and job["array"]):
                count += jobs.cancel(number, index)
    print('pod "pod" deleted\n' * count or "No resources found", end="" if count else "\n")


def patch(words):
    kind, name, *rest = words
    match = re.fullmatch(r'\{"spec":\{"suspend":(true|false)\}\}', rest[-1])
    if kind != "job" or rest[:2] != ["--type=merge", "-p"] or match is None:
        fail(f"unknown {words}")
    with Cluster() as jobs:
        of_name = [(n, job) for n, job in jobs.all.items() if job["name"] == name]
        if not of_name or of_name[-1][1].get("deleted"):
            fail(f'Error from server (NotFound): jobs.batch "{name}" not found')
        number, job = of_name[-1]
        changes = job["suspend"] is not (match[1] == "true")
        job["suspend"] = match[1] == "true"
        for index in job["tasks"] if job["suspend"] else ():
            jobs.cancel(number, index)
    print(f"job.batch/{name} patched{'' if changes else ' (no change)'}")


def config(words):
    if words != ["view", "--minify", "-o", "json"]:
        fail(f"unknown {words}")
    name = options.get("--context", os.environ.get("KUBE_CONTEXT", ""))
    if not name:
        fail("error: current-context must exist in order to minify")
    if name not in CONTEXTS:
        fail(f"error: cannot locate context {name}")
    namespace, server = CONTEXTS[name]
    server = os.environ.get("KUBE_SERVER", server)
    context = {"cluster": "c", "user": "u", **({"namespace": namespace} if namespace else {})}
    clusters = [{"name": "c", "cluster": {"server": server}}]
    contexts = [{"name": name, "context": context}]
    content = {"kind": "Config", "clusters": clusters, "contexts": contexts}
    print(json.dumps({**content, "current-context": name}))


words, options = sys.argv[2:], {}
while words[0] in ("--namespace", "--context"):
    options[words[0]] = words[1]
    words = words[2:]
with open(HOME.parent / "kubectl.log", "a") as log:
    log.write(json.dumps([options, *words]) + "\n")
if options.get("--context", "lab") not in CONTEXTS and words[0] != "config":
    fail(f'error: context "{options["--context"]}" does not exist')
KNOWN = {
    "create": create,
    "get": get,
    "delete": delete,
    "patch": patch,
    "config": config,
}
KNOWN[words[0]](words[1:])
failing = HOME / "fails"
if failing.exists() and failing.read_text().startswith(f"{words[0]}\n"):
    fail(failing.read_text().partition("\n")[2])
