"""A rules file's YAML as a tree of plain values that know their line and column.

The tree is built from parser events, so a file that is too large, too deep or uses what the language does not
allow (anchors, aliases, tags, merge keys) is refused before anything is built from it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from okrgate.gates.problems import Problem, RulebookError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 16_000
MAX_PROBLEMS = 200
MAX_DIGITS = 30

_INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)\Z", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_NUMBERLIKE = re.compile(
    r"[-+]?(\.inf|\.nan|[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)\Z", re.I
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}

_BLOCK = frozenset("|>")

Scalar = bool | int | Decimal | date | str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the file; `value` is a scalar, a list of nodes, or a mapping of text to `Entry`.

    `text[start:end]` is how it is written; `inline`: in brackets, or a plain or quoted word.
    """

    line: int
    column: int
    value: "Scalar | list[Node] | dict[str, Entry]"
    start: int = 0
    end: int = 0
    inline: bool = True

    @property
    def kind(self) -> str:
        """Return what a person would call this."""
        value = self.value
        if isinstance(value, dict):
            return "a group of keys"
        if isinstance(value, list):
            return "a list"
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "true or false"
        if isinstance(value, int | Decimal):
            return "a number"
        return "a date" if isinstance(value, date) else "a text"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping (where it stands) and its value."""

    key: Node
    value: Node


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    node: Node
    key: Node | None = None


@dataclass
class _Builder:
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    root: Node | None = None
    nodes: int = 0
    documents: int = 0

    def refuse(self, mark: Any, sentence: str) -> None:
        self.problems.append(Problem(mark.line + 1, mark.column + 1, "error", sentence))

    def stop(self, mark: Any, sentence: str) -> None:
        self.refuse(mark, sentence)
        raise RulebookError(self.problems)

    def take(self, event: Any) -> None:
        mark = event.start_mark
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.stop(mark, "one file holds one rulebook: take away what follows the line ---")
        elif isinstance(event, AliasEvent):
            self.refuse(mark, f"aliases are not allowed: write out what *{event.anchor} stands for")
            self._add(Node(mark.line + 1, mark.column + 1, None))
        elif isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
            self._check(event)
            self._begin(event)
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            self._end(event.end_mark.index)
        elif isinstance(event, DocumentEndEvent):
            pass

    def _check(self, event: Any) -> None:
        mark = event.start_mark
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.stop(
                mark,
                f"the file has more than {MAX_NODES} values: split the process or shorten its tests",
            )
        if len(self.stack) >= MAX_DEPTH and not isinstance(event, ScalarEvent):
            self.stop(mark, f"nested more than {MAX_DEPTH} levels deep")
        if event.anchor is not None:
            self.refuse(mark, f"anchors are not allowed: take away &{event.anchor}")
        if event.tag is not None:
            self.refuse(mark, f"tags are not allowed: take away {event.ctag}")
        if len(self.problems) >= MAX_PROBLEMS:
            raise RulebookError(self.problems)

    def _begin(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, ScalarEvent):
            self._add(
                Node(line, column, self._scalar(event), start, end, event.style not in _BLOCK)
            )
            return
        empty: list[Node] | dict[str, Entry] = [] if isinstance(event, SequenceStartEvent) else {}
        node = Node(line, column, empty, start, end, bool(event.flow_style))
        if (
            self.stack
            and isinstance(self.stack[-1].node.value, dict)
            and self.stack[-1].key is None
        ):
            self.stop(event.start_mark, "a key is a word, not a list or a group")
        self.stack.append(_Open(node))

    def _end(self, end: int) -> None:
        self._add(replace(self.stack.pop().node, end=end))

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        if event.style is not None or not event.implicit[0]:
            return text
        if (
            self.stack
            and isinstance(self.stack[-1].node.value, dict)
            and self.stack[-1].key is None
        ):
            return text
        try:
            return plain(text)
        except ValueError as problem:
            self.refuse(event.start_mark, str(problem))
            return None

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict):
            if top.key is None:
                self._add_key(top, node)
            else:
                top.node.value.setdefault(str(top.key.value), Entry(top.key, node))
                top.key = None

    def _add_key(self, top: _Open, node: Node) -> None:
        top.key = node
        if not isinstance(node.value, str):
            self.problems.append(Problem(node.line, node.column, "error", "a key is a word"))
        elif node.value == "<<":
            self.problems.append(
                Problem(node.line, node.column, "error", "merge keys (<<) are not allowed")
            )
        elif isinstance(top.node.value, dict) and node.value in top.node.value:
            first = top.node.value[node.value].key.line
            sentence = f"{node.value} is written twice (first on line {first})"
            self.problems.append(Problem(node.line, node.column, "error", sentence))


def plain(text: str) -> Scalar:
    """Return what an unquoted word means. Raises ValueError for numbers that are not plain decimals."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text) or _DECIMAL.match(text):
        if len(text) > MAX_DIGITS:
            raise ValueError("this number is too long")
        return int(text) if _INTEGER.match(text) else Decimal(text)
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text} is not a day of the calendar") from None
    if _NUMBERLIKE.match(text):
        raise ValueError(f"write {text} as a plain decimal number, or in quotes if it is a text")
    return text


def read_tree(text: str) -> Node:
    """Return the file's tree. Raises RulebookError with everything that its YAML gets wrong."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise RulebookError(
            [Problem(1, 1, "error", f"the file is larger than {MAX_BYTES // 1024} KB")]
        )
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except RulebookError:
        raise
    except MarkedYAMLError as problem:
        raise RulebookError([*builder.problems, _marked(problem)]) from None
    except (
        YAMLError,
        ValueError,
        IndexError,
        AttributeError,
        AssertionError,
        TypeError,
    ) as problem:
        raise RulebookError([*builder.problems, _unmarked(problem, text)]) from None
    if builder.root is None:
        builder.problems.append(Problem(1, 1, "error", "the file is empty"))
    if builder.problems or builder.root is None:
        raise RulebookError(builder.problems)
    return builder.root


def _events(text: str) -> Iterator[Any]:
    yield from YAML(typ="rt", pure=True).parse(text)


def _marked(problem: MarkedYAMLError) -> Problem:
    mark = problem.problem_mark or problem.context_mark
    words = str(problem.problem or problem.context or "this is not YAML")
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Problem(line, column, "error", f"this is not YAML: {words}")


def _unmarked(problem: Exception, text: str) -> Problem:
    position = getattr(problem, "position", None)
    if isinstance(position, int):
        before = text[:position]
        line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
        return Problem(line, column, "error", "this character is not allowed in YAML")
    return Problem(1, 1, "error", "this is not YAML")


def entries(node: Node) -> Mapping[str, Entry]:
    """Return a mapping's entries; none if it is not a mapping."""
    return node.value if isinstance(node.value, dict) else {}
