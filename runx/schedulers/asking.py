"""The schedulers' word on runs that have not come to their end: one call for each farm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from runx.disk.facts import Attempts, Word
from runx.errors import RunxError
from runx.farms import Kind, kind_of
from runx.farms.kind import Question, Seen
from runx.farms.words import chunked
from runx.plans.experiment import Farm
from runx.processes import Finished, ran
from runx.rundir import RunDir
from runx.schedulers.delivering import ASK_SECONDS, keep
from runx.schedulers.sent import NOTHING, Handed, by_farm, handed

Warn = Callable[[str], None]


def words(
    runs: Iterable[RunDir], warn: Warn, known: Mapping[RunDir, Attempts] = NOTHING
) -> dict[tuple[str, str], Word]:
    """Ask the farms of all runs that have not ended well; give their words by farm and job id.

    A job that is only found by its name has its id kept; one that isn't found is ``gone``, under
    its run's path where it has no id. Farms that can't be asked are warned of. The attempts of the
    runs that are ``known`` are not read again.
    """
    said: dict[tuple[str, str], Word] = {}
    for farm, several in by_farm(handed(runs, warn, known)):
        said.update(_asked(farm, several, warn))
    return said


def _asked(farm: Farm, several: Sequence[Handed], warn: Warn) -> dict[tuple[str, str], Word]:
    kind = kind_of(farm.type)
    if not kind.questions:
        return {}
    ids = [one.id for one in several if one.id]
    seen = ask(kind, farm, ids, warn, unnamed=len(ids) < len(several))
    if seen is None:
        return {}
    named = {(one.name, _index(job, one)): job for job, one in seen.items() if one.name}
    said = {}
    for one in several:
        job = one.id or named.get((one.name, one.task), "")
        if job and not one.id:
            keep(one.run, one.attempt, farm, job, one.name, "found again by its name")
        if job in seen:
            said[farm.name, job] = seen[job].word
        elif not one.pending:
            said[farm.name, job or str(one.run.path)] = Word("gone")
    return said


def _index(job: str, seen: Seen) -> int | None:
    """Give the place of a job in its array, from what the farm says or from its id.

    >>> _index("12_3", Seen(Word("queued"))), _index("12", Seen(Word("queued")))
    (3, None)
    """
    if seen.task is not None:
        return seen.task
    match = re.match(r"\d+[_.\[](\d+)", job)
    return int(match[1]) if match else None


def ask(
    kind: Kind, farm: Farm, ids: Sequence[str], warn: Warn, unnamed: bool = False
) -> dict[str, Seen] | None:
    """Put a farm's questions in turn; None where none was answered.

    ``unnamed``: the first is asked of all jobs too, since one is looked for whose id is not known.
    """
    seen: dict[str, Seen] = {}
    answered, troubles = False, []
    for question in kind.questions:
        unknown = [job for job in ids if job not in seen]
        if answered and not unknown:
            break
        try:
            seen = {**_answers(question, farm, unknown, unnamed and not answered), **seen}
            answered = True
        except RunxError as error:
            troubles.append(str(error))
    if not answered:
        warn(f"farm {farm.name} can't be asked: {troubles[0]}; states are from the runs' own files")
    return seen if answered else None


def _answers(question: Question, farm: Farm, ids: Sequence[str], all: bool) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    about = list(dict.fromkeys(map(question.about, ids)))
    commands = [question.words(some, farm) for some in chunked(about)]
    if all or not commands:
        commands.append(question.words((), farm))
    for command in dict.fromkeys(commands):
        finished = ran(command, timeout=ASK_SECONDS)
        seen = _read(question, finished)
        if seen is None:
            raise RunxError(f"{command[0]}: {finished.complaint}")
        found.update(seen)
    return found


def _read(question: Question, finished: Finished) -> Mapping[str, Seen] | None:
    """Read an answer; one that is not as the scheduler's manual has it can't be used."""
    try:
        return question.read(finished)
    except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
        raise RunxError(f"{finished.words[0]}: its answer can't be read: {error!r}") from error
