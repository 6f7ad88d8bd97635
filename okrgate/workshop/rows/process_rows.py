"""The rows of a process as a draft says them. Read with patience: a draft may say anything, and the check says what is wrong."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from okrgate.gates.reading_gates import spoken
from okrgate.gates.vocabulary import APPLICATION_FACTS, SECTIONS

GROUPS: Mapping[str, str] = {
    "stage": "stages",
    "move": "transitions",
    "role": "roles",
    "question": "questions",
    "gate": "gates",
}
FORWARD = "forward"
PREVIOUS = "previous"
_NUMBER = re.compile(r"\{([a-z][a-z0-9_]{0,59})\}", re.ASCII)


@dataclass(frozen=True)
class Process:
    """What a draft says, by kind and id; whatever has not the shape it should have reads as empty."""

    whole: Mapping[str, Any]

    def named(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the entries of one kind, in the order of the file."""
        return {name: group(one) for name, one in group(self.whole.get(GROUPS[kind])).items()}

    def one(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return one entry, or nothing."""
        return self.named(kind).get(name)

    def label(self, kind: str, name: str) -> str:
        """Return what people call an entry; its id where it has no label, or does not exist."""
        return text(self.named(kind).get(name, {}).get("label")) or name

    def labels(self, kind: str, names: list[str]) -> str:
        """Return the labels of some entries, joined."""
        return joined([self.label(kind, name) for name in names])

    def choices(self, kind: str) -> list[tuple[str, str]]:
        """Return (id, label) of every entry of a kind."""
        return [(name, text(one.get("label")) or name) for name, one in self.named(kind).items()]

    def target(self, move: Mapping[str, Any]) -> str:
        """Return where a move leads, as people call it."""
        to = text(move.get("to"))
        return "where it was before" if to == PREVIOUS else self.label("stage", to)

    @cached_property
    def forward(self) -> dict[str, Mapping[str, Any]]:
        """Return the moves that lead on to another stage."""
        return {
            name: move
            for name, move in self.named("move").items()
            if kind_of(move) == FORWARD and text(move.get("to")) in self.named("stage")
        }

    def onward(self, stage: str) -> str | None:
        """Return the move by which one normally goes on from a stage: one through a gate first, an end last."""
        ahead = [name for name, move in self.forward.items() if stage in words(move.get("from"))]
        stages = self.named("stage")
        return min(
            ahead,
            key=lambda name: (
                not text(self.forward[name].get("gate")),
                stages[text(self.forward[name].get("to"))].get("terminal") is True,
            ),
            default=None,
        )

    def filled(self, message: str) -> str:
        """Return a message with the named numbers in it as they are now."""
        params = group(self.whole.get("params"))

        def value(found: "re.Match[str]") -> str:
            there = params.get(found[1])
            return found[0] if there is None or isinstance(there, list | dict) else spoken(there)

        return _NUMBER.sub(value, message)

    def requirements(self) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
        """Yield (gate, place, requirement) of every requirement."""
        for gate, said in self.named("gate").items():
            for place, one in enumerate(listed(said.get("requirements"))):
                yield gate, place, group(one)


def group(value: Any) -> Mapping[str, Any]:
    """Return a group of keys; nothing in it for anything else."""
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """Return a list; nothing in it for anything else."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a text; nothing for anything else."""
    return value if isinstance(value, str) else ""


def words(value: Any) -> list[str]:
    """Return the words of a list, or one word alone."""
    if isinstance(value, str):
        return [value]
    return list(dict.fromkeys(one for one in listed(value) if isinstance(one, str)))


def whole_number(value: Any) -> int | None:
    """Return a whole number; nothing for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def kind_of(move: Mapping[str, Any]) -> str:
    """Return the kind of a move; leading on is what it does unless it says otherwise."""
    return text(move.get("kind")) or FORWARD


def asks_of(move: Mapping[str, Any]) -> list[str]:
    """Return what whoever takes a move is asked."""
    asks = words(move.get("asks"))
    return ["reason", *asks] if move.get("reason") == "required" and "reason" not in asks else asks


def editors(stage: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the sections that are open in a stage, each with the roles that fill it in."""
    return {
        name: words(group(one).get("edit")) for name, one in group(stage.get("sections")).items()
    }


def section_label(name: str) -> str:
    """Return what people call a section of the form."""
    return SECTIONS.get(name, name)


def fact_label(name: str) -> str:
    """Return what people call a fact."""
    return APPLICATION_FACTS[name].label if name in APPLICATION_FACTS else name


def joined(parts: list[str], word: str = "and") -> str:
    """Return “a, b and c”."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
