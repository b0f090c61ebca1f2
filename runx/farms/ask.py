"""One farm asked about many jobs at once, by the queries of its type."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from runx.errors import RunxError
from runx.farms.base import Farm, StatusQuery, Warn
from runx.farms.commands import call
from runx.farms.words import CHUNK
from runx.processes import CommandNotFound
from runx.rundir.events import JobStatus


class FarmAnswer(NamedTuple):
    """What a scheduler has of jobs, by their ids.

    ``hidden``: why a job that is not among them may be there all the same, "" where nothing was
    left out. ``sees_all``: whether the jobs of other users would be among them.
    """

    statuses: Mapping[str, JobStatus]
    hidden: str = ""
    sees_all: bool = False


def ask(
    farm: Farm, queries: Sequence[StatusQuery], ids: Sequence[str], warn: Warn, all: bool = False
) -> FarmAnswer:
    """Return what a farm has of jobs; warn where it can't be asked.

    ``all``: the first query that is answered is made for all jobs, too, to find one without an id.
    """
    statuses: dict[str, JobStatus] = {}
    answered, problems, hidden = False, list[str](), ""
    for number, query in enumerate(queries):
        unknown = [id for id in ids if id not in statuses]
        if answered and (query.instead or not unknown):
            continue
        try:
            statuses = {**_answer(query, farm, unknown, all and not answered), **statuses}
            answered, hidden = True, "" if query.instead else hidden
        except RunxError as error:
            problems.append(str(error))
            # A command that is not there is of another scheduler with the same submit command.
            if number == 0 or (query.live and not isinstance(error, CommandNotFound)):
                hidden = f"{farm.name} can't be asked"
    if hidden or not answered:
        warn(f"farm {farm.name} can't be asked: {problems[0]}; states are from the runs' own files")
    looked = [query for number, query in enumerate(queries) if query.live or number == 0]
    return FarmAnswer(statuses, hidden, {query.sees for query in looked} == {"all"})


def explained(
    answer: FarmAnswer, farm: Farm, query: StatusQuery, names: Container[str]
) -> FarmAnswer:
    """Return an answer with why jobs of these names wait, where that takes a query of its own."""
    waiting = {
        id: status
        for id, status in answer.statuses.items()
        if status.state == "queued" and not status.reason and status.name in names
    }
    if not waiting:
        return answer
    try:
        reasons = _answer(query, farm, list(waiting), all=False)
    except RunxError:
        return answer  # A site may keep its events to itself.
    known = {
        id: status._replace(reason=reasons[query.query_id(id)].reason)
        for id, status in waiting.items()
        if query.query_id(id) in reasons
    }
    return answer._replace(statuses={**answer.statuses, **known})


def _answer(query: StatusQuery, farm: Farm, ids: Sequence[str], all: bool) -> dict[str, JobStatus]:
    """Return what a query returns of jobs, made in as many commands as their ids take.

    Raises RunxError where the scheduler can't be asked, or its answer can't be read.
    """
    statuses: dict[str, JobStatus] = {}
    asked = list(dict.fromkeys(map(query.query_id, ids)))
    chunks = [asked[start : start + CHUNK] for start in range(0, len(asked), CHUNK)]
    commands = [query.command(chunk, farm) for chunk in chunks]
    if all or not commands:
        commands.append(query.command((), farm))
    for command in dict.fromkeys(commands):
        finished = call(command)
        try:
            answer = query.read(finished)
        except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
            line = finished.last_line
            raise RunxError(f"{command[0]}: its answer can't be read: {line} ({error})") from error
        if answer is None:
            raise RunxError(f"{command[0]}: {finished.last_line}")
        statuses.update(answer)
    # Slurm lists an array that was cancelled before it was parted into tasks by its own id alone.
    whole = {id: query.query_id(id) for id in ids if id not in statuses}
    return statuses | {id: statuses[of] for id, of in whole.items() if of in statuses}
