"""The changes that can be made to a rules file, as plain values: pages make them from forms."""

from dataclasses import dataclass

from okrgate.gates.places import Path, Step
from okrgate.gates.rendering import Plain


@dataclass(frozen=True)
class Put:
    """Set what stands at a path, or add it as the last of its mapping; mappings that lack on the way are made."""

    path: Path
    value: Plain


@dataclass(frozen=True)
class Add:
    """Add an item to the list at a path, or `key` to the mapping there: behind `after`, else as the last."""

    path: Path
    value: Plain
    key: str | None = None
    after: Step | None = None


@dataclass(frozen=True)
class Remove:
    """Take away what stands at a path, with its own lines of comment above it."""

    path: Path


@dataclass(frozen=True)
class Move:
    """Change places with the next brother (`by` 1) or the one before (-1); nothing at either end."""

    path: Path
    by: int


@dataclass(frozen=True)
class Rename:
    """Give a key of a mapping another name. What refers to it is for the caller to change as well."""

    path: Path
    to: str


@dataclass(frozen=True)
class Carry:
    """Take an item of a list to the end of the list at another path, with its own lines of comment."""

    path: Path
    to: Path


Change = Put | Add | Remove | Move | Rename | Carry
