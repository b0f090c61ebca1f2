"""What a scheduler says of jobs before they are submitted: would it take them, and when start."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runx.errors import FarmError, SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Wait
from runx.farms.commands import NotStarted, execute, largest_array
from runx.farms.jobs import farm_of, job_arrays
from runx.farms.registry import farm_type_of
from runx.processes import Finished


def test_submission(
    farm: Farm | None,
    jobs: Sequence[JobSpec],
    folder: Path,
    say: Callable[[str], None],
    after: tuple[Wait, ...] = (),
) -> None:
    """Have every job's script and options checked by its scheduler; nothing is submitted.

    Raises SettingsError where it has no command for that, FarmError where it refuses one.
    """
    farm_type = farm_type_of(farm.type) if farm else None
    if farm is None or farm_type is None or farm_type.test_only is None:
        name = f"a farm of TYPE {farm.type}" if farm else "this machine"
        raise SettingsError(f"--test-only: {name} can't be asked that; -n shows what would be run")
    for array in job_arrays(jobs, farm, farm_type, folder, largest_array(farm), after):
        finished = _asked(array, farm, farm_type)
        if finished.status:
            raise FarmError(f"farm {farm.name} would refuse {array.name}: {finished.last_line}")
        say(f"{array.name}: {finished.last_line}")


def expected_start(farm: Farm, jobs: Sequence[JobSpec], folder: Path) -> datetime | None:
    """Return when a scheduler would start the first of some jobs, None where it can't tell.

    The time is local, as schedulers print it. Raises SettingsError for what the farm can't do.
    """
    farm_type = farm_type_of(farm.type)
    if farm_type.test_only is None or farm_type.expected_start is None:
        return None
    array, *_ = job_arrays(jobs, farm, farm_type, folder, farm_type.largest)
    try:
        finished = _asked(array, farm, farm_type)
    except NotStarted:
        return None
    return None if finished.status else farm_type.expected_start(finished)


def _asked(array: JobArray, farm: Farm, farm_type: FarmType) -> Finished:
    """Return what a scheduler answers to the submission of an array that is only checked."""
    assert farm_type.test_only is not None
    with tempfile.TemporaryDirectory() as scripts:
        script = Path(scripts) / array.script.name
        of_array = farm_of(array, farm)
        script.write_text(farm_type.script(array, of_array) if farm_type.script else "")
        submission = farm_type.test_only(farm_type.submission(array, of_array))
        moved = {str(array.script): str(script), f"--chdir={array.experiment_dir}": "--chdir=/"}
        words = tuple(moved.get(word, word) for word in submission.words)
        return execute(replace(submission, words=words), farm, farm_type)
