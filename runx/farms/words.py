"""Words of schedulers' commands that several farm types share: flags, job ids and job names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from runx.errors import SettingsError
from runx.farms.base import Farm, JobCommands, Wait, Words
from runx.farms.resources import Needs
from runx.processes import Finished
from runx.rundir.steps import When
from runx.sweeps.values import Hparam

CHUNK = 500
"""Job ids that one command is given."""


def long_flags(resource: Hparam) -> Words:
    """Return a resource that only the farm understands as ``--k=v``; true is a bare flag.

    >>> long_flags(Hparam("exclusive", True, None)), long_flags(Hparam("gres", "a:1", "a:1"))
    (('--exclusive',), ('--gres=a:1',))
    """
    if resource.value is True:
        return (f"--{resource.name}",)
    return tuple(f"--{resource.name}={text}" for text in texts(resource))


def texts(resource: Hparam) -> Words:
    """Return the values of a resource as text; false has none.

    >>> texts(Hparam("mount", ("/a", "/b"), ("/a", "/b"))), texts(Hparam("x", False, None))
    (('/a', '/b'), ())
    """
    if resource.value is None or resource.value is False:
        return ()
    if isinstance(resource.text, tuple):
        return resource.text
    return (resource.text or "",)


def joined(resources: Sequence[Hparam], name: str, words: Sequence[str]) -> str:
    """Return words with those that RESOURCES have of their own under a name, commas between.

    >>> joined([Hparam("licenses", "a:1", "a:1"), Hparam("x", 1, "1")], "licenses", ["b:2"])
    'a:1,b:2'
    """
    own = (text for resource in resources if resource.name == name for text in texts(resource))
    return ",".join([*own, *words])


def counts(needs: Needs, form: str) -> list[str]:
    """Return what a run needs of what LIMITS names, each in a form with its name and number.

    >>> from runx.farms.resources import Licence
    >>> counts(Needs(licences=(Licence("matlab", 2),)), "{}:{}")
    ['matlab:2']
    """
    return [form.format(licence.name, licence.amount) for licence in needs.licences]


def steps(*words: str) -> Callable[[Farm], Words]:
    """Return a function that gives PRIORITY in steps of a hundred, after these words.

    >>> steps("-p")(Farm("pbs", priority=-3)), steps("-p")(Farm("pbs"))
    (('-p', '-300'), ())
    """
    return lambda farm: (*words, str(100 * farm.priority)) if farm.priority else ()


def refuse(needs: Needs, farm: str, *names: str) -> None:
    """Raise SettingsError for portable resources that a type of farm can't express."""
    for name in names:
        if getattr(needs, name):
            raise SettingsError(
                f"RESOURCES: {name} has no meaning on a farm of TYPE {farm}; say it in the"
                " scheduler's own words, as another key or in DIRECTIVES"
            )


def chunked(ids: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """Return job ids in pieces, each for one command.

    >>> list(chunked(["1", "2", "3"], 2))
    [['1', '2'], ['3']]
    """
    return (ids[start : start + size] for start in range(0, len(ids), size))


def each(*words: str) -> JobCommands:
    """Return a function that appends job ids to a command, in as many commands as it takes."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(*words, *chunk) for chunk in chunked(ids)]

    return commands


def waited(
    waits: Iterable[Wait], when: When, *scopes: str, whole: Callable[[str], str] = str
) -> list[str]:
    """Return the ids of jobs that are waited for in one way, ``whole`` of those of whole arrays.

    >>> waits = [Wait("7_1"), Wait("9_0", "done", "array"), Wait("9_0", "done", "array")]
    >>> waited(waits, "done", whole=lambda id: id.partition("_")[0])
    ['7_1', '9']
    """
    ids = (
        each.id if each.scope == "job" else whole(each.id)
        for each in waits
        if each.when == when and each.scope in (scopes or ("job", "array"))
    )
    return list(dict.fromkeys(ids))


def place_by(*variables: str) -> Callable[[str, Mapping[str, str]], dict[str, str]]:
    """Return a function that tells where jobs are by variables that a scheduler reads.

    >>> place_by("SGE_CELL", "SGE_ROOT")("", {"SGE_CELL": "gpus", "HOME": "/home/me"})
    {'sge_cell': 'gpus'}
    """

    def place(answer: str, environment: Mapping[str, str]) -> dict[str, str]:
        return {name.lower(): environment[name] for name in variables if environment.get(name)}

    return place


def there(farm: Farm, variables: Words, words: Words) -> Words:
    """Return a command for where the jobs of a farm are, as ``place_by`` told it.

    >>> there(Farm("sge", options={"sge_cell": "gpus"}), ("SGE_CELL", "SGE_ROOT"), ("qdel", "7"))
    ('env', 'SGE_CELL=gpus', 'qdel', '7')
    """
    options = farm.options
    values = [f"{name}={options[name.lower()]}" for name in variables if name.lower() in options]
    return ("env", *values, *words) if values else words


def all_there(variables: Words, commands: JobCommands) -> JobCommands:
    """Return a function whose commands are for where the jobs of a farm are."""
    return lambda ids, farm: [there(farm, variables, words) for words in commands(ids, farm)]


def plain_name(name: str, longest: int = 200) -> str:
    """Return a job's name in letters, digits and dashes that every scheduler takes.

    >>> plain_name("1st sweep_wise-owl"), plain_name("a" * 99, 20)
    ('r1st-sweep_wise-owl', 'aaaaaaaaaaa-13284468')
    """
    from hashlib import sha256

    clean = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    clean = clean if clean[:1].isalpha() else f"r{clean}"
    if len(clean) <= longest:
        return clean
    return f"{clean[: longest - 9]}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def only_match(pattern: str, answer: str) -> re.Match[str] | None:
    """Return the one line of an answer that is a job's id; None where several may be.

    A site's own words may have a number on a line of its own; the job is then looked for by name.

    >>> only_match(r"^\\d+$", "Welcome\\n12\\n")[0], only_match(r"^\\d+$", "12\\nbudget:\\n40\\n")
    ('12', None)
    """
    matches = list(re.finditer(pattern, answer, re.MULTILINE))
    return matches[0] if len(matches) == 1 else None


_FULL = re.compile(
    r"submit ?job ?s?limit|job submit limit|exceed|max_?queued|threshold reached|quota"
    r"|\bmax\w*(?: number of)? (?:\w+ ){0,2}jobs?|\bonly \d+ jobs|too many (?:\w+ )?jobs|job limit",
    re.IGNORECASE,
)


def is_full(finished: Finished) -> bool:
    """Return whether a submission was refused for how many jobs its user has, or a site takes.

    It only decides whether fewer are tried: a limit in words that are not known is a refusal.

    >>> is_full(Finished((), 1, "", "sbatch: error: AssocMaxSubmitJobLimit"))
    True
    >>> is_full(Finished((), 1, "", "sbatch: error: invalid partition specified: nowhere"))
    False
    """
    return bool(_FULL.search(finished.errors + finished.output))
