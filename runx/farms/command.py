"""Any submit command: words to which options are added, or a Jinja template of a command."""

from __future__ import annotations

import re
import shlex
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Submission
from runx.farms.templates import Code, flags, given, rendered

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits a run: SUBMIT_CMD, RESOURCES as flags, name and script."""
    [job] = array.jobs
    if "{{" in farm.submit_cmd or "{%" in farm.submit_cmd:
        return Submission(("bash", "-c", rendered(farm.submit_cmd, _names(job, farm))), {})
    environment, words = split(farm.submit_cmd)
    resources = (word for resource in job.resources for word in flags(resource))
    script = f"bash {shlex.quote(str(job.dir.script_of(job.attempt)))}"
    return Submission((*words, *resources, "--name", job.name, "-c", script), environment)


def program(submit_cmd: str) -> str | None:
    """Return the program that SUBMIT_CMD starts, None where a template decides it.

    >>> program("CLUSTER=big submit_job --wait"), program("{{ name }}")
    ('submit_job', None)
    """
    if "{%" in submit_cmd.partition("{{")[0]:
        return None
    first = submit_cmd.partition("{{")[0]
    try:
        _, words = split(first)
    except SettingsError:
        return None
    word = words[0] if words else ""
    return word if re.fullmatch(r"[\w./+@~-]+", word) else None


def job_id(answer: str) -> str:
    """Return the job's id in what the submit command printed, or "".

    >>> job_id("Submitted array job 71"), job_id("4.server"), job_id("job raysubmit_x is in")
    ('71', '4.server', '')
    """
    words = answer.split()
    if len(words) == 1:
        return words[0]
    numbers = re.findall(r"(?<![\w.])\d+(?:[._]\d+)?(?:\[\d*\])?(?:\.[A-Za-z][\w.-]*)?", answer)
    return numbers[-1] if numbers else ""


def split(submit_cmd: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the leading assignments of a plain SUBMIT_CMD, and its words.

    >>> split("A=1 submit_job --queue 'long jobs'")
    ({'A': '1'}, ('submit_job', '--queue', 'long jobs'))
    """
    try:
        words = shlex.split(submit_cmd)
    except ValueError as error:
        raise SettingsError(f"SUBMIT_CMD can't be split into words: {error}") from None
    environment: dict[str, str] = {}
    while words and _ASSIGNMENT.match(words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    return environment, tuple(words)


def priority(farm: Farm) -> tuple[str, ...]:
    """Return no words: a template has PRIORITY by its name.

    Raises SettingsError where there is none that does.
    """
    if farm.priority and not re.search(r"\{[{%][^}]*\bpriority\b", farm.submit_cmd):
        raise SettingsError("SUBMIT_CMD makes no use of it; write {{ priority }} into it")
    return ()


def _names(job: JobSpec, farm: Farm) -> dict[str, Any]:
    names = {
        "name": job.name,
        "script": str(job.dir.script_of(job.attempt)),
        "logdir": str(job.dir.path),
        "resources": {
            resource.name: resource.value
            if resource.text is None or isinstance(resource.value, bool)
            else resource.text
            for resource in job.resources
        },
        "priority": farm.priority,
        "experiment": job.experiment,
        "tag": job.tag,
        **{name: given(value) for name, value in job.template_values().items()},
    }
    return names | {"command": Code(names["command"])} if "command" in names else names


FARM_TYPE = FarmType(
    programs=(),
    package="install it",
    submission=submission,
    job_ids=lambda answer, array: [job_id(answer)],
    priority=priority,
    licences="sizes",
    portable=False,
    submit_timeout=None,
    reads=("SUBMIT_CMD",),
    together=False,
)
