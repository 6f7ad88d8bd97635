"""Read the demo's story: who there is, what was planned, and how far each project came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ruamel.yaml import YAML

from okrgate.config import resources


@dataclass(frozen=True)
class Somebody:
    """A person of the company."""

    name: str
    unit: str
    roles: Mapping[str, str] = field(default_factory=dict)
    admin: bool = False
    auditor: bool = False

    @property
    def email(self) -> str:
        """Return their address at the company."""
        return f"{self.name.split()[0].lower()}@northwind.example"


@dataclass(frozen=True)
class Planned:
    """A project: its own words, and the steps that were taken, each with how many days ago."""

    words: Mapping[str, Any]
    steps: Sequence[tuple[timedelta, Mapping[str, Any]]]

    def __getitem__(self, word: str) -> Any:
        """Return one of its words."""
        return self.words[word]


@dataclass(frozen=True)
class Story:
    """Everything that is told. `raw` holds what only one reader needs."""

    process: str
    began: timedelta
    people: Sequence[Somebody]
    projects: Sequence[Planned]
    raw: Mapping[str, Any]


class Day(date):
    """A date that can be written with an offset: `{today:+14}` is two weeks later."""

    def __format__(self, spec: str) -> str:
        """Return the ISO date, so many days later."""
        return (date.fromordinal(self.toordinal()) + timedelta(days=int(spec or 0))).isoformat()


def read_story() -> Story:
    """Read the story that stands beside the shipped rulebook."""
    path = resources() / "rules" / "demo" / "delivery.yaml"
    raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return Story(
        process=raw["process"],
        began=timedelta(days=raw["began"]),
        people=[Somebody(**one) for one in raw["people"]],
        projects=[_planned(raw, one) for one in raw["projects"]],
        raw=raw,
    )


def _planned(raw: Mapping[str, Any], own: Mapping[str, Any]) -> Planned:
    """Spread a project's steps evenly over its time; `wait` makes a step's distance so many times longer."""
    words = {**raw["usual"], **own}
    steps: list[Mapping[str, Any]] = []
    for part in raw["way"]:
        steps += [step for step in part["steps"] if _is_taken(step, words, raw)]
        if part["until"] == own["until"]:
            break
    steps += own.get("then", ())
    whole = sum(step.get("wait", 1) for step in steps)
    passed, found = 0, []
    for step in steps:
        passed += step.get("wait", 1)
        ago = own["began"] - (own["began"] - own["last"]) * passed / whole
        found.append((timedelta(days=ago), step))
    return Planned(words, found)


def _is_taken(step: Mapping[str, Any], words: Mapping[str, Any], raw: Mapping[str, Any]) -> bool:
    """Tell whether a project goes through a step: some are for large ones, some only where all is told."""
    left_out = words.get("without", ())
    if step.get("fill") in left_out or any(verb in left_out for verb in step):
        return False
    if words.get("brief") and step.get("detail"):
        return False
    return step.get("when") != "large" or int(words["budget"]) > raw["large"]
