"""Slurm: sbatch, squeue, sacct where there is accounting, scancel and scontrol."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    Handback,
    JobArray,
    JobCommands,
    Place,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs, clock
from runx.farms.slurm_status import collapsed, in_accounts, in_queue
from runx.farms.words import chunked, counts, joined, long_flags, only_match, waited
from runx.processes import Finished


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``sbatch --parsable`` prints: an id, then the name of a cluster.

    >>> from runx.farms.resources import Needs
    >>> job_ids("12;big\\n", JobArray("n", "l", 0, None, None, (None,), False, Needs()))
    ['12']
    """
    match = _answered(answer)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}_{index}" for index in range(len(array.jobs))]


def _answered(answer: str) -> re.Match[str] | None:
    """Return the line that is an id, and maybe a cluster: a site's words may stand beside it."""
    return only_match(r"^(\d+);(.*)$", answer) or only_match(r"^(\d+)(?:;(.*))?$", answer)


def largest_array(answer: str) -> int | None:
    """Return the most indices of an array, given what ``scontrol show config`` prints.

    >>> largest_array("MaxArraySize            = 1001\\nSchedulerParameters = max_array_tasks=9")
    9
    """
    sizes = re.findall(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    sizes += re.findall(r"\bmax_array_tasks=(\d+)", answer)
    return min(map(int, sizes)) if sizes else None


def site(finished: Finished, farm: Farm) -> dict[str, str]:
    """Return the name of the cluster that the commands here ask, by ``scontrol show config``.

    >>> site(Finished((), 0, "ClusterName             = big\\nSlurmctldPort = 6817", ""), Farm("f"))
    {'site': 'big'}
    """
    match = re.search(r"^ClusterName\s*=\s*(\S+)", finished.output, re.MULTILINE)
    return {"site": match[1]} if match and not finished.status else {}


_JOB = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array, all of it options of sbatch."""
    words = (
        "sbatch",
        "--parsable",
        f"--job-name={array.name}",
        f"--comment=runx {array.launch}",
        # %% is a %, which begins a number of the job's.
        "--output=" + str(array.output).replace("%", "%%"),
        "--open-mode=append",
        f"--chdir={array.experiment_dir}",
        *_options(array, farm),
        *priority(farm),
        *_excluding(resources(array.needs), farm),
        str(array.script),
    )
    return Submission(words, {}, place=_clusters(words[1:], farm.directives))


_NODES = re.compile(r"(?:^|\s)(?:--exclude(?:=|\s+)|-x[=\s]*)(\S+)")


def _excluding(words: Words, farm: Farm) -> Words:
    """Return options without the machines that a farm is to avoid; those of users stay out, too.

    One that users ask for by its name is theirs to choose.

    >>> _excluding(("--mem=1G", "--exclude=n1"), Farm("f", avoid=("n3",)))
    ('--mem=1G', '--exclude=n1,n3')
    """
    if not farm.avoid or any(word.startswith(("--nodelist", "--nodefile")) for word in words):
        return words
    lines = [line for line in farm.directives if line.startswith("#SBATCH")]
    given = [match[1] for text in (*lines, *words) for match in _NODES.finditer(text)]
    others = (word for word in words if not word.startswith("--exclude="))
    return (*others, f"--exclude={','.join(dict.fromkeys((*given, *farm.avoid)))}")


_CLUSTERS = re.compile(r"(?:^|\s)(?:--clusters?(?:=|\s+)|-M[=\s]*)(\S+)")


def _clusters(words: Sequence[str], directives: Sequence[str]) -> dict[str, str]:
    """Return the clusters that a submission asks for, by its options or else its directives.

    >>> _clusters(("--clusters=u", "x.sh"), ()), _clusters((), ["#SBATCH -M u,v --mem=1G"])
    ({'cluster': 'u'}, {'cluster': 'u,v'})
    """
    lines = (line.removeprefix("#SBATCH") for line in directives if line.startswith("#SBATCH"))
    options = (word for word in words if word.startswith("--"))
    asked = [match[1] for text in (*lines, *options) for match in _CLUSTERS.finditer(text)]
    return {"cluster": asked[-1]} if asked else {}


def place(answer: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the cluster of a job by what ``sbatch --parsable`` printed, else by where it goes.

    >>> place("40;u\\n", {}), place("40\\n", {"SLURM_CLUSTERS": "u"})
    ({'cluster': 'u'}, {})
    """
    match = _answered(answer)
    names = ("SBATCH_CLUSTERS", "SLURM_CLUSTERS")
    asked = next((environment[name] for name in names if environment.get(name)), "")
    cluster = (match[2] or "").strip() if match else asked
    return {"cluster": cluster} if cluster else {}


def _options(array: JobArray, farm: Farm) -> Iterator[str]:
    if array.is_array:
        throttle = f"%{array.max_parallel}" if array.max_parallel else ""
        yield f"--array=0-{len(array.jobs) - 1}{throttle}"
    if farm.takes_back:
        yield "--requeue"
    if farm.warning is not None:
        yield f"--signal=B:USR1@{farm.warning}"
    found = {
        "afterok": waited(array.waits, "done", whole=_of_array),
        "aftercorr": waited(array.waits, "done", "each", whole=_of_array),
        "afterany": waited(array.waits, "ended", whole=_of_array),
    }
    if array.waits:
        dependencies = (f"{kind}:{':'.join(ids)}" for kind, ids in found.items() if ids)
        yield f"--dependency={','.join(dependencies)}"
    if found["afterok"] or found["aftercorr"]:
        yield "--kill-on-invalid-dep=yes"


def resources(needs: Needs) -> Words:
    """Return what a run needs as options of sbatch.

    >>> resources(Needs(gpus=2, gpu_kind="a100", mem=1024, time=5400))
    ('--gpus-per-node=a100:2', '--mem=1024M', '--time=01:30:00')
    """
    kind = f"{needs.gpu_kind}:" if needs.gpu_kind else ""
    licences = joined(needs.rest, "licenses", counts(needs, "{}:{}")) if needs.licences else None
    others = {resource.name for resource in needs.rest}
    has_tasks = "ntasks-per-node" in others or "ntasks" in others
    flags = {
        "nodes": needs.nodes,
        "ntasks-per-node": 1 if needs.nodes is not None and not has_tasks else None,
        "gpus-per-node": None if needs.gpus is None else f"{kind}{needs.gpus}",
        "cpus-per-task": needs.cpus,
        "mem": None if needs.mem is None else f"{needs.mem}M" if needs.mem else "0",
        "time": None if needs.time is None else clock(needs.time),
        "partition": needs.partition or None,
        "account": needs.account or None,
        "qos": needs.qos or None,
        "constraint": needs.constraint or None,
        "container-image": needs.image or None,
        "licenses": licences,
    }
    rest = [each for each in needs.rest if licences is None or each.name != "licenses"]
    portable = tuple(f"--{flag}={value}" for flag, value in flags.items() if value is not None)
    return (*portable, *(word for resource in rest for word in long_flags(resource)))


def priority(farm: Farm) -> Words:
    """Return PRIORITY as an option; one step of it is what Slurm's own --nice is without a number.

    >>> priority(Farm("slurm", priority=-3)), priority(Farm("slurm"))
    (('--nice=300',), ())
    """
    return (f"--nice={-100 * farm.priority}",) if farm.priority else ()


def _cluster(farm: Farm) -> Words:
    """Return the option that names the cluster of jobs, where it is another than the usual."""
    cluster = farm.options.get("cluster")
    return ("-M", cluster) if cluster else ()


def _squeue(ids: Sequence[str], farm: Farm) -> Words:
    """Return a query for jobs, or for all; -a has those of hidden partitions, too."""
    words = ("squeue", *_cluster(farm), "-a", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%r|%j")
    return (*words, "-j", ",".join(ids)) if ids else words


def _sacct(ids: Sequence[str], farm: Farm) -> Words:
    words = ("sacct", *_cluster(farm), "-a", "-X", "-n", "-P", "-o", "JobID,State,Reason,JobName")
    return (*words, "-j", ",".join(ids)) if ids else words


def _of_array(id: str) -> str:
    """Return the id of a task's array, by which all its tasks are asked for."""
    return id.partition("_")[0]


def _scancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    return [("scancel", *_cluster(farm), *chunk) for chunk in chunked(collapsed(ids))]


def _scontrol(verb: str) -> JobCommands:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        words = ("scontrol", *_cluster(farm), verb)
        return [(*words, ",".join(chunk)) for chunk in chunked(collapsed(ids))]

    return commands


def _test_only(submission: Submission) -> Submission:
    first, *rest = submission.words
    return Submission((first, "--test-only", *rest), submission.environment, submission.stdin)


def expected_start(finished: Finished) -> datetime | None:
    """Return when ``sbatch --test-only`` says that a job would start.

    >>> line = "sbatch: Job 7 to start at 2026-11-29T01:10:03 using 1 processors on nodes n1"
    >>> expected_start(Finished((), 0, "", line))
    datetime.datetime(2026, 11, 29, 1, 10, 3)
    """
    match = re.search(r"\bto start at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", finished.errors)
    return datetime.fromisoformat(match[1]) if match else None


_ELSEWHERE = f"""\
      given=$(scontrol show -o job "{_JOB}" | grep -o ' ExcNodeList=[^ (]*')
      given=${{given#*=}}
      scontrol update "JobId={_JOB}" "ExcNodeList=${{given:+$given,}}$SLURMD_NODENAME"
"""
_HANDBACK = Handback(f'scontrol requeue "{_JOB}"', elsewhere=_ELSEWHERE)

FARM_TYPE = FarmType(
    programs=("sbatch", "squeue", "scancel"),
    package="install Slurm's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$SLURM_ARRAY_TASK_ID", handback=_HANDBACK),
    job_ids=job_ids,
    place=place,
    located=Place(lambda farm: ("scontrol", "show", "config"), site),
    queries=(
        StatusQuery(_squeue, in_queue, _of_array),
        StatusQuery(_sacct, in_accounts, _of_array),
    ),
    cancel=_scancel,
    hold=_scontrol("hold"),
    release=_scontrol("release"),
    test_only=_test_only,
    expected_start=expected_start,
    arrays=True,
    limit=ArrayLimit(("scontrol", "show", "config"), largest_array),
    waits="done",
    pairs=("done",),
    parts=True,
    priority=priority,
    licences="numbers",
    whole_memory=True,
    handback=_HANDBACK,
    warns=True,
    excludes=True,
    reads=(),
)
