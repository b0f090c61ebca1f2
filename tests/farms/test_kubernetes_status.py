"""Statuses by what a real API server answered (tests/support/answers/kubernetes), call by call."""

import json
from pathlib import Path

import pytest

from runx.farms.kubernetes_manifest import JOB_LABEL
from runx.farms.kubernetes_status import reasons, statuses
from runx.processes import Finished

ANSWERS = Path(__file__).parents[1] / "support" / "answers" / "kubernetes"


def calls(scenario):
    return json.loads((ANSWERS / f"{scenario}.json").read_text())["calls"]


def answer(*items, status=0):
    listed = {"apiVersion": "v1", "kind": "List", "items": list(items)}
    return Finished(("kubectl",), status, json.dumps(listed), "")


def items_of(scenario, start, kind="", number=0):
    """Return the objects of a call whose note, or that of its number, begins like this."""
    noted = [call for call in calls(scenario) if call["note"].startswith(start)]
    of_kind = [call for call in noted if kind in " ".join(call["argv"])]
    content = json.loads(of_kind[number]["stdout"])
    return content["items"] if content["kind"] == "List" else [content]


def short(items):
    found = statuses(answer(*items))
    return {id: (status.state, status.reason) for id, status in found.items()}


def job(scenario, note, number=0):
    [found] = items_of(scenario, note, "get job ", number)
    return found


def pods(scenario, note, number=0):
    return items_of(scenario, note, "get pods", number)


GONE = ("failed", "its pod failed or was deleted")


def test_a_job_of_one_run_is_told_from_create_to_its_end():
    seen = [
        short(items_of("single-job", note, "get jobs"))["one/0"][0]
        for note in ("at once", "running", "done")
    ]
    # Without its pod a Job that is active may as well wait.
    assert seen == ["queued", "queued", "done"]
    running = [*items_of("single-job", "running", "get jobs"), *pods("single-job", "running")]
    assert short(running) == {"one/0": ("running", "")}


def test_a_job_that_has_failed_has_failed_without_its_pods():
    failed = job("single-job-failed", "failed")
    assert short([failed]) == {"bad/0": GONE}
    assert short([failed, *pods("single-job-failed", "failed")]) == {
        "bad/0": ("failed", "exit status 3")
    }
    killed = job("single-job-failed", "stdout", 0)
    assert short([killed])["kill/0"] == GONE


def test_indices_that_are_over_are_told_while_others_run_and_without_pods():
    assert short([job("indexed-job", "some")]) == {
        "arr/0": ("done", ""),
        "arr/1": GONE,
        "arr/2": ("queued", ""),
        "arr/3": ("queued", ""),
    }
    over = {"arr/0": ("done", ""), "arr/1": GONE, "arr/2": ("done", ""), "arr/3": GONE}
    assert short([job("indexed-job", "over")]) == over
    after = [job("indexed-job", "after its pods"), *pods("indexed-job", "after the pods")]
    assert short(after) == over


def test_indices_without_a_pod_wait_while_others_run():
    seen = [job("indexed-job", "running"), *pods("indexed-job", "indices 0 and 1")]
    assert [each for each, _ in short(seen).values()] == ["running", "running", "queued", "queued"]


def test_ranges_of_indices_are_read():
    calls_of_job = [call for call in calls("indexed-job-ok") if "get" in call["argv"]]
    states = [
        [each.state for each in statuses(answer(json.loads(call["stdout"]))).values()]
        for call in calls_of_job
    ]
    assert states[-1] == ["done"] * 12
    texts = [json.loads(call["stdout"])["status"]["completedIndexes"] for call in calls_of_job]
    assert [each.count("done") for each in states] == [
        sum(
            int(last or first) - int(first) + 1
            for first, _, last in (part.partition("-") for part in text.split(","))
        )
        for text in texts
    ]


@pytest.mark.parametrize("type", ["SuccessCriteriaMet", "FailureTarget"])
def test_what_is_to_end_has_not_ended(type):
    begun = job("single-job-failed", "failed")
    begun["status"]["conditions"] = [{"type": type, "status": "True", "reason": "x"}]
    assert short([begun])["bad/0"] == ("queued", "")


def test_a_deadline_that_deletes_the_pods_is_a_timeout():
    assert short([job("deadline", "stdout", 0)]) == {"jobtime/0": ("timeout", "")}
    of_pod = [job("deadline", "stdout", 1), *pods("deadline", "the pod's own")]
    assert short(of_pod) == {"podtime/0": ("timeout", "")}


def test_an_index_whose_pod_was_deleted_has_failed_and_its_neighbours_run():
    later = [job("delete-pods", "later"), *pods("delete-pods", "later")]
    assert [state for state, _ in short(later).values()] == [
        "running",
        "failed",
        "running",
        "running",
    ]
    assert short([job("delete-pods", "its pod was deleted")]) == {"one/0": GONE}


@pytest.mark.parametrize(("scenario", "index"), [("requeue", 0), ("requeue-index", 1)])
def test_exit_75_is_no_failure_until_the_next_pod_comes(scenario, index):
    note = "the first pod" if scenario == "requeue" else "index 1"
    first = job(scenario, note)
    seen = pods(scenario, "the first pod" if scenario == "requeue" else "stdout")
    failed = [pod for pod in seen if pod["status"]["phase"] == "Failed"]
    assert len(failed) == 1
    assert short([first, *failed])[f"again/{index}"] == (
        "preempted",
        "exit status 75; another pod follows",
    )
    # Without REQUEUE nobody starts it again.
    first["spec"]["podFailurePolicy"]["rules"].pop(0)
    assert short([first, *failed])[f"again/{index}"] == ("failed", "exit status 75")
    # Last, both its pods are there: the younger counts, and the Job is complete.
    end = job(scenario, "stdout")
    assert short([end, *pods(scenario, "done" if scenario == "requeue" else "stdout")])[
        f"again/{index}"
    ] == ("done", "")


