"""The named numbers of two rulebooks: which changed, and what a requirement is with the new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from okrgate.gates.conditions import Value
from okrgate.gates.model import Requirement, Rulebook
from okrgate.gates.reading_gates import spoken


@dataclass(frozen=True)
class Number:
    """One number that is new, gone or another: in a sentence."""

    name: str
    before: Value | None
    after: Value | None

    @property
    def sentence(self) -> str:
        """Return what changes: "Big budget: 50,000.00 → 30,000.00"."""
        label = self.name.replace("_", " ").capitalize()
        if self.before is None:
            return f"{label}: new, {_said(self.after)}"
        if self.after is None:
            return f"{label}: gone, it was {_said(self.before)}"
        return f"{label}: {_said(self.before)} → {_said(self.after)}"


# How many people or items are asked for: a small number that is likely to be like another one by chance, and too
# heavy to be told as anything but itself.
_HOW_MANY = frozenset({"quorum", "at_most", "at_least", "gte", "lte"})


class Numbers:
    """The numbers that changed between two rulebooks."""

    def __init__(self, before: Rulebook, after: Rulebook) -> None:
        """Compare them by name; 50000 and 50000.00 are one number."""
        old, new = before.params, after.params
        self.changed = tuple(
            Number(name, old.get(name), new.get(name))
            for name in dict.fromkeys([*new, *old])
            if old.get(name) != new.get(name)
        )
        self._moves = tuple(
            one for one in self.changed if one.before is not None and one.after is not None
        )

    def moved(self, requirement: Requirement) -> Requirement:
        """Return a requirement with every changed number in place of the old one."""
        return _moved(requirement, {one.before: one.after for one in self._moves})

    def put_into(self, part: Any) -> Any:
        """Return any part of a rulebook with every changed number in place of the old one."""
        return _in(part, {one.before: one.after for one in self._moves})

    def put_into_words(self, text: str) -> str:
        """Return a sentence with every changed number in place of the old one."""
        return _worded(text, {one.before: one.after for one in self._moves})

    def moves(self, number: Number, requirement: Requirement) -> bool:
        """Tell whether a requirement turns on one of these numbers."""
        if number not in self._moves:
            return False
        return _moved(requirement, {number.before: number.after}) != requirement


def _moved(requirement: Requirement, values: Mapping[Any, Any]) -> Requirement:
    return replace(
        requirement,
        message=_worded(requirement.message, values),
        condition=_in(requirement.condition, values),
        when=_in(requirement.when, values),
    )


def _worded(text: str, values: Mapping[Any, Any]) -> str:
    for old, new in values.items():
        text = text.replace(_said(old), _said(new))
    return text


def _in(part: Any, values: Mapping[Any, Any]) -> Any:
    if is_dataclass(part) and not isinstance(part, type):
        told = {
            one.name: value if one.name in _HOW_MANY else _in(value, values)
            for one in fields(part)
            for value in [getattr(part, one.name)]
        }
        return type(part)(**told)
    if isinstance(part, tuple):
        return tuple(_in(one, values) for one in part)
    if isinstance(part, bool) or part is None:
        return part
    return values.get(part, part)


def _said(value: Value | None) -> str:
    return "" if value is None else spoken(value)
