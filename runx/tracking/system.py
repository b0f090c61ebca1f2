"""system.csv: what the process and its GPUs are doing, a row every half a minute."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runx.rundir.records import Metric


INTERVAL = 30.0


MEGABYTE = 2**20


class Monitor:
    """Measures in a thread of its own until it is stopped."""

    def __init__(self, write: Callable[[dict[str, Metric]], None], interval: float) -> None:
        self._write, self._interval = write, interval
        self._stopped = Event()
        self._thread = Thread(target=self._work, name="logx-system", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the measuring, and wait until it has: an interpreter that ends meanwhile crashes."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        before = busy()
        gpus: list[Any] | None = None
        while not self._stopped.wait(self._interval):
            # Nothing is imported before it is used: most scripts that log are over by then.
            gpus = visible_gpus() if gpus is None else gpus
            now = busy()
            cpu = 100 * (now[0] - before[0]) / max(now[1] - before[1], 1e-9)
            before = now
            self._write({"cpu": round(cpu, 1), "rss_mb": resident(), **gpu_figures(gpus)})


def busy() -> tuple[float, float]:
    """Give the seconds of CPU that this process and its ended children took, and the time."""
    times = os.times()
    return sum(times[:4]), time.monotonic()


def resident() -> int:
    """Give the memory that this process holds, in MB.

    >>> resident() > 1
    True
    """
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MEGABYTE


def visible_gpus() -> list[Any]:
    """Find the GPUs that the process may use, where pynvml is installed and there are some."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001  No driver, no library, no right to ask: then no figures.
        return []
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        words = [str(number) for number in range(pynvml.nvmlDeviceGetCount())]
    else:
        words = [word.strip() for word in chosen.split(",") if word.strip()]
    return [handle for word in words if (handle := _handle(pynvml, word)) is not None]


def _handle(pynvml: Any, word: str) -> Any:
    try:
        if word.isdecimal():
            return pynvml.nvmlDeviceGetHandleByIndex(int(word))
        return pynvml.nvmlDeviceGetHandleByUUID(word)
    except pynvml.NVMLError:
        return None


def gpu_figures(handles: list[Any]) -> dict[str, Metric]:
    """Measure use in percent and memory in MB of each GPU, numbered as the script sees them."""
    figures: dict[str, Metric] = {}
    for number, handle in enumerate(handles):
        import pynvml

        try:
            use = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle).used // MEGABYTE
        except pynvml.NVMLError:
            continue
        figures.update({f"gpu{number}": use, f"gpu{number}_mb": memory})
    return figures
