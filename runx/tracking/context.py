"""What a script can know about its run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir


class Hparams(Mapping[str, Any]):
    """Hyperparameters, read-only, by name or as attributes; dotted names also step by step.

    >>> hparams = Hparams({"lr": 0.1, "optimizer.name": "adam"})
    >>> hparams.lr, hparams["optimizer.name"], hparams.optimizer.name
    (0.1, 'adam', 'adam')
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getitem__(self, name: str) -> Any:
        value = _below(self._values, name)
        if value is None and name not in self._values:
            raise KeyError(_missing(name, self._values))
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"hyperparameters are read-only; {name} can't be set")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Hparams({self._values!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Hparams, (self._values,))


def _below(values: Mapping[str, Any], name: str) -> Any:
    if name in values:
        value = values[name]
        return Hparams(value) if isinstance(value, dict) else value
    inner = {key[len(name) + 1 :]: values[key] for key in values if key.startswith(f"{name}.")}
    return Hparams(inner) if inner else None


def _missing(name: str, values: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, values, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(values) or 'none'}"
    return f"no hyperparameter {name}; {hint}"


class RunInfo:
    """This run's name, experiment, tag, attempt and directory."""

    __slots__ = ("attempt", "experiment", "logdir", "name", "tag")

    def __init__(self, run: RunDir, environment: Mapping[str, str] = os.environ) -> None:
        content = _read(run.record)
        # A launcher's environment speaks of the run that it started, and of no other directory.
        ours = environment if is_launched(run, environment) else {}
        place = run.path.absolute()
        self.logdir = str(run.path)
        self.name = str(content.get("name") or ours.get("RUNX_RUN") or place.name)
        self.experiment = str(
            content.get("experiment") or ours.get("RUNX_EXPERIMENT") or place.parent.name
        )
        self.tag = str(content.get("tag") or "")
        attempt = ours.get("RUNX_ATTEMPT", "")
        self.attempt = int(attempt) if attempt.isdecimal() else 1

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"RunInfo({shown})"


def is_launched(run: RunDir, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether runx started this process for this very directory."""
    given = environment.get("RUNX_LOGDIR")
    return bool(given) and Path(str(given)).absolute() == run.path.absolute()


def launched(environment: Mapping[str, str] = os.environ) -> RunDir:
    """Give the directory of the run that runx started this process for."""
    given = environment.get("RUNX_LOGDIR")
    if not given:
        raise LogxError("logx is not initialized; call logx.initialize() first")
    return RunDir(Path(given).absolute())


def hparams_of(run: RunDir, given: Mapping[str, Any]) -> Hparams:
    """Read the run's hyperparameters, those that the script gave over them."""
    logdir = str(run.path)
    placed = {name: _placed(value, logdir) for name, value in _read(run.hparams).items()}
    return Hparams({**placed, **given})


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _placed(value: Any, logdir: str) -> Any:
    """Put the directory where the sweep says LOGDIR."""
    if isinstance(value, str):
        return value.replace("LOGDIR", logdir)
    if isinstance(value, list):
        return [_placed(item, logdir) for item in value]
    return value


def as_mapping(hparams: Any) -> dict[str, Any]:
    """Take hyperparameters as a mapping, as argparse gives them, or as a dataclass."""
    if isinstance(hparams, Mapping):
        return {str(name): value for name, value in hparams.items()}
    if hasattr(hparams, "__dict__"):
        return dict(vars(hparams))
    raise LogxError(f"hparams= takes a mapping or argparse's namespace, not {hparams!r:.60}")


TRIES = 100


def logroot(here: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Find LOGROOT: the environment's, the nearest .runx file's, the user's, else ./runs.

    >>> logroot(Path("/"), {"RUNX_LOGROOT": "/logs"})
    PosixPath('/logs')
    """
    if environment.get("RUNX_LOGROOT"):
        return _absolute(environment["RUNX_LOGROOT"], here)
    own = Path(environment.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    for path in (*(folder / ".runx" for folder in (here, *here.parents)), own / "runx.yml"):
        if path.is_file() and (root := _said_in(path)):
            return _absolute(root, path.parent)
    return here / "runs"


def _said_in(path: Path) -> str:
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LogxError(f"{path}: can't be read: {error}") from error
    root = content.get("LOGROOT") if isinstance(content, dict) else None
    return str(root) if root else ""


def _absolute(text: str, base: Path) -> Path:
    return base / Path(os.path.expandvars(text)).expanduser()


def unique(root: Path, new_name: Callable[[int], str]) -> Path:
    """Make a directory under root with a name that nobody else has; mkdir is the claim."""
    root.mkdir(parents=True, exist_ok=True)
    for attempt in range(TRIES):
        path = root / new_name(4 if attempt else 2)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise LogxError(f"{root}: {TRIES} random names are all taken; give initialize(logdir=...)")


def slug(words: int) -> str:
    """Make a random name that people can say."""
    from coolname import generate_slug

    return str(generate_slug(words))
