"""run.json and launch.json: the records of how a run and a launch were created."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import StoreError
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir
from runx.sweeps.values import Trial

PROGRAMS = ("runx", "runx.py", "__main__.py")
"""The file names of the program."""
Warn = Callable[[str], None]


class CommandLine(NamedTuple):
    """The command line of a launch, without the program, and its working directory.

    ``source`` is the file with what it read from standard input, "" if it did not.
    """

    argv: tuple[str, ...]
    cwd: str
    source: str = ""


def is_read(words: Sequence[str]) -> bool:
    """Return whether a command line has the experiment read from standard input.

    >>> is_read(["-", "-i"]), is_read(["-i", "--", "cat", "-"])
    (True, False)
    """
    return "-" in (words[: words.index("--")] if "--" in words else words)


def read_or_empty(file: Path, warn: Warn) -> dict[str, Any]:
    """Return the object in a JSON file of runx's, an empty one where it is missing or damaged."""
    try:
        return read_json(file)
    except StoreError as error:
        if not isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            warn(str(error))
        return {}


def labels_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels in a run.json or launch.json.

    >>> labels_of({"labels": ["paper"]}), labels_of({})
    (('paper',), ())
    """
    labels = content.get("labels")
    return tuple(map(str, labels)) if isinstance(labels, list) else ()


def trial_in(content: Mapping[str, Any]) -> Trial | None:
    """Return the point of a search that a run.json names, None where it is of no search.

    >>> trial_in({"search": {"name": "main-1a2b", "point": 7}}), trial_in({})
    (Trial(search='main-1a2b', number=7), None)
    """
    named = content.get("search")
    if not isinstance(named, dict) or not isinstance(named.get("point"), int):
        return None
    return Trial(str(named.get("name")), named["point"])


def launch_folder(run: RunDir, record: Mapping[str, Any]) -> Path | None:
    """Return the folder of the launch that created a run, given its run.json."""
    name = record.get("launch")
    return ExperimentDir(run.path.parent).launches / name if isinstance(name, str) else None


def launch_of(run: RunDir, record: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    """Return the launch.json of the launch that created a run, given its run.json."""
    folder = launch_folder(run, record)
    return read_or_empty(folder / "launch.json", warn) if folder else {}


def code_digests(run: RunDir) -> Iterator[str]:
    """Yield the digests of all code that was staged for a run, the latest first.

    Its claims have those of later attempts, also those that launchers wait with, its run.json the
    first. Raises StoreError where one is damaged.
    """
    names = [path.name for path in run.attempts.iterdir()] if run.attempts.is_dir() else []
    parts = [(name.partition(".")[0], name) for name in names if name.endswith((".claim", ".wait"))]
    for _, name in sorted(((int(n), name) for n, name in parts if n.isdecimal()), reverse=True):
        if code := read_json(run.attempts / name).get("code"):
            yield str(code)
    if code := read_json(run.record).get("code"):
        yield str(code)


def attempt_codes(run: RunDir, attempts: Sequence[int]) -> list[str]:
    """Return the digest of the code of each attempt, "" where there is none.

    What run.sh has claimed itself goes on with the code that the run had.
    """
    codes, last = [], str(read_or_empty(run.record, lambda _: None).get("code") or "")
    for number in attempts:
        claim = read_or_empty(run.claim(number), lambda _: None)
        last = str(claim.get("code") or last)
        codes.append(last)
    return codes


def staged_code(run: RunDir) -> str | None:
    """Return the digest of a run's code, that of its run.json where a claim is damaged.

    None where both are.
    """
    try:
        return next(code_digests(run), None)
    except StoreError:
        code = read_or_empty(run.record, lambda _: None).get("code")
        return str(code) if code else None


def dotted(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters by their dotted names, mappings in mappings taken apart.

    Lists stay as they are, and so do empty mappings. A name that is written with its dots goes
    before the same one of a mapping.

    >>> dotted({"optimizer": {"lr": 1, "betas": [0.9, 0.99]}, "optimizer.lr": 2, "extra": {}})
    {'optimizer.lr': 2, 'optimizer.betas': [0.9, 0.99], 'extra': {}}
    """
    if dict not in set(map(type, hparams.values())):
        return dict(hparams)
    leaves: dict[str, Any] = {}
    written: dict[str, Any] = {}
    for name, value in hparams.items():
        if isinstance(value, dict) and value:
            leaves.update({f"{name}.{inner}": each for inner, each in dotted(value).items()})
        else:
            leaves[name] = written[name] = value
    return {**leaves, **written}


def without_program(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command line without the program.

    >>> without_program(["/usr/bin/runx", "sweep.yml"]), without_program(["sweep.yml"])
    (('sweep.yml',), ('sweep.yml',))
    """
    is_program = bool(argv) and argv[0].rpartition("/")[2] in PROGRAMS
    return tuple(argv[1:] if is_program else argv)
