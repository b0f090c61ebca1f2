"""Reading checkpoints, and loading them into the objects of a script."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.tracking.plain import path_of

OURS = "__runx"
"""The key of what runx adds to a checkpoint: the epoch and the random states."""
SUFFIXES = ("", "_state_dict", "_state", "_dict")
"""What scripts add to an object's name for the key of its state."""
WRAPPERS = frozenset(
    ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"]
)
"""The parts of keys that DataParallel, torch.compile, FSDP, checkpointing and Fabric add."""
DAMAGE = ("PytorchStreamReader", "central directory", "corrupt", "crc")
"""Words in torch's errors about a file that is torn or was changed."""


class DamagedError(LogxError):
    """A file is torn, or not a checkpoint."""


def import_torch() -> Any:
    """Return the module torch; raises LogxError where it isn't installed."""
    try:
        import torch
    except ImportError as error:
        raise LogxError("checkpoints need torch: pip install torch") from error
    return torch


def load(path: Path | str, map_location: Any = None, weights_only: bool = True) -> dict[str, Any]:
    """Return the content of a checkpoint; with ``weights_only`` loading can't run code in it.

    Raises:
        DamagedError: The file is torn, or not a checkpoint.
        LogxError: There is no such file, or it can't be loaded otherwise.
    """
    torch = import_torch()
    if map_location is None and not torch.cuda.is_available():
        map_location = "cpu"
    try:
        with _numpy_scalars(torch):
            content = torch.load(path, map_location=map_location, weights_only=weights_only)
    except FileNotFoundError as error:
        raise LogxError(f"{path}: there is no such checkpoint") from error
    except MemoryError:
        raise
    except Exception as error:  # what torch and pickle raise for a damaged file is open
        raise _explained(path, error) from error
    if not isinstance(content, dict):
        raise LogxError(f"{path}: holds a {type(content).__name__}, not a dictionary")
    if not isinstance(content.get(OURS, {}), dict):
        raise DamagedError(f"{path}: what runx added to it is damaged")
    return content


