"""Reading the directories of other tools, beside reading their bytes and their own readers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.commands import BARE, OURS, PEERS, ROOT, TOOLS, Python, has, timed
from benchmarks.turns import Case, Cost, Job
from runx.analysis.index import SETTLED

_SAMPLES = ROOT / "tests" / "fixtures" / "tools"
_RUNS = {
    "mlruns": "mlflow/mlruns/[1-9]*/*",
    "multirun": "hydra/multirun/*/*/*",
    "logs": "mlxp/logs/*",
}
"""For each folder that is filled, the runs of a sample that it is filled with."""
_AGAIN = "**sumx**, nothing changed"


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of reading what other tools have recorded."""
    runs = 1_000 if full else 100
    for title, folder, peers in (
        ("a file store of MLflow", "mlruns", _mlflow()),
        ("a multirun of Hydra", "multirun", []),
        ("a directory of MLXP", "logs", _mlxp()),
    ):
        cases = [*_cases(folder), *peers]
        title = f"`sumx PATH`, {runs:,} runs in {title}"
        target = "less than the tool's own reader takes"
        yield Job("others", title, target, cases, runs, 5, _fill(folder, runs))


def _cases(folder: str) -> Iterator[Case]:
    yield Case("read the bytes", lambda ground, _: _bytes(ground / folder))
    yield Case("**sumx**", lambda ground, _: _sumx(_without_index(ground), folder))
    yield Case(_AGAIN, lambda ground, _: _sumx(ground, folder))


def _mlflow() -> list[Case]:
    return (
        [_reader("mlflow.search_runs", TOOLS, "mlflow/read", "mlruns")]
        if has(TOOLS, "mlflow")
        else []
    )


def _mlxp() -> list[Case]:
    return (
        [_reader("MLXP's Reader", PEERS, "mlxp/read_others", "logs")] if has(PEERS, "mlxp") else []
    )


def _reader(name: str, python: Python, script: str, folder: str) -> Case:
    return Case(
        name,
        lambda ground, _: timed(python.script("peers", script, ground / folder), ground, python),
    )


def _fill(folder: str, runs: int) -> Callable[[Path], None]:
    def fill(ground: Path) -> None:
        whole = [run for run in sorted(_SAMPLES.glob(_RUNS[folder])) if _counts(run)]
        inside = whole[0].parent.relative_to(_SAMPLES).parts[1:]
        top = ground.joinpath(*inside)
        for number in range(runs):
            place = top / (f"a{number:031x}" if folder == "mlruns" else str(number))
            shutil.copytree(whole[number % len(whole)], place)
            if folder == "mlruns":
                _complete(place, whole[number % len(whole)])
            elif folder == "logs":
                _name_metrics(place / "metrics")
        # A file just written may yet change and keep its stamp: the index leaves it out.
        time.sleep(SETTLED / 1e9 + 1)
        _sumx(ground, folder)

    return fill


def _counts(run: Path) -> bool:
    meta = run / "meta.yaml"
    return run.is_dir() and not (meta.exists() and "deleted" in meta.read_text())


def _complete(run: Path, sample: Path) -> None:
    """Make what MLflow demands of a run: its own id, and the folders that are empty."""
    meta = (sample / "meta.yaml").read_text().replace(sample.name, run.name)
    (run / "meta.yaml").write_text(meta)
    shutil.copy(sample.parent / "meta.yaml", run.parent)
    for name in ("tags", "artifacts"):
        (run / name).mkdir(exist_ok=True)


def _name_metrics(folder: Path) -> None:
    """Write what MLXP's Reader looks up: the names in each file of metrics."""
    (folder / ".keys").mkdir()
    for name, metric in (("train", "loss"), ("val", "accuracy")):
        (folder / ".keys" / f"{name}.yaml").write_text(f"{metric}: ''\nepoch: ''\n")


def _without_index(ground: Path) -> Path:
    shutil.rmtree(ground / ".cache", ignore_errors=True)
    return ground


def _bytes(folder: Path) -> Cost:
    return timed(BARE.script("floors", "bytes", folder), folder)


def _sumx(ground: Path, folder: str) -> Cost:
    return timed(OURS.entry("sumx", folder, "--sortwith", "accuracy"), ground, OURS)
