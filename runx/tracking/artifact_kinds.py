"""The kinds of artifacts: how objects of each are written to a file, and read from it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import LogxError
from runx.nearest import suggestion
from runx.rundir.files import encodable
from runx.tracking.plain import text_of

_DEEPEST = 5
"""How deep containers are searched for tensors."""


class Kind(NamedTuple):
    """How objects of one kind become a file and again objects.

    ``suffix`` is added to a name that has neither it nor one of ``others``; where these are None,
    to a name without any. ``is_copied``: the object is the path of a file or folder.
    """

    name: str
    save: Callable[[Any, Path], object]
    load: Callable[[Path], Any]
    suffix: str = ""
    others: tuple[str, ...] | None = ()
    is_copied: bool = False

    def file_name(self, name: str) -> str:
        """Return the name of an artifact's file.

        >>> KINDS["table"].file_name("a.parquet"), KINDS["table"].file_name("a.b")
        ('a.parquet', 'a.b.csv')
        """
        ending = Path(name).suffix
        has = bool(ending) if self.others is None else ending in (self.suffix, *self.others)
        return name if has else name + self.suffix


def kind_named(name: Any, own: Mapping[str, Kind]) -> Kind:
    """Return the kind of a name; raises LogxError for one that nobody knows."""
    known = {**KINDS, **own}
    if not isinstance(name, str) or name not in known:
        raise LogxError(
            f"artifact: kind {text_of(name)} is not known; {suggestion(text_of(name), known)}"
            " logx.register_kind() adds one"
        )
    return known[name]


def own_kind(name: Any, save: Any, load: Any, suffix: Any) -> Kind:
    """Return a kind of a script's own; raises LogxError where it can't be one."""
    if not isinstance(name, str) or not name.isidentifier() or name in KINDS:
        raise LogxError(f"register_kind: {text_of(name)} can't be the name of another kind")
    if not callable(save) or not callable(load):
        raise LogxError(f"register_kind: {name} takes the functions save(thing, path), load(path)")
    if suffix and not (isinstance(suffix, str) and suffix[0] == "." and "/" not in suffix):
        raise LogxError(f"register_kind: suffix={text_of(suffix)}; write it as .obj")
    return Kind(name, save, load, suffix)


def kind_of(thing: Any) -> Kind:
    """Return the kind that an object is kept as; raises LogxError where there is none."""
    if isinstance(thing, (str, os.PathLike)):
        source = Path(os.fspath(thing))
        if not os.path.exists(source):  # noqa: PTH110  A long text is no error.
            raise LogxError(f'artifact: {source} is not there; text is kept with kind="text"')
        return KINDS["folder" if source.is_dir() else "file"]
    if isinstance(thing, (bytes, bytearray)):
        return KINDS["bytes"]
    for name, attributes in (
        ("figure", ("savefig",)),
        ("table", ("to_csv", "write_csv")),
        ("array", ("detach", "__array__")),
    ):
        if any(hasattr(thing, attribute) for attribute in attributes):
            return KINDS[name]
    return KINDS["torch" if _holds_tensor(thing) else "json"]


def _holds_tensor(thing: Any, depth: int = 0) -> bool:
    torch = sys.modules.get("torch")
    if torch is None or depth > _DEEPEST:
        return False
    if isinstance(thing, (Mapping, list, tuple)):
        items = thing.values() if isinstance(thing, Mapping) else thing
        return any(_holds_tensor(item, depth + 1) for item in items)
    return isinstance(thing, torch.Tensor)


def _save_json(thing: Any, path: Path) -> None:
    try:
        text = json.dumps(thing, indent=2, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise LogxError(
            f"artifact: a {type(thing).__name__} can't be kept: {error};"
            ' kind="pickle" keeps any object, or register_kind() one of your own'
        ) from error
    path.write_text(encodable(text) + "\n", "utf-8")


def _save_text(thing: Any, path: Path) -> None:
    if not isinstance(thing, str):
        raise LogxError(f'artifact: kind="text" takes a text, not a {type(thing).__name__}')
    path.write_bytes(thing.encode("utf-8", "surrogateescape"))


def _load_text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _save_array(thing: Any, path: Path) -> None:
    import numpy

    array = thing.detach().cpu().numpy() if hasattr(thing, "detach") else thing
    with path.open("wb") as file:
        numpy.save(file, array, allow_pickle=False)


def _load_array(path: Path) -> Any:
    import numpy

    return numpy.load(path, allow_pickle=False)


def _save_table(thing: Any, path: Path) -> None:
    is_parquet = path.suffix == ".parquet"
    if hasattr(thing, "write_csv"):  # polars
        (thing.write_parquet if is_parquet else thing.write_csv)(path)
        return
    if not hasattr(thing, "to_csv"):
        import pandas

        thing = pandas.DataFrame(thing)
    if is_parquet:
        thing.to_parquet(path)
    else:
        thing.to_csv(path, index=False)


def _load_table(path: Path) -> Any:
    import pandas

    return pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)


def _save_torch(thing: Any, path: Path) -> None:
    import torch

    if callable(getattr(thing, "state_dict", None)):
        raise LogxError(f"artifact: give the state_dict() of a {type(thing).__name__}")
    torch.save(thing, path)


def _load_torch(path: Path) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


def _save_pickle(thing: Any, path: Path) -> None:
    import pickle

    with path.open("wb") as file:
        pickle.dump(thing, file)


def _load_pickle(path: Path) -> Any:
    import pickle

    with path.open("rb") as file:
        return pickle.load(file)


def _save_figure(thing: Any, path: Path) -> None:
    thing.savefig(path, format=path.suffix[1:])


def _save_folder(thing: Any, path: Path) -> None:
    shutil.copytree(thing, path, symlinks=True)


_TABLES = (".parquet",)
_PICTURES = (".pdf", ".svg", ".jpg")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("file", lambda thing, path: shutil.copyfile(thing, path), str, is_copied=True),
        Kind("folder", _save_folder, str, is_copied=True),
        Kind("bytes", lambda thing, path: path.write_bytes(thing), Path.read_bytes),
        Kind("text", _save_text, _load_text, ".txt", None),
        Kind("figure", _save_figure, str, ".png", _PICTURES),
        Kind("table", _save_table, _load_table, ".csv", _TABLES),
        Kind("array", _save_array, _load_array, ".npy"),
        Kind("json", _save_json, lambda path: json.loads(path.read_bytes()), ".json"),
        Kind("torch", _save_torch, _load_torch, ".pt", (".pth", ".ckpt")),
        Kind("pickle", _save_pickle, _load_pickle, ".pkl", (".pickle",)),
    )
}
