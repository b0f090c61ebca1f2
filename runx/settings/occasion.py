"""What names may hold of a launch: who, when, where to, and of which commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import SettingsError
from runx.settings.decode import user_of
from runx.settings.layers import Entry
from runx.sweeps.naming import new_launch
from runx.sweeps.placeholders import filled


class Occasion(NamedTuple):
    """When a launch is, and what it is called; both are made up where nobody says."""

    now: datetime | None = None
    launch: str = ""


def shared_texts(
    entries: Mapping[str, Entry],
    value: Mapping[str, Any],
    farm: str | None,
    when: Occasion,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Give what RUN_NAME and EXP_NAME may hold; git and the user are asked for where one does."""
    now = when.now or datetime.now().astimezone()
    texts = {
        "date": f"{now:%Y.%m.%d}",
        "farm": farm or "local",
        "git": "",
        "launch": when.launch or new_launch(now),
        "user": "",
    }
    for name in ("RUN_NAME", "EXP_NAME"):
        if "{git}" in value.get(name, ""):
            texts["git"] = _commit(value, f"{entries[name].origin}: {name}")
        if "{user}" in value.get(name, ""):
            texts["user"] = user_of(environment)
    return texts


def _commit(value: Mapping[str, Any], where: str) -> str:
    from runx.staging.git import state

    git = state(value["CODE_ROOT"], (value["LOGROOT"],))
    if git is None or not git.commit:
        raise SettingsError(f"{where}: {{git}}: {value['CODE_ROOT']} has no commit; leave it out")
    return git.commit[:8]


def experiment_name(
    template: str, texts: Mapping[str, str], entries: Mapping[str, Entry], file: Path
) -> str:
    """Name the experiment's folder."""
    said = "EXP_NAME" in entries
    origin = f"{entries['EXP_NAME'].origin}: EXP_NAME" if said else str(file)
    name = filled(template, texts, origin) if said else template
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return name
