"""Reading checkpoints: safely, with words for what goes wrong, into the objects of a script."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from runx.errors import LogxError

OURS = "__runx"
"""Under this key a checkpoint holds what runx adds: the epoch and the random states."""


SUFFIXES = ("", "_state_dict", "_state", "_dict")
"""How scripts call the state of an object in what they save."""


WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every key."""


DAMAGE = ("PytorchStreamReader", "central directory", "corrupt", "crc")
"""What torch says of a file that is torn or was changed."""


class DamagedError(LogxError):
    """A checkpoint is torn or no checkpoint at all."""


def needed_torch() -> Any:
    """Import torch, or say how to get it."""
    try:
        import torch
    except ImportError as error:
        raise LogxError("checkpoints need torch: pip install torch") from error
    return torch


def load(path: Path | str, map_location: Any = None, weights_only: bool = True) -> dict[str, Any]:
    """Read a checkpoint; unless asked otherwise, nothing in it can run code."""
    torch = needed_torch()
    if map_location is None and not torch.cuda.is_available():
        map_location = "cpu"
    try:
        with _numpy_scalars(torch):
            content = torch.load(path, map_location=map_location, weights_only=weights_only)
    except FileNotFoundError as error:
        raise LogxError(f"{path}: there is no such checkpoint") from error
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, OSError) as error:
        raise _explained(path, error) from error
    if not isinstance(content, dict):
        raise LogxError(f"{path}: holds a {type(content).__name__}, not a dictionary")
    return content


def read_model(
    path: Path | str | PathLike[str], map_location: Any = None, weights_only: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Read a checkpoint: its state_dict, and everything else that the script put into it."""
    content = load(os.fspath(path), map_location, weights_only)
    if "state_dict" not in content:
        raise LogxError(f"{path}: holds no state_dict; it has {', '.join(map(str, content))}")
    meta = {key: value for key, value in content.items() if key not in ("state_dict", OURS)}
    return content["state_dict"], meta


def _numpy_scalars(torch: Any) -> Any:
    """Let NumPy's numbers through: the original keeps the metric as the script gave it."""
    from contextlib import nullcontext

    allow = getattr(torch.serialization, "safe_globals", None)
    if allow is None:
        return nullcontext()
    import numpy

    kinds = [type(numpy.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "bool")]
    core = getattr(numpy, "_core", None) or numpy.core
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return allow([*((core.multiarray.scalar, name) for name in names), numpy.dtype, *kinds])


def _explained(path: Path | str, error: Exception) -> LogxError:
    """Tell damage, which an older checkpoint helps against, from what no other file would mend."""
    told = _first_line(error)
    if "Weights only load failed" in str(error) and _is_whole(path):
        return LogxError(
            f"{path}: holds more than weights, which could run code when loaded ({told}); "
            "if you trust it, ask with weights_only=False"
        )
    is_torn = isinstance(error, (EOFError, pickle.UnpicklingError, ValueError))
    if is_torn or any(word in str(error) for word in DAMAGE) or not _is_whole(path):
        return DamagedError(f"{path}: can't be loaded: {told}")
    return LogxError(f"{path}: can't be loaded: {told}")


def _is_whole(path: Path | str) -> bool:
    from zipfile import is_zipfile

    with Path(path).open("rb") as file:
        # Before torch 1.6 a checkpoint was a bare pickle, whose end only loading can find.
        return is_zipfile(file) or (file.seek(0), file.read(1))[1] == b"\x80"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    told = [line for line in lines if "Unsupported" in line or "GLOBAL" in line or "global" in line]
    return (told or lines or [type(error).__name__])[0].strip()


def part(content: Mapping[str, Any], name: str, path: Path) -> Any:
    """Find an object's state in a checkpoint, however the script calls it."""
    names = [name + suffix for suffix in SUFFIXES]
    if name == "model":
        names = ["state_dict", *names, "net"]
    for known in names:
        if known in content:
            return content[known]
    there = ", ".join(str(key) for key in content if key != OURS)
    raise LogxError(f"{path}: holds nothing for {name}; it has {there or 'nothing'}")


def fitted(state: Mapping[str, Any], model: Any, path: Path) -> Mapping[str, Any]:
    """Check that a state fits a model before anything is changed; an error lists what doesn't."""
    wanted = model.state_dict()
    state = _renamed(state, wanted)
    missing = [key for key in wanted if key not in state]
    surplus = [key for key in state if key not in wanted]
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and getattr(state[key], "shape", 0) != getattr(wanted[key], "shape", 0)
    ]
    told = [
        f"{what}: {', '.join(keys)}"
        for what, keys in (("missing", missing), ("unexpected", surplus), ("shapes", shapes))
        if keys
    ]
    if told:
        raise LogxError(f"{path}: its keys don't fit the model; {'; '.join(told)}")
    return state


def _renamed(state: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add or take away what wrappers put before every key."""
    for prefix in WRAPPERS:
        has, needs = (all(key.startswith(prefix) for key in keys) for keys in (state, wanted))
        if has and not needs:
            return {key.removeprefix(prefix): value for key, value in state.items()}
        if needs and not has:
            return {prefix + key: value for key, value in state.items()}
    return state


def fill(content: Mapping[str, Any], objects: Mapping[str, Any], path: Path) -> None:
    """Give each object its state from a checkpoint; nothing is changed unless all are there."""
    states = {name: part(content, name, path) for name in objects}
    for name, target in objects.items():
        if name == "model" or hasattr(target, "named_parameters"):
            states[name] = fitted(states[name], target, path)
    for name, target in objects.items():
        try:
            target.load_state_dict(states[name])
        except (ValueError, KeyError, RuntimeError) as error:
            raise LogxError(f"{path}: doesn't fit the {name}: {error}") from error