def test_a_suspended_job_is_held_though_its_pods_are_seen_to_end():
    at_once = [job("suspend-running", "suspended"), *pods("suspend-running", "at once")]
    found = short(at_once)
    assert [found[f"run/{index}"] for index in range(3)] == [
        ("done", ""),
        ("queued", "held"),
        ("queued", "held"),
    ]
    later = [job("suspend-running", "suspended"), *pods("suspend-running", "some seconds")]
    assert short(later)["run/1"] == ("queued", "held")
    assert short([job("suspend-running", "released")])["run/1"] == ("queued", "")


def test_a_job_created_suspended_is_held_until_it_is_released():
    states = [
        short([job("suspend-created", note)])["sus/0"] for note in ("created", "released", "stdout")
    ]
    assert states == [("queued", "held"), ("queued", ""), ("done", "")]


def test_pods_of_a_deleted_job_run_on():
    assert short(pods("delete-job", "after orphan")) == {
        "orph/0": ("running", ""),
        "orph/1": ("running", ""),
    }
    assert short([job("delete-job", "at once: del")])["fore/0"][0] == "cancelled"


def test_pods_that_no_scheduler_has_taken_wait_and_one_cancelled_has_failed():
    pending = [job("pending", "stdout"), *pods("pending", "pending")]
    assert [each for each, _ in short(pending).values()] == ["queued"] * 3
    after = job("pending", "when the pod garbage")
    assert [state for state, _ in short([after]).values()] == ["queued", "failed", "queued"]


def waiting(pod, **status):
    return {**pod, "status": {"phase": "Pending", **status}}


def test_why_a_pod_waits_is_its_reason():
    begun, pod = job("pending", "stdout"), pods("pending", "pending")[0]
    text = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": text,
    }
    unschedulable = waiting(pod, conditions=[condition])
    assert short([begun, unschedulable])["pend/0"] == ("queued", f"Unschedulable: {text}")
    for reason in ("ErrImagePull", "ImagePullBackOff"):
        state = {"waiting": {"reason": reason, "message": 'Back-off pulling image "nosuch"\nmore'}}
        pulling = waiting(pod, containerStatuses=[{"name": "run", "state": state}])
        assert short([begun, pulling])["pend/0"] == (
            "queued",
            f'{reason}: Back-off pulling image "nosuch"',
        )
    state = {"waiting": {"reason": "ContainerCreating"}}
    starting = waiting(pod, containerStatuses=[{"name": "run", "state": state}])
    assert short([begun, starting])["pend/0"] == ("queued", "")


def test_a_disrupted_pod_is_preempted_and_a_phase_without_meaning_unknown():
    begun, pod = job("requeue", "the first pod"), pods("requeue", "the first pod")[0]
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    pod["status"] |= {"conditions": [condition]}
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 143
    assert short([begun, pod])["again/0"][0] == "preempted"
    pod["status"]["phase"] = "Unknown"
    assert short([begun, pod])["again/0"] == ("unknown", "its pod is Unknown")


def test_a_pod_without_memory_is_told():
    failed, pod = job("single-job-failed", "failed"), pods("single-job-failed", "failed")[0]
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    end |= {"reason": "OOMKilled", "exitCode": 137}
    assert short([failed, pod])["bad/0"] == ("oom", "")


@pytest.mark.parametrize("scenario", ["refused", "server-down"])
def test_an_empty_list_of_a_refused_get_is_no_answer(scenario):
    refused = [call for call in calls(scenario) if "get" in call["argv"]]
    assert any('"items": []' in call["stdout"] for call in refused)
    for call in refused:
        finished = Finished(("kubectl",), call["rc"], call["stdout"], call["stderr"])
        assert statuses(finished) is None
        assert reasons(finished) is None


@pytest.mark.parametrize(
    ("scenario", "name", "reason"),
    [
        ("priority-unknown", "prio", "no PriorityClass with name nosuch was found"),
        (
            "quota",
            "q1",
            "exceeded quota: two, requested: pods=1, used: pods=3, limited: pods=3",
        ),
    ],
)
def test_events_say_why_a_job_gets_no_pod(scenario, name, reason):
    [events] = [call for call in calls(scenario) if "events" in call["argv"]]
    finished = Finished(("kubectl",), 0, events["stdout"], "")
    assert reasons(finished)[name][:2] == ("queued", f"no pod: {reason}")


def test_events_that_tell_of_no_trouble_are_no_reason():
    [events] = [call for call in calls("single-job") if "events" in call["argv"]]
    assert reasons(Finished(("kubectl",), 0, events["stdout"], "")) == {}


def test_another_job_of_the_name_is_not_taken_for_ours():
    ours = job("single-job-failed", "failed")
    ours["metadata"]["labels"][JOB_LABEL] = "0" * 40
    assert short([ours]) == {}
    # Nor are pods of a Job of that name with another uid.
    begun, old = job("requeue", "the first pod"), pods("requeue", "the first pod")[0]
    old["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] = "another"
    assert short([begun, old])["again/0"] == ("queued", "")
