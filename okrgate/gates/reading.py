"""Read a tree piece by piece, and note everything that is wrong instead of stopping at the first thing."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from okrgate.gates.problems import Problem, did_you_mean
from okrgate.gates.tree import Node, entries

_ID = re.compile(r"[a-z][a-z0-9_-]{0,59}\Z", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}(\.[a-z][a-z0-9_]{0,59})?\Z", re.ASCII)
MAX_TEXT = 2000
MAX_DAYS = 3660


class Reader:
    """Collects problems while the parts of a file are read; what is wrong reads as empty."""

    def __init__(self) -> None:
        """Begin with no problems."""
        self.problems: list[Problem] = []

    def error(self, node: Node, sentence: str) -> None:
        """Note what makes the file unusable."""
        self.problems.append(Problem(node.line, node.column, "error", sentence))

    def warn(self, node: Node, sentence: str) -> None:
        """Note what is allowed but probably not meant."""
        self.problems.append(Problem(node.line, node.column, "warning", sentence))

    def fields(
        self, node: Node, what: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> dict[str, Node]:
        """Return the values of a group of keys; unknown and missing keys are noted."""
        needed = tuple(required)
        known = (*needed, *optional)
        if not isinstance(node.value, dict):
            self.error(
                node, f"{what} has to be a group of keys ({', '.join(known)}), not {node.kind}"
            )
            return {}
        for name, entry in node.value.items():
            if name not in known:
                self.error(
                    entry.key, f"unknown key {name[:60]} in {what}{did_you_mean(name, known)}"
                )
        for name in needed:
            if name not in node.value:
                self.error(node, f"{what} needs {name}")
        return {name: entry.value for name, entry in node.value.items() if name in known}

    def named(
        self, node: Node | None, what: str, *, dotted: bool = False
    ) -> Iterator[tuple[str, Node, Node]]:
        """Yield id, key and value of each named thing in a group."""
        if node is None:
            return
        if not isinstance(node.value, dict):
            self.error(node, f"{what} has to be a group of keys, not {node.kind}")
            return
        for name, entry in entries(node).items():
            if self.is_id(entry.key, name, dotted=dotted):
                yield name, entry.key, entry.value

    def is_id(self, node: Node, name: str, *, dotted: bool = False) -> bool:
        """Tell whether a name is well formed; if not, it is noted."""
        if (_NAME if dotted else _ID).match(name):
            return True
        self.error(
            node,
            f"{name[:60]} is not a good name: small letters, digits, _ and - only, beginning with a letter",
        )
        return False

    def text(self, node: Node | None, what: str, *, default: str = "") -> str:
        """Return a text."""
        if node is None:
            return default
        if not isinstance(node.value, str) or not node.value.strip():
            self.error(
                node, f"{what} has to be a text, not {'empty' if node.value == '' else node.kind}"
            )
            return default
        if len(node.value) > MAX_TEXT:
            self.error(node, f"{what} has at most {MAX_TEXT} characters")
            return default
        return node.value

    def flag(self, node: Node | None, what: str) -> bool:
        """Return true or false; false when not written."""
        if node is None:
            return False
        if not isinstance(node.value, bool):
            self.error(node, f"{what} has to be true or false, not {node.kind}")
            return False
        return node.value

    def whole(
        self, node: Node | None, what: str, *, low: int = 0, high: int = MAX_DAYS
    ) -> int | None:
        """Return a whole number between two bounds."""
        if node is None:
            return None
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            self.error(node, f"{what} has to be a whole number, not {node.kind}")
            return None
        if not low <= node.value <= high:
            self.error(node, f"{what} has to lie between {low} and {high}")
            return None
        return node.value

    def day(self, node: Node | None, what: str) -> date | None:
        """Return a date."""
        if node is None:
            return None
        if not isinstance(node.value, date):
            self.error(node, f"{what} has to be a date like 2027-01-31, not {node.kind}")
            return None
        return node.value

    def choice(
        self, node: Node | None, what: str, choices: Collection[str], *, default: str
    ) -> str:
        """Return one of some words."""
        if node is None:
            return default
        if isinstance(node.value, str) and node.value in choices:
            return node.value
        said = node.value if isinstance(node.value, str) else node.kind
        hint = did_you_mean(node.value, choices) if isinstance(node.value, str) else ""
        self.error(node, f"{what} has to be one of {', '.join(choices)}, not {said[:60]}{hint}")
        return default

    def items(self, node: Node | None, what: str) -> list[Node]:
        """Return the parts of a list."""
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.error(node, f"{what} has to be a list, not {node.kind}")
            return []
        return node.value

    def words(
        self, node: Node | None, what: str, *, single: bool = False
    ) -> list[tuple[str, Node]]:
        """Return the words of a list (or, if `single`, one word alone); each once."""
        if node is None:
            return []
        parts = [node] if single and isinstance(node.value, str) else self.items(node, what)
        found: dict[str, Node] = {}
        for part in parts:
            if not isinstance(part.value, str) or not part.value:
                self.error(part, f"{what} holds words, not {part.kind}")
            elif part.value in found:
                self.error(part, f"{part.value} stands twice in {what}")
            else:
                found[part.value] = part
        return list(found.items())

    def known(
        self,
        node: Node | None,
        what: str,
        kind: str,
        names: Mapping[str, object] | Collection[str],
        *,
        single: bool = False,
    ) -> tuple[str, ...]:
        """Return the words of a list that name something known; the others are noted."""
        found = []
        for word, place in self.words(node, what, single=single):
            if self.is_known(place, word, kind, names):
                found.append(word)
        return tuple(found)

    def is_known(
        self, node: Node, word: str, kind: str, names: Mapping[str, object] | Collection[str]
    ) -> bool:
        """Tell whether a word names something; if not, it is noted with the nearest name."""
        if word in names:
            return True
        self.error(node, f"unknown {kind} {word[:60]}{did_you_mean(word, names)}")
        return False
