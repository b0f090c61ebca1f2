"""The name of an experiment, and what names may hold of a launch: its time, its farm, ..."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runx.config.kinds import Entry
from runx.config.request import Request
from runx.errors import SettingsError
from runx.home import user_name
from runx.sweeps.naming import fill_template, new_launch, safe
from runx.sweeps.values import Point

if TYPE_CHECKING:
    from runx.rundir.numbers import Number

_XID = "{xid}"


def name_texts(
    request: Request, entries: Mapping[str, Entry], values: Mapping[str, Any], farm: str
) -> tuple[dict[str, str], Number | None]:
    """Return what RUN_NAME may hold, with the name of the ``experiment``, and its number.

    Git, the user and the number are looked up where RUN_NAME or EXP_NAME holds them.

    Raises:
        SettingsError: A name holds what there isn't, or can't be that of a folder.
    """
    now = request.now or datetime.now().astimezone()
    texts = {
        "date": f"{now:%Y.%m.%d}",
        "farm": farm or "local",
        "git": "",
        "launch": request.launch or new_launch(now),
        "title": "",
        "user": "",
        "xid": "",
    }
    for name in ("RUN_NAME", "EXP_NAME"):
        if "{" in values[name]:
            texts |= _texts_in(values[name], values, request, f"{entries[name].origin}: {name}")
    name, origin = request.file.stem, str(request.file)
    if "EXP_NAME" in entries:
        origin = f"{entries['EXP_NAME'].origin}: EXP_NAME"
        name = _filled(request, entries, values, texts, origin)
    number = None
    if _XID in name or _XID in values["RUN_NAME"]:
        number = _number(request, values, name)
        texts["xid"] = str(number.value)
        name = name.replace(_XID, texts["xid"])
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return {**texts, "experiment": name}, number


def _filled(
    request: Request,
    entries: Mapping[str, Entry],
    values: Mapping[str, Any],
    texts: Mapping[str, str],
    origin: str,
) -> str:
    """Return EXP_NAME with its texts; ``{xid}`` stays."""
    own = _own_texts(request, entries, values) if values["NAMES"] else {}
    template = values["EXP_NAME"] or request.file.stem
    return fill_template(template, {**own, **texts, "xid": _XID}, origin)


def _texts_in(
    template: str, values: Mapping[str, Any], request: Request, where: str
) -> dict[str, str]:
    """Return those texts that a template holds and that have to be looked up."""
    texts = {}
    if "{git}" in template:
        texts["git"] = _commit(values, where)
    if "{user}" in template:
        texts["user"] = user_name(request.environment)
    if "{title}" in template:
        if not values["TITLE"]:
            raise SettingsError(f"{where}: {{title}}: there is no TITLE; write one")
        texts["title"] = safe(values["TITLE"])
    return texts


def _own_texts(
    request: Request, entries: Mapping[str, Entry], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return the texts of NAMES that EXP_NAME holds."""
    from runx.sweeps.own_names import own_texts

    place_of, environment = entries["NAMES"].at, request.environment
    return own_texts(values["NAMES"], values["EXP_NAME"], (), place_of, environment)(Point(()))


def _number(request: Request, values: Mapping[str, Any], name: str) -> Number:
    """Return the number of an experiment, whose name may hold it."""
    from runx.rundir.numbers import claimed, foreseen

    key = f"{request.file.stem}: {name}" if _XID in name else name
    return (claimed if request.claims else foreseen)(values["LOGROOT"], key)


def _commit(values: Mapping[str, Any], where: str) -> str:
    """Return the first eight digits of CODE_ROOT's commit."""
    from runx.staging.git import git_state

    git = git_state(values["CODE_ROOT"], (values["LOGROOT"],))
    if git is None or not git.commit:
        raise SettingsError(f"{where}: {{git}}: {values['CODE_ROOT']} has no commit; leave it out")
    return git.commit[:8]
