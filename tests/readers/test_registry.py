import pytest

from runx.errors import SettingsError
from runx.readers import registry
from runx.readers.base import FileReader
from runx.readers.registry import FILES, file_readers


def test_each_reader_has_the_name_of_its_entry():
    assert [reader.name for reader in file_readers()][: len(FILES)] == [*FILES]


def installed(monkeypatch, reader):
    class Point:
        name, value = "mine", "mine.readers:READER"

        def load(self):
            if isinstance(reader, Exception):
                raise reader
            return reader

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point()])
    registry.file_readers.cache_clear()


@pytest.fixture(autouse=True)
def forget():
    yield
    registry.file_readers.cache_clear()


def test_an_entry_point_adds_a_reader(monkeypatch):
    reader = FileReader("mine", lambda path: True, lambda path, warn: [])
    installed(monkeypatch, reader)
    assert file_readers()[-1] is reader


@pytest.mark.parametrize("reader", [3, ImportError("no mine")])
def test_an_entry_point_that_is_no_reader_is_named(monkeypatch, reader):
    installed(monkeypatch, reader)
    with pytest.raises(SettingsError, match=r"runx\.readers: mine \(mine.readers:READER\)"):
        file_readers()
