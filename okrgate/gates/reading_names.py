"""Read what a file declares: its ruleset, parameters, roles, facts, lists and questions."""

import re
from collections.abc import Mapping
from typing import Any

from okrgate.gates.conditions import ORDERED, Value
from okrgate.gates.model import Collection, Fact, Question, Role
from okrgate.gates.reading import Reader
from okrgate.gates.reading_conditions import Names
from okrgate.gates.tree import Node
from okrgate.gates.values import TYPES, Unfit, fit_type
from okrgate.gates.vocabulary import APPLICATION_COLLECTIONS, APPLICATION_FACTS, SCOPES, SECTIONS

_TYPE_KEYS = ("values", "min", "max", "always", "unit", "label", "help", "many")
_MOST_REASONS, _LONGEST_REASON = 30, 120
_ENUM_VALUE = re.compile(r"[\w -]{1,60}\Z")
QUESTION_TYPES = tuple(one for one in TYPES if one != "user")


def read_ruleset(reader: Reader, node: Node | None) -> dict[str, Any]:
    """Return the head of a rulebook. A version written in the file is ignored: the store numbers versions."""
    keys = ("version", "effective_from", "in_flight", "change_note", "owner", "review_by")
    parts = (
        {}
        if node is None
        else reader.fields(node, "ruleset", required=("id", "title"), optional=keys)
    )
    name = reader.text(parts.get("id"), "id")
    if name:
        reader.is_id(parts["id"], name)
    return {
        "id": name,
        "title": reader.text(parts.get("title"), "title"),
        "owner": reader.text(parts.get("owner"), "owner") or None,
        "review_by": reader.day(parts.get("review_by"), "review_by"),
        "change_note": reader.text(parts.get("change_note"), "change_note") or None,
        "effective_from": reader.day(parts.get("effective_from"), "effective_from"),
        "in_flight": reader.choice(
            parts.get("in_flight"), "in_flight", ("keep", "migrate"), default="keep"
        ),
    }


def read_decline_reasons(reader: Reader, node: Node | None) -> dict[str, str]:
    """Return why a project may be declined, in the company's words: id → label."""
    found = {
        name: reader.text(place, f"the reason {name}")[:_LONGEST_REASON]
        for name, _, place in reader.named(node, "decline_reasons")
    }
    if node is not None and isinstance(node.value, dict) and not 1 < len(found) <= _MOST_REASONS:
        reader.error(node, f"decline_reasons holds between 2 and {_MOST_REASONS} reasons")
    return found


def read_params(reader: Reader, node: Node | None) -> dict[str, Value]:
    """Return the named values of the file."""
    found: dict[str, Value] = {}
    for name, _, place in reader.named(node, "params"):
        value = place.value
        if value is None or isinstance(value, list | dict):
            reader.error(place, f"the parameter {name} has to be one value, not {place.kind}")
        else:
            found[name] = value
    return found


def read_facts(reader: Reader, node: Node | None) -> dict[str, Fact]:
    """Return the facts that a file with its own vocabulary declares."""
    found = {}
    for name, key, place in reader.named(node, "facts", dotted=True):
        if name.startswith("answers."):
            reader.error(key, "answers.… are made by questions: choose another name")
        elif (fact := _fact(reader, name, place)) is not None:
            found[name] = fact
    return found


def read_collections(reader: Reader, node: Node | None) -> dict[str, Collection]:
    """Return the lists that a file with its own vocabulary declares."""
    found = {}
    for name, key, place in reader.named(node, "collections"):
        if name in {"facts", "signoffs", "waivers", "today"}:
            reader.error(key, f"{name} has a meaning of its own in fixtures: choose another name")
            continue
        parts = reader.fields(place, name, required=("name_field", "fields"), optional=("label",))
        fields: dict[str, Fact] = {}
        for field, field_key, field_place in reader.named(
            parts.get("fields"), f"the fields of {name}"
        ):
            if not reader.is_id(field_key, field):
                continue
            fact = _fact(reader, field, field_place)
            if fact is not None:
                fields[field] = fact
        name_field = reader.text(parts.get("name_field"), "name_field")
        if (
            name_field
            and fields
            and reader.is_known(parts["name_field"], name_field, "field", fields)
        ):
            label = reader.text(parts.get("label"), "label", default=name)
            found[name] = Collection(name, label, name_field, fields)
    return found


def _fact(reader: Reader, name: str, node: Node) -> Fact | None:
    parts = reader.fields(node, name, required=("type",), optional=_TYPE_KEYS)
    if "type" not in parts:
        return None
    kind = reader.choice(parts["type"], "type", TYPES, default="")
    if not kind:
        return None
    many = reader.flag(parts.get("many"), "many")
    if many and kind != "user":
        reader.error(parts["many"], "only a user fact holds many")
    return Fact(
        name=name,
        type=kind,
        values=_values(reader, node, kind, parts.get("values")),
        min=_bound(reader, kind, "min", parts.get("min")),
        max=_bound(reader, kind, "max", parts.get("max")),
        always=reader.flag(parts.get("always"), "always"),
        unit=reader.text(parts.get("unit"), "unit"),
        label=reader.text(parts.get("label"), "label", default=name),
        help=reader.text(parts.get("help"), "help"),
        many=many and kind == "user",
    )


