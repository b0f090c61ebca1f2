"""Any submit command: words to which options are added, or a Jinja template of a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Submission
from runx.sweeps.values import Hparam

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits a run: SUBMIT_CMD, RESOURCES as flags, name and script."""
    [job] = array.jobs
    if "{{" in farm.submit_cmd or "{%" in farm.submit_cmd:
        return Submission(("bash", "-c", _rendered(farm.submit_cmd, job)), {})
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


def flags(resource: Hparam) -> tuple[str, ...]:
    """Return a resource as flags: true is a bare one, a list repeats it.

    >>> flags(Hparam("gpu", 2, "2")), flags(Hparam("mount", ("/a", "/b"), ("/a", "/b")))
    (('--gpu', '2'), ('--mount', '/a', '--mount', '/b'))
    """
    flag = f"--{resource.name}"
    if resource.value is True:
        return (flag,)
    if resource.value is None or resource.value is False:
        return ()
    if isinstance(resource.text, tuple):
        return tuple(word for text in resource.text for word in (flag, text))
    return (flag, resource.text or "")


class _Raw(str):
    """Text that a template's filter ``raw`` keeps from being quoted."""

    __slots__ = ()


def _quoted(value: Any) -> str:
    if isinstance(value, _Raw):
        return value
    if isinstance(value, (list, tuple)):
        return shlex.join(str(item) for item in value)
    return shlex.quote("" if value is None else str(value))


def _rendered(template: str, job: JobSpec) -> str:
    import jinja2

    language = jinja2.Environment(undefined=jinja2.StrictUndefined, finalize=_quoted)
    language.filters["raw"] = lambda value: _Raw(value)
    language.filters["flags"] = _flag_words
    names = _names(job)
    try:
        return language.from_string(template).render(names)
    except jinja2.TemplateError as error:
        raise SettingsError(f"SUBMIT_CMD: {error}; a template knows {', '.join(names)}") from None


def _flag_words(resources: Mapping[str, Any]) -> list[str]:
    pairs: Iterable[Hparam] = (
        Hparam(
            name, value, tuple(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        )
        for name, value in resources.items()
    )
    return [word for pair in pairs for word in flags(pair)]


def _names(job: JobSpec) -> dict[str, Any]:
    return {
        "name": job.name,
        "script": str(job.dir.script_of(job.attempt)),
        "logdir": str(job.dir.path),
        "resources": {
            resource.name: resource.value
            if resource.text is None or isinstance(resource.value, bool)
            else resource.text
            for resource in job.resources
        },
        "experiment": job.experiment,
        "tag": job.tag,
        **job.template_values(),
    }


FARM_TYPE = FarmType(
    programs=(),
    package="install it",
    submission=submission,
    job_ids=lambda answer, array: [job_id(answer)],
    portable=False,
    submit_timeout=None,
    reads=("SUBMIT_CMD",),
)
