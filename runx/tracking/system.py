"""The load of the process's CPUs and GPUs, measured every 30 s for system.csv."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runx.rundir.records import Metric


INTERVAL = 30.0
"""Seconds between two measurements."""
MEGABYTE = 2**20


class Monitor:
    """Measures in a thread, every ``interval`` seconds, until it is stopped."""

    def __init__(self, write: Callable[[dict[str, Metric]], None], interval: float) -> None:
        self._write, self._interval = write, interval
        self._stopped = Event()
        self._thread = Thread(target=self._work, name="logx-system", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for the thread: if it measures at exit, the interpreter may crash."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        previous = busy()
        gpus: list[Any] | None = None
        while not self._stopped.wait(self._interval):
            # Imported after the first interval: short scripts never need it.
            gpus = visible_gpus() if gpus is None else gpus
            current = busy()
            cpu = 100 * (current[0] - previous[0]) / max(current[1] - previous[1], 1e-9)
            previous = current
            self._write({"cpu": round(cpu, 1), "rss_mb": resident(), **gpu_figures(gpus)})


def busy() -> tuple[float, float]:
    """Return the CPU seconds of this process and its ended children, and the time in seconds."""
    times = os.times()
    return sum(times[:4]), time.monotonic()


def resident() -> int:
    """Return the resident memory of this process in MB.

    >>> resident() > 1
    True
    """
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MEGABYTE


def visible_gpus() -> list[Any]:
    """Return pynvml's handles of the GPUs that the process may use; none without pynvml."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001  No driver, no library or no permission.
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        ids = [str(number) for number in range(pynvml.nvmlDeviceGetCount())]
    else:
        ids = [id.strip() for id in visible.split(",") if id.strip()]
    return [handle for id in ids if (handle := _handle(pynvml, id)) is not None]


def _handle(pynvml: Any, id: str) -> Any:
    """Return the handle of a GPU by its index or UUID, None where there is none."""
    try:
        if id.isdecimal():
            return pynvml.nvmlDeviceGetHandleByIndex(int(id))
        return pynvml.nvmlDeviceGetHandleByUUID(id)
    except pynvml.NVMLError:
        return None


def gpu_figures(handles: list[Any]) -> dict[str, Metric]:
    """Return the load in percent and the used memory in MB of each GPU, by the script's indices."""
    figures: dict[str, Metric] = {}
    for number, handle in enumerate(handles):
        import pynvml

        try:
            load = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle).used // MEGABYTE
        except pynvml.NVMLError:
            continue
        figures.update({f"gpu{number}": load, f"gpu{number}_mb": memory})
    return figures
