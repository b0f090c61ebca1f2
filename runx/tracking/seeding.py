"""The random number generators of Python, NumPy and torch: seeds and states."""

from __future__ import annotations

import operator
import os
import random
import sys
from importlib.util import find_spec
from typing import Any

from runx.errors import LogxError
from runx.tracking.plain import text_of


def seed_all(seed: int, deterministic: bool = False) -> None:
    """Seed Python, and NumPy and torch with its GPUs where they are installed.

    Raises LogxError unless the seed is an integer.
    """
    try:
        # Of NumPy's and torch's integers, too.
        number = None if isinstance(seed, bool) else operator.index(seed)
    except Exception:  # noqa: BLE001  its own __index__ may raise anything
        number = None
    if number is None:
        raise LogxError(
            f"seed is {text_of(seed)}; it must be an integer, or give function= to use it"
        )
    seed = number
    random.seed(seed)
    if find_spec("numpy"):
        import numpy

        numpy.random.seed(seed % 2**32)
    if find_spec("torch"):
        import torch

        torch.manual_seed(seed % 2**64)
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.backends.cudnn.benchmark = False
            torch.use_deterministic_algorithms(True)


def random_states() -> dict[str, Any]:
    """Return the states of all generators in use, in types that torch.load accepts as weights."""
    import torch

    states: dict[str, Any] = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states["cuda"] = torch.cuda.get_rng_state_all()
    if numpy := sys.modules.get("numpy"):
        name, keys, *rest = numpy.random.get_state()
        states["numpy"] = (str(name), torch.tensor(keys.astype("int64")), *rest)
    return states


def restore_states(states: dict[str, Any]) -> None:
    """Set the generators to these states."""
    import torch

    random.setstate(states["python"])
    torch.set_rng_state(states["torch"].cpu())
    if "cuda" in states and torch.cuda.is_available():
        # On another number of GPUs, each gets the state of the GPU with its index.
        for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state.cpu(), device)
    if "numpy" in states:
        import numpy

        name, keys, *rest = states["numpy"]
        numpy.random.set_state((name, keys.cpu().numpy().astype("uint32"), *rest))
