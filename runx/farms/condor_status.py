"""What HTCondor has of jobs: read from its queue, from its factories of jobs, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from runx.farms.base import Farm, StatusQuery, Words
from runx.processes import Finished
from runx.rundir.events import JobStatus

OPEN = "RunxOpen"
"""The attribute of a job that waits for others: true when it may start."""
_IDLE, _RUNNING, _REMOVED, _COMPLETED, HELD, _OUTPUT, _SUSPENDED = range(1, 8)
"""Values of JobStatus; ``_OUTPUT``: what it wrote is transferred."""
LIMITS = {46: "timeout", 34: "oom"}
"""Values of HoldReasonCode: the job passed allowed_job_duration, or request_memory."""
_ATTRIBUTES = (
    *("ClusterId", "ProcId", "JobBatchName", "JobStatus", "LastJobStatus", "RemoveReason"),
    *("ExitBySignal", "ExitSignal", "ExitCode"),
    *("HoldReason", "HoldReasonCode", "LastHoldReasonCode"),
    *("TotalSubmitProcs", "JobMaterializeNextProcId"),
    *("JobMaterializePaused", "JobMaterializePauseReason", OPEN),
)
_FOR_OTHERS = "waits for other jobs"


def cluster_of(job: str) -> str:
    """Return the id of a job's cluster, of which all jobs of an array are."""
    return job.partition(".")[0]


def at_schedd(farm: Farm) -> Words:
    """Return the words by which a command asks the schedd that has a farm's jobs."""
    return ("-name", farm.options["schedd"]) if "schedd" in farm.options else ()


def job_statuses(finished: Finished, in_queue: bool = True) -> dict[str, JobStatus] | None:
    """Return what a list of jobs or of factories says, also of jobs that were not made yet.

    Of nothing, condor_q prints nothing, and condor_history an empty list.
    """
    if finished.status:
        return None
    ads = json.loads(finished.output or "[]")
    statuses = {
        f"{ad['ClusterId']}.{ad['ProcId']}": _named(_status(ad, in_queue), ad, ad["ProcId"])
        for ad in ads
        if "ProcId" in ad
    }
    # Of a cluster that is there, those that are not made yet wait; with one that was removed, they
    # went. The last of its ads knows of the most that were made.
    arrays = [ad for ad in ads if _made(ad) and in_queue is (ad.get("JobStatus") != _REMOVED)]
    for ad in {ad["ClusterId"]: ad for ad in sorted(arrays, key=_made)}.values():
        status = _waiting(ad) if in_queue else _removed(ad)
        for process in range(_made(ad), ad["TotalSubmitProcs"]):
            statuses.setdefault(f"{ad['ClusterId']}.{process}", _named(status, ad, process))
    return statuses


def _made(ad: Mapping[str, Any]) -> int:
    """Return how many jobs of a cluster its factory had made, 0 where it has none."""
    return int(ad.get("JobMaterializeNextProcId", 0))


def _named(status: JobStatus, ad: Mapping[str, Any], process: int) -> JobStatus:
    return status._replace(name=str(ad.get("JobBatchName", "")), task=process)


def _waiting(factory: Mapping[str, Any]) -> JobStatus:
    """Return the status of jobs that their factory has not made yet."""
    paused = factory.get("JobMaterializePaused", 0)
    if paused > 0:
        return JobStatus("queued", "held")
    if paused < 0:
        why = factory.get("JobMaterializePauseReason", "")
        return JobStatus("queued", f"HTCondor makes no more jobs of it: {why}")
    return JobStatus("queued", _FOR_OTHERS if factory.get(OPEN) is False else "waits for its turn")


def _status(ad: Mapping[str, Any], in_queue: bool) -> JobStatus:
    state = ad.get("JobStatus")
    if state == _IDLE:
        return JobStatus("queued", _FOR_OTHERS if ad.get(OPEN) is False else "")
    if state in (_RUNNING, _OUTPUT, _SUSPENDED):
        return JobStatus("running", "suspended" if state == _SUSPENDED else "")
    if state == HELD:
        limit = LIMITS.get(ad.get("HoldReasonCode", 0))
        reason = f"held: {ad['HoldReason']}" if ad.get("HoldReason") else "held"
        return JobStatus(limit) if limit else JobStatus("queued", reason)
    if state == _REMOVED:
        # It stays in the queue until what it ran has ended.
        is_ending = in_queue and ad.get("LastJobStatus") not in (_IDLE, HELD)
        return JobStatus("running", "being removed") if is_ending else _removed(ad)
    return _completed(ad) if state == _COMPLETED else JobStatus("unknown", f"JobStatus {state}")


def _removed(ad: Mapping[str, Any]) -> JobStatus:
    """Return the status of a removed job: where it was held for a limit, that has ended it."""
    if ad.get("LastJobStatus") == HELD and ad.get("LastHoldReasonCode") in LIMITS:
        return JobStatus(LIMITS[ad["LastHoldReasonCode"]])
    why = str(ad.get("RemoveReason", ""))
    return JobStatus("cancelled", "" if why.startswith("via condor_rm") else why)


def _completed(ad: Mapping[str, Any]) -> JobStatus:
    """Return the status of a job by its last start; ExitSignal alone may be of an earlier one."""
    if ad.get("ExitBySignal"):
        return JobStatus("killed", f"by signal {ad.get('ExitSignal')}")
    if "ExitCode" not in ad:
        return JobStatus("unknown", "completed, without an exit status")
    return (
        JobStatus("failed", f"exit status {ad['ExitCode']}")
        if ad["ExitCode"]
        else JobStatus("done")
    )


def _condor_q(*flags: str) -> StatusQuery:
    def command(ids: Sequence[str], farm: Farm) -> Words:
        asked = ("-json", "-attributes", ",".join(_ATTRIBUTES))
        return ("condor_q", *at_schedd(farm), "-allusers", *flags, *ids, *asked)

    return StatusQuery(command, job_statuses, cluster_of, sees="all", live=True)


def _condor_history(ids: Sequence[str], farm: Farm) -> Words:
    # All that ever was may take minutes to read.
    chosen = ids or ("-limit", "1000")
    asked = ("-json", "-attributes", ",".join(_ATTRIBUTES))
    return ("condor_history", *at_schedd(farm), *chosen, *asked)


_QUEUE = _condor_q()
QUERIES = (
    _QUEUE,
    _condor_q("-factory"),
    # Between these two answers a factory may have made a job.
    _QUEUE,
    StatusQuery(_condor_history, partial(job_statuses, in_queue=False), cluster_of, sees="all"),
)
