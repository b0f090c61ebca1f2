"""The steps of STEPS, read one after another, each problem with the line where it stands."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.config.experiment import LOCAL, shell_of
from runx.config.keys import KEYS
from runx.config.kinds import WORDS, Entry, Environment
from runx.config.mappings import STEP_KEYS
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.rundir.handback import Requeue
from runx.rundir.shell import Shell
from runx.rundir.steps import RUN, SWEEP, Per, Step, When, leaders
from runx.sweeps.values import Node, Scalar

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_TAKEN = ("args", "config", "LOGDIR", "EXPERIMENT")
_LONGEST = 60
_WHENS: tuple[When, ...] = ("done", "ended")
_AROUND = ("SETUP", "TEARDOWN", "WRAP", "LAUNCH", "ENV")


class FarmSettings(NamedTuple):
    """The settings of jobs of one farm: entries, values, and RESOURCES but for the experiment's."""

    entries: Mapping[str, Entry]
    values: Mapping[str, Any]
    resources: Entry | None


class AskedFarm(NamedTuple):
    """The farms that FARM names for a step, and whether it goes where it starts soonest."""

    names: tuple[str, ...]
    soonest: bool = False


class StepFarms(NamedTuple):
    """Where steps go: to the ``usual`` farms, "" for this machine, where they name none.

    With ``here`` all are executed here; ``together``: all others go to the usual ones. ``named``
    returns the farms that FARM names, ``unknown`` why there is no farm of a name.
    """

    usual: tuple[str, ...]
    here: bool
    together: bool
    named: Callable[[tuple[str, ...]], AskedFarm]
    unknown: Callable[[str], str]