def _values(reader: Reader, node: Node, kind: str, values: Node | None) -> tuple[str, ...]:
    if kind != "enum":
        if values is not None:
            reader.error(values, f"only an enum has values, not a {kind}")
        return ()
    if values is None:
        reader.error(node, "an enum needs values")
        return ()
    words = reader.words(values, "values")
    if isinstance(values.value, list) and not values.value:
        reader.error(values, "an enum needs at least one value")
    for word, place in words:
        if not _ENUM_VALUE.match(word):
            reader.error(
                place, f"{word[:60]} is not a good value: letters, digits, spaces, _ and - only"
            )
    return tuple(word for word, _ in words)


def _bound(reader: Reader, kind: str, what: str, node: Node | None) -> Value | None:
    if node is None:
        return None
    if kind not in ORDERED:
        reader.error(node, f"a {kind} has no {what}")
        return None
    try:
        return fit_type(kind, node.value)
    except Unfit as problem:
        reader.error(node, f"{what} {problem}")
        return None


def read_questions(
    reader: Reader, node: Node | None, stages: Mapping[str, object]
) -> dict[str, Question]:
    """Return the extra form fields of this company."""
    found = {}
    for name, key, place in reader.named(node, "questions"):
        if "-" in name:
            reader.error(key, f"{name} becomes the fact answers.{name}: use _ instead of -")
            continue
        parts = reader.fields(
            place, name, required=("stage", "section", "type", "label"), optional=("values", "help")
        )
        kind = reader.choice(parts.get("type"), "type", QUESTION_TYPES, default="")
        stage, section = (
            reader.text(parts.get("stage"), "stage"),
            reader.text(parts.get("section"), "section"),
        )
        if stage:
            reader.is_known(parts["stage"], stage, "stage", stages)
        if section:
            reader.is_known(parts["section"], section, "section", SECTIONS)
        label = reader.text(parts.get("label"), "label", default=name)
        values = _values(reader, place, kind, parts.get("values")) if kind else ()
        if kind and stage and section:
            found[name] = Question(
                name, stage, section, kind, label, reader.text(parts.get("help"), "help"), values
            )
    return found


def vocabulary_of(
    reader: Reader, own: bool, parts: Mapping[str, Node], questions: Mapping[str, Question]
) -> tuple[dict[str, Fact], dict[str, Collection]]:
    """Return every fact and list this file may speak about."""
    if own:
        facts, collections = (
            read_facts(reader, parts.get("facts")),
            read_collections(reader, parts.get("collections")),
        )
        if "facts" not in parts:
            reader.error(Node(1, 1, None), "a file with vocabulary: own needs facts")
    else:
        facts, collections = dict(APPLICATION_FACTS), dict(APPLICATION_COLLECTIONS)
        for word in ("facts", "collections"):
            if word in parts:
                reader.error(
                    parts[word],
                    f"{word} are only declared with vocabulary: own; ask questions instead",
                )
    for question in questions.values():
        answer = Fact(
            f"answers.{question.id}",
            question.type,
            question.values,
            label=question.label,
            help=question.help,
        )
        facts[answer.name] = answer
    return facts, collections


def read_roles(reader: Reader, node: Node | None) -> dict[str, Role]:
    """Return the roles; their facts are checked by `check_role_facts` once the facts are known."""
    found = {}
    for name, _, place in reader.named(node, "roles"):
        parts = reader.fields(place, name, required=("label", "kind"), optional=("fact", "scope"))
        kind = reader.choice(parts.get("kind"), "kind", ("project", "org"), default="org")
        if kind == "project" and "fact" not in parts and parts:
            reader.error(
                place, f"{name} is a project role: it needs the fact that names its person"
            )
        if kind == "org" and "fact" in parts:
            reader.error(parts["fact"], f"{name} is held in the directory: it has no fact")
        if kind == "project" and "scope" in parts:
            reader.error(parts["scope"], f"{name} is a project role: it has no scope")
        found[name] = Role(
            id=name,
            label=reader.text(parts.get("label"), "label", default=name),
            kind=kind,
            fact=reader.text(parts.get("fact"), "fact") or None,
            scope=reader.choice(parts.get("scope"), "scope", SCOPES, default="home"),
        )
    return found


def check_role_facts(reader: Reader, node: Node | None, names: Names) -> None:
    """Note project roles whose fact is unknown or does not name a person."""
    for name, _, place in reader.named(node, "roles"):
        role = names.roles.get(name)
        if (
            role is None
            or role.fact is None
            or not isinstance(place.value, dict)
            or "fact" not in place.value
        ):
            continue
        where = place.value["fact"].value
        if (
            reader.is_known(where, role.fact, "fact", names.facts)
            and names.facts[role.fact].type != "user"
        ):
            reader.error(where, f"{role.fact} is a {names.facts[role.fact].type}, not a person")


def read_signing(reader: Reader, node: Node | None, names: Names) -> tuple[tuple[str, ...], bool]:
    """Return the facts whose people never sign, and whether editors are barred as well."""
    if node is None:
        return (), True
    parts = reader.fields(node, "signing", optional=("never", "editors"))
    never = reader.known(parts.get("never"), "never", "fact", names.facts)
    people = tuple(name for name in never if names.facts[name].type == "user")
    for name, place in reader.words(parts.get("never"), "never"):
        if name in never and name not in people:
            reader.error(place, f"{name} is a {names.facts[name].type}, not a person")
    if (node_said := parts.get("editors")) is not None and node_said.value == "allow":
        reader.error(
            node_said, "editors cannot be allowed: whoever changed what is signed never signs it"
        )
    else:
        reader.choice(node_said, "editors", ("bar",), default="bar")
    return people, True
