"""What is different between two times of asking, field by field and in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from okrgate.gates.model import Rulebook
from okrgate.web.filters import show_money

# Lists of the application whose numbers are people.
_OF_PEOPLE = frozenset({"raci"})
# Section → its answers as (label, text, …) in order.
Parts = Mapping[str, Sequence[Sequence[Any]]]


def label_of(rulebook: Rulebook, name: str) -> str:
    """Return the label of a fact or collection."""
    if name in rulebook.facts:
        return rulebook.facts[name].label or name
    return rulebook.collections[name].label or name if name in rulebook.collections else name


def changed_names(
    rulebook: Rulebook, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the labels of material that differs between two contents."""
    return tuple(
        dict.fromkeys(
            label_of(rulebook, name)
            for name in sorted(set(before) | set(after))
            if before.get(name) != after.get(name)
        )
    )


def changed_answers(before: Parts, after: Parts) -> list[dict[str, str]]:
    """Return label, before and after of every answer that differs, section by section."""
    found = []
    for section in dict.fromkeys([*after, *before]):
        was, now = _by_label(before.get(section, ())), _by_label(after.get(section, ()))
        found += [
            {"label": label, "before": was.get(label, ""), "after": now.get(label, "")}
            for label in dict.fromkeys([*now, *was])
            if was.get(label, "") != now.get(label, "")
        ]
    return found


def changed_content(
    rulebook: Rulebook, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Return the same of what was signed as it is stored: for rounds that were never put into words."""
    return [
        {
            "label": label_of(rulebook, name),
            "before": _words(before.get(name)),
            "after": _words(after.get(name)),
        }
        for name in sorted(set(before) | set(after))
        if before.get(name) != after.get(name)
    ]


def content_in_words(
    rulebook: Rulebook,
    content: Mapping[str, Any],
    facts: Mapping[str, Any],
    names: Mapping[int, str],
) -> list[tuple[str, str]]:
    """Return label and text of all that was signed. `facts`: as the receipt holds them, for what is kept as a number."""
    return sorted(
        (_label_of_text(rulebook, name), _told(rulebook, name, value, facts, names))
        for name, value in content.items()
    )


def _label_of_text(rulebook: Rulebook, name: str) -> str:
    """Return the label; of a text that rules only measure, without the measure."""
    label = label_of(rulebook, name)
    rest = label.removeprefix("Length of the ")
    return rest if rest == label else rest[:1].upper() + rest[1:]


def _told(
    rulebook: Rulebook, name: str, value: Any, facts: Mapping[str, Any], names: Mapping[int, str]
) -> str:
    if _holds_people(rulebook, name):
        return ", ".join(_words(_named(one, names), longest=None) for one in _listed(value))
    if value and all(type(one) is int for one in _listed(value)):
        known = facts.get("facts", {}).get(name)
        rows = facts.get(name.partition(".")[0], ())
        called = [str(row["name"]) for row in rows if isinstance(row, dict) and row.get("name")]
        if isinstance(known, str):
            return known
        if len(called) == len(_listed(value)) and isinstance(value, list):
            return "; ".join(called)
    return _words(_plainly(value), longest=None)


def people_in(rulebook: Rulebook, content: Mapping[str, Any]) -> set[int]:
    """Return the people whom signed content names."""
    return {
        int(one)
        for name, value in content.items()
        if _holds_people(rulebook, name)
        for part in _listed(value)
        for one in _listed(part)
        if _is_number(one)
    }


def _holds_people(rulebook: Rulebook, name: str) -> bool:
    fact = rulebook.facts.get(name)
    return name in _OF_PEOPLE or (fact is not None and fact.type == "user")


def _named(value: Any, names: Mapping[int, str]) -> Any:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names.get(int(value), f"Person {value}") if _is_number(value) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_number(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and value.isascii() and value.isdecimal())


def _plainly(value: Any) -> Any:
    """Say yes and no, and leave out what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return [_plainly(one) for one in value]
    return value


def _by_label(lines: Iterable[Sequence[Any]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for label, text, *_more in lines:
        found.setdefault(label, []).append(text)
    return {label: "\n".join(texts) for label, texts in found.items()}


def _words(value: Any, longest: int | None = 600) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        told = [show_money(*value[:2])] if _is_money(value) else []
        told += [_words(one, longest) for one in value[len(told) * 2 :]]
        return "; ".join(filter(None, told))
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_words(one, longest)}"
            for key, one in value.items()
            if one not in (None, "")
        )
    return str(value)[:longest]


def _is_money(value: list[Any]) -> bool:
    """Tell whether a list begins with an amount in minor units and its currency, as signed money is stored."""
    match value:
        case [int(), str(currency), *_]:
            return len(currency) == 3 and currency.isupper()
    return False