class StepReader:
    """Reads STEPS, given the settings that hold for steps that say nothing of them.

    ``settings_of`` returns those of a farm.
    """

    def __init__(
        self,
        entry: Entry,
        settings_of: Callable[[str], FarmSettings],
        environment: Environment,
        farms: StepFarms,
    ) -> None:
        self.entry, self.settings_of, self.environment = entry, settings_of, environment
        self.farms = farms

    def steps(self) -> tuple[Step, ...]:
        """Return the steps, each after those that it waits for, else in the order of the file.

        Raises:
            SettingsError: STEPS is malformed.
        """
        if not isinstance(self.entry.node, dict) or not self.entry.node:
            raise SettingsError(
                f"{self.entry.origin}: STEPS must be {KEYS['STEPS'].kind.form}, and not empty"
            )
        steps = {name: self._step(name, node) for name, node in self.entry.node.items()}
        for step in steps.values():
            for name in step.after:
                if name not in steps:
                    raise self._error(
                        f"AFTER: {name} is no step; {suggestion(name, steps)}", step.name, "AFTER"
                    )
        if not any(step.per.is_run for step in steps.values()):
            raise self._error("no step is PER: run, so that runs would have nothing to do")
        ordered = self._ordered(steps)
        farms = {step.name: self._farms(step.name).names for step in ordered}
        return tuple(
            self._everywhere(step, farms[leader] or self.farms.usual)
            for step, leader in zip(ordered, leaders(ordered).values(), strict=True)
        )

    def _everywhere(self, step: Step, places: Sequence[str]) -> Step:
        """Return a step as it is at each of the farms that its job may go to."""
        at = {place: self._at(step, place) for place in places}
        first = next(iter(at.values()))
        return first._replace(choices=at) if len(at) > 1 else first

    def _at(self, step: Step, place: str) -> Step:
        alternatives = self._resources(step, place)
        return step._replace(
            resources=alternatives[0] if alternatives else None,
            alternatives=alternatives,
            farm=place if step.farm else "",
            requeue=self._requeue(step, place),
            shell=self._shell(step, place),
        )

    def _error(self, problem: str, *path: str | int) -> SettingsError:
        name = ".".join(["STEPS", *map(str, path[:1])])
        return SettingsError(f"{self.entry.at(*path)}: {name}: {problem}")

    def _step(self, name: str, node: Node) -> Step:
        if not _NAME.fullmatch(name) or name in _TAKEN or len(name) > _LONGEST:
            problem = "a step's name is letters, digits and _, after a letter, at most 60"
            raise self._error(f"{problem}, and none of {', '.join(_TAKEN)}", name)
        if not isinstance(node, dict):
            raise self._error("a step is a mapping, as {CMD: python eval.py, AFTER: train}", name)
        for key in node:
            if key not in STEP_KEYS:
                raise self._error(f"unknown key {key}; {suggestion(key, STEP_KEYS)}", name, key)
        cmd = str(self._value(name, "CMD") if self._says(name, "CMD") else "")
        if not cmd.strip():
            raise self._error("CMD is missing", name)
        asked = self._farms(name)
        return Step(
            name,
            cmd,
            self._after(name, node.get("AFTER")),
            self._per(name, node.get("PER")),
            () if self._says(name, "RESOURCES") else None,
            asked.names[0] if asked.names else "",
            Requeue(max=0) if self._says(name, "REQUEUE") else None,
            code=self._code(name),
            origin=self.entry.at(name),
            soonest=asked.soonest,
        )

    def _says(self, name: str, key: str) -> bool:
        step = self.entry.node[name] if isinstance(self.entry.node, dict) else None
        node = step.get(key) if isinstance(step, dict) else None
        return node is not None and not (isinstance(node, Scalar) and node.value is None)

    def _entry(self, name: str, key: str) -> Entry:
        assert isinstance(self.entry.node, dict)
        step = self.entry.node[name]
        assert isinstance(step, dict)
        at = functools.partial(self.entry.at, name, key)
        return Entry(step[key], at(), self.entry.base, at)

    def _value(self, name: str, key: str, place: str = "") -> Any:
        """Return what a step says of a setting, the farm's value where it says nothing."""
        if not self._says(name, key):
            return self.settings_of(place).values[key]
        kind = KEYS[key].kind
        return kind.decode(f"STEPS.{name}.{key}", self._entry(name, key), self.environment)

    def _resources(self, step: Step, place: str) -> tuple[Any, ...]:
        """Return RESOURCES of a step, over what files but the experiment's say for its farm.

        There are several alternatives, or none where it goes into the job of another step.
        """
        settings, kind = self.settings_of(place), KEYS["RESOURCES"].kind
        if step.resources is None:
            return tuple(settings.values["RESOURCES"]) if step.farm else ()
        entry = self._entry(step.name, "RESOURCES")
        if settings.resources is not None:
            assert kind.over is not None
            kind.decode(f"STEPS.{step.name}.RESOURCES", entry, self.environment)
            entry = entry._replace(node=kind.over(entry, settings.resources))
        return tuple(kind.decode(f"STEPS.{step.name}.RESOURCES", entry, self.environment))

    def _names(self, name: str, key: str, node: Node) -> list[str]:
        """Return the names that a word or a list of words holds."""
        items = node if isinstance(node, list) else [node]
        texts = [item.text.strip() for item in items if isinstance(item, Scalar)]
        if len(texts) < len(items) or not all(texts):
            raise self._error(f"{key} must be a name, or a list of names", name, key)
        if doubled := [text for index, text in enumerate(texts) if text in texts[:index]]:
            raise self._error(f"{key} names {doubled[0]} twice", name, key)
        return texts

    def _after(self, name: str, node: Node | None) -> dict[str, When]:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return {}
        if not isinstance(node, dict):
            return dict.fromkeys(self._names(name, "AFTER", node), "done")
        after: dict[str, When] = {}
        for other, when in node.items():
            text = when.text.strip() if isinstance(when, Scalar) else ""
            if text not in _WHENS:
                raise self._error(f"AFTER: {other} must be done or ended", name, "AFTER", other)
            after[other] = "done" if text == "done" else "ended"
        return after

    def _per(self, name: str, node: Node | None) -> Per:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return RUN
        if isinstance(node, dict):
            if list(node) != ["without"]:
                raise self._error(
                    "PER must be run, sweep, hyperparameters, or {without: hyperparameters}",
                    name,
                    "PER",
                )
            return Per(tuple(self._names(name, "PER", node["without"])), without=True)
        names = self._names(name, "PER", node)
        if isinstance(node, Scalar) and names[0] in ("run", "sweep"):
            return RUN if names[0] == "run" else SWEEP
        return Per(tuple(names))

    def _farms(self, name: str) -> AskedFarm:
        """Return the farms that a step says, none where they are those of all."""
        if self.farms.here or not self._says(name, "FARM"):
            return AskedFarm(())
        kind = KEYS["FARM"].kind
        asked = kind.decode(f"STEPS.{name}.FARM", self._entry(name, "FARM"), self.environment)
        found = self.farms.named(asked)
        if self.farms.together and found.names != (LOCAL,):
            return AskedFarm(())
        if not found.names:
            problem = "no section of a farm has a CAPACITY; write it, or name a farm"
            raise self._error(f"FARM: {asked[0]}: {problem}", name, "FARM")
        for farm in found.names:
            if farm != LOCAL and (problem := self.farms.unknown(farm)):
                raise self._error(f"FARM: {problem}", name, "FARM")
        return found

    def _requeue(self, step: Step, place: str) -> Requeue | None:
        if step.requeue is None:
            return None
        if not self.farms.here and place in ("", LOCAL):
            problem = "no scheduler takes runs back here; --retries starts them again"
            raise self._error(f"REQUEUE: {problem}", step.name, "REQUEUE")
        return self._value(step.name, "REQUEUE") or Requeue(max=0)

    def _shell(self, step: Step, place: str) -> Shell | None:
        """Return what stands around the command, None where that is as for all."""
        says = any(self._says(step.name, key) for key in _AROUND)
        if not says and not step.farm and (place,) == self.farms.usual:
            return None
        values = self.settings_of(place).values
        own = {key: self._value(step.name, key, place) for key in _AROUND}
        return shell_of({**values, **own, "ENV": {**values["ENV"], **own["ENV"]}})

    def _code(self, name: str) -> tuple[str, ...] | None:
        if not self._says(name, "CODE"):
            return None
        entry = self._entry(name, "CODE")
        names: tuple[str, ...] = WORDS.decode(f"STEPS.{name}.CODE", entry, self.environment)
        return names

    def _ordered(self, steps: Mapping[str, Step]) -> list[Step]:
        """Return steps so that each follows those that it is after. Raise for a circle."""
        ordered: dict[str, Step] = {}
        left = dict(steps)
        while left:
            ready = next(
                (each for each in left.values() if ordered.keys() >= set(each.after)), None
            )
            if ready is None:
                raise self._circle(left)
            ordered[ready.name] = left.pop(ready.name)
        return list(ordered.values())

    def _circle(self, left: Mapping[str, Step]) -> SettingsError:
        """Return the error of steps of which each waits, directly or not, for itself."""
        path = [next(iter(left))]
        while True:
            following = next(name for name in left[path[-1]].after if name in left)
            if following in path:
                circle = [*path[path.index(following) :], following]
                names = " is after ".join(circle)
                return self._error(f"{names}; take one AFTER out", circle[0], "AFTER")
            path.append(following)
