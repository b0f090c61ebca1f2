"""The files of a search that are damaged."""

import pytest

from runx.errors import StoreError
from runx.rundir.paths import ExperimentDir
from runx.rundir.searches import held_ends, search_dir


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "ends": null}'])
def test_ends_that_cannot_be_read_are_an_error_that_names_the_file(tmp_path, text):
    folder = search_dir(ExperimentDir(tmp_path), "main-1")
    folder.path.mkdir(parents=True)
    assert held_ends(folder) == frozenset()
    folder.held.write_text(text)
    with pytest.raises(StoreError, match=r"held\.json"):
        held_ends(folder)