def read_model(
    path: Path | str | PathLike[str], map_location: Any = None, weights_only: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Return the state_dict in a checkpoint, and everything else that the script saved in it."""
    path = path_of(path, "load_model")
    content = load(path, map_location, weights_only)
    if "state_dict" not in content:
        raise LogxError(f"{path}: holds no state_dict; it has {', '.join(map(str, content))}")
    meta = {key: value for key, value in content.items() if key not in ("state_dict", OURS)}
    return content["state_dict"], meta


def _numpy_scalars(torch: Any) -> Any:
    """Return a context that allows NumPy's scalars: NVIDIA's runx saved metrics as they came."""
    from contextlib import nullcontext

    allow = getattr(torch.serialization, "safe_globals", None)
    if allow is None:
        return nullcontext()
    import numpy

    types = [type(numpy.dtype(name)) for name in ("f2", "f4", "f8", "i4", "i8", "bool")]
    core = getattr(numpy, "_core", None) or numpy.core
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return allow([*((core.multiarray.scalar, name) for name in names), numpy.dtype, *types])


def _explained(path: Path | str, error: Exception) -> LogxError:
    """Return the error for a checkpoint that can't be loaded: DamagedError if it is torn."""
    reason = _first_line(error)
    if "Weights only load failed" in str(error) and _is_whole(path):
        return LogxError(
            f"{path}: holds more than weights, which could run code when loaded ({reason}); "
            "if you trust it, ask with weights_only=False"
        )
    # torch seeks before the beginning of many a file that was cut off: EINVAL.
    number = getattr(error, "errno", 0)
    is_damage = isinstance(error, IsADirectoryError) or number in (errno.EIO, errno.EINVAL)
    if isinstance(error, OSError) and not is_damage:
        return LogxError(f"{path}: can't be loaded: {error.strerror or reason}")
    # A class that is elsewhere now is no damage.
    is_elsewhere = isinstance(error, (ImportError, AttributeError))
    is_torn = not is_elsewhere and not isinstance(error, RuntimeError)
    is_torn = is_torn or isinstance(error, RecursionError) or is_damage
    if is_torn or any(word in str(error) for word in DAMAGE) or not _is_whole(path):
        return DamagedError(f"{path}: can't be loaded: {reason}")
    return LogxError(f"{path}: can't be loaded: {reason}")


def _is_whole(path: Path | str) -> bool:
    """Return whether a file looks like a complete checkpoint."""
    from zipfile import is_zipfile

    with Path(path).open("rb") as file:
        # Before torch 1.6 a checkpoint was a bare pickle, whose end only loading can find.
        return is_zipfile(file) or (file.seek(0), file.read(1))[1] == b"\x80"


def more_than_weights(path: Path) -> list[str]:
    """Return the classes in a checkpoint that loading of weights alone refuses, by torch 2.6."""
    torch = import_torch()
    look = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if look is None:
        return []
    try:
        with _numpy_scalars(torch):
            return [str(name) for name in look(path)]
    except Exception:  # noqa: BLE001  It is a warning ahead of time, and no more.
        return []


def _first_line(error: BaseException) -> str:
    """Return the most specific line of an error's message."""
    lines = str(error).strip().splitlines()
    specific = [
        line for line in lines if "Unsupported" in line or "GLOBAL" in line or "global" in line
    ]
    return (specific or lines or [type(error).__name__])[0].strip()


def part(content: Mapping[str, Any], name: str, path: Path) -> Any:
    """Return an object's state in a checkpoint, under any of its usual keys."""
    names = [name + suffix for suffix in SUFFIXES]
    if name == "model":
        names = ["state_dict", *names, "net"]
    for key in names:
        if key in content:
            return content[key]
    keys = ", ".join(str(key) for key in content if key != OURS)
    raise LogxError(f"{path}: holds nothing for {name}; it has {keys or 'nothing'}")


def fitted(state: Mapping[str, Any], model: Any, path: Path) -> Mapping[str, Any]:
    """Return a state with the keys of a model; raises LogxError where keys or shapes differ."""
    expected = model.state_dict()
    state = _renamed(state, expected)
    missing = [key for key in expected if key not in state]
    surplus = [key for key in state if key not in expected]
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(expected[key].shape)}"
        for key in expected
        if key in state and getattr(state[key], "shape", 0) != getattr(expected[key], "shape", 0)
    ]
    problems = [
        f"{problem}: {', '.join(keys)}"
        for problem, keys in (("missing", missing), ("unexpected", surplus), ("shapes", shapes))
        if keys
    ]
    if problems:
        raise LogxError(f"{path}: its keys don't fit the model; {'; '.join(problems)}")
    return state


def _renamed(state: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a state with the parts of wrappers added or removed as the expected keys have them."""
    if state.keys() == expected.keys():
        return state
    names = {bare(key): key for key in expected}
    bare_state = {bare(key) for key in state}
    if len(names) < len(expected) or len(bare_state) < len(state):
        return state  # What looks like a wrapper's part tells two keys apart.
    return {names.get(bare(key), key): value for key, value in state.items()}


def bare(key: str) -> str:
    """Return a key without the parts that wrappers add.

    >>> bare("module._orig_mod.layers.0._fsdp_wrapped_module.weight")
    'layers.0.weight'
    """
    return ".".join(part for part in str(key).split(".") if part not in WRAPPERS)


def state_in(saved: Any) -> Any:
    """Return what was saved of an object: its state; of a whole module or optimizer, its own."""
    return saved if isinstance(saved, Mapping) else getattr(saved, "state_dict", lambda: saved)()


def fill(content: Mapping[str, Any], objects: Mapping[str, Any], path: Path) -> None:
    """Load the states in a checkpoint into objects; none is changed unless all have a state."""
    states = {name: state_in(part(content, name, path)) for name in objects}
    for name, state in states.items():
        if not isinstance(state, Mapping):
            found = type(state).__name__
            raise DamagedError(f"{path}: holds no state for {name}, but {found}")
    for name, target in objects.items():
        if not callable(getattr(target, "load_state_dict", None)):
            raise LogxError(f"restore: {name} is a {type(target).__name__}, which has no state")
        if name == "model" or hasattr(target, "named_parameters"):
            states[name] = fitted(states[name], target, path)
    for name, target in objects.items():
        try:
            target.load_state_dict(states[name])
        except (LookupError, RuntimeError, TypeError, ValueError, AttributeError) as error:
            raise LogxError(f"{path}: doesn't fit the {name}: {error}") from error
