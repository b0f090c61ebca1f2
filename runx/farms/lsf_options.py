"""What a run needs, and its PRIORITY, as options of LSF's bsub."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from runx.errors import FarmError
from runx.farms.base import Farm, Words
from runx.farms.resources import Needs
from runx.farms.words import counts, refuse, texts
from runx.processes import Finished

_HIGHEST = "MAX_USER_PRIORITY"
_SECTION = r"(?:^|[\s\]]){}\s*\["
"""A section of a resource requirement, such as ``rusage[``."""


def requirements(farm: Farm) -> list[str]:
    """Return the resource requirements in DIRECTIVES: given some as options, bsub ignores them.

    >>> requirements(Farm("lsf", directives=("#BSUB -q long -R 'rusage[mem=4GB]'", "hostname -R")))
    ['rusage[mem=4GB]']
    """
    lines = [line for line in farm.directives if line.startswith("#BSUB")]
    form = r"""\s-R\s*(?:"([^"]*)"|'([^']*)'|(\S+))"""
    return ["".join(groups) for line in lines for groups in re.findall(form, line)]


def resources(needs: Needs, requirements: Sequence[str] = ()) -> Words:
    """Return what a run needs as options; ``requirements`` are those that DIRECTIVES have.

    A user's own section of a requirement is taken instead of the portable one, since LSF refuses
    one that is there twice.

    >>> resources(Needs(cpus=8, mem=1024, time=5400))
    ('-n', '8', '-M', '1024M', '-W', '1:30', '-R', 'span[hosts=1]', '-R', 'rusage[mem=1024M]')
    >>> resources(Needs(mem=1024), ["rusage[mem=2GB/host]"])
    ('-M', '1024M', '-R', 'rusage[mem=2GB/host]')
    """
    refuse(needs, "lsf", "image", "qos")
    if needs.nodes and needs.nodes > 1:
        refuse(needs, "lsf", "nodes")
    own = [
        *requirements,
        *(text for each in needs.rest if each.name == "R" for text in texts(each)),
    ]
    return (*_options(needs), *(word for text in _merged(needs, own) for word in ("-R", text)))


def _options(needs: Needs) -> Iterator[str]:
    if needs.cpus:
        yield from ("-n", str(needs.cpus))
    if needs.gpus:
        kind = f":gmodel={needs.gpu_kind}" if needs.gpu_kind else ""
        memory = f":gmem={needs.gpu_mem}M" if needs.gpu_mem else ""
        yield from ("-gpu", f"num={needs.gpus}{kind}{memory}")
    if needs.mem:
        # With its unit: without one it is in that of the site, LSF_UNIT_FOR_LIMITS.
        yield from ("-M", f"{needs.mem}M")
    if needs.time:
        minutes = math.ceil(needs.time / 60)
        yield from ("-W", f"{minutes // 60}:{minutes % 60:02}")
    for flag, value in (("-q", needs.partition), ("-P", needs.account)):
        if value:
            yield from (flag, value)
    for resource in needs.rest:
        if resource.value is True:
            yield f"-{resource.name}"
        elif resource.name != "R":
            for text in texts(resource):
                yield from (f"-{resource.name}", text)


def _merged(needs: Needs, own: Sequence[str]) -> list[str]:
    """Return resource requirements: the portable ones that a user's own don't have, and these."""
    portable = []
    if needs.cpus and not any(re.search(_SECTION.format("span"), text) for text in own):
        portable.append("span[hosts=1]")
    reserved = _SECTION.format("rusage") + r"[^\]]*\bmem\s*="
    # -M alone is a limit, and reserves nothing.
    if needs.mem and not any(re.search(reserved, text) for text in own):
        portable.append(f"rusage[mem={needs.mem}M]")
    portable += counts(needs, "rusage[{}={}]")
    if needs.constraint:
        portable.append(f"select[{needs.constraint}]")
    return [*portable, *own]


def priority(farm: Farm) -> Words:
    """Return PRIORITY as an option, from 1 to the site's highest, of which the half is the usual.

    >>> priority(Farm("lsf", priority=-3, options={_HIGHEST: "100"})), priority(Farm("lsf"))
    (('-sp', '35'), ())
    """
    half = int(farm.options.get(_HIGHEST, 100)) / 2
    return ("-sp", str(max(round(half + half * farm.priority / 10), 1))) if farm.priority else ()


def highest(finished: Finished, farm: Farm) -> dict[str, str]:
    """Return the site's highest priority by ``bparams -a``; a FarmError where it has none."""
    match = re.search(rf"^\s*{_HIGHEST}\s*=\s*([1-9]\d*)", finished.output, re.MULTILINE)
    if match is None and not finished.status:
        raise FarmError(f"PRIORITY: this LSF has none: lsb.params sets no {_HIGHEST}; leave it out")
    return {_HIGHEST: match[1]} if match else {}
