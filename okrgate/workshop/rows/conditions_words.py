"""A condition of a draft in words, whether or not the rest of the draft is sound."""

from collections.abc import Mapping
from typing import Any

from okrgate.gates.conditions import Condition
from okrgate.gates.model import Collection
from okrgate.gates.reading import Reader
from okrgate.gates.reading_conditions import ConditionReader, Names
from okrgate.gates.reading_names import (
    read_params,
    read_questions,
    read_roles,
    vocabulary_of,
)
from okrgate.gates.rendering import Plain, inline
from okrgate.gates.tree import Entry, Node
from okrgate.rulebooks import wording


def node_of(plain: Plain) -> Node:
    """Return plain data as the tree that the language reads; nobody asks where it stands."""
    if isinstance(plain, dict):
        pairs = {str(key): Entry(node_of(str(key)), node_of(one)) for key, one in plain.items()}
        return Node(1, 1, pairs)
    if isinstance(plain, list):
        return Node(1, 1, [node_of(one) for one in plain])
    return Node(1, 1, plain)


def names_of(whole: Mapping[str, Any]) -> Names:
    """Return all that the conditions of a draft may name; what is wrong with a name leaves it out."""
    reader = Reader()
    parts = {key: node_of(one) for key, one in whole.items()}
    stages = whole.get("stages")
    questions = read_questions(
        reader, parts.get("questions"), stages if isinstance(stages, dict) else {}
    )
    facts, collections = vocabulary_of(reader, whole.get("vocabulary") == "own", parts, questions)
    return Names(
        facts=facts,
        collections=collections,
        roles=read_roles(reader, parts.get("roles")),
        params=read_params(reader, parts.get("params")),
        answered_in={f"answers.{one.id}": one.section for one in questions.values()},
    )


def understood(plain: Plain, names: Names, item: Collection | None = None) -> Condition | None:
    """Return the condition that plain data says, or None if the language does not take it."""
    reader = Reader()
    found = ConditionReader(reader, names).read(node_of(plain), item)
    is_sound = all(one.severity != "error" for one in reader.problems)
    return found if is_sound else None


def in_words(plain: Plain, names: Names) -> str:
    """Return a condition in words; as it is written, where the language does not take it."""
    if plain is None:
        return ""
    found = understood(plain, names)
    if found is None:
        return as_written(plain)
    words = wording.said(names, found)
    return f"{words[:1].upper()}{words[1:]}"


def as_written(plain: Plain) -> str:
    """Return plain data on one line, as the file would have it."""
    return inline(plain)[:600]
