"""What is different between two times of asking, field by field and in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from okrgate.gates.model import Rulebook
from okrgate.web.filters import show_money

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


def _by_label(lines: Iterable[Sequence[Any]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for label, text, *_more in lines:
        found.setdefault(label, []).append(text)
    return {label: "\n".join(texts) for label, texts in found.items()}


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        if _is_money(value):
            return "; ".join([show_money(*value[:2]), *filter(None, map(_words, value[2:]))])
        return "; ".join(text for one in value if (text := _words(one)))
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_words(one)}"
            for key, one in value.items()
            if one not in (None, "")
        )
    return str(value)[:600]


def _is_money(value: list[Any]) -> bool:
    """Tell whether a list begins with an amount in minor units and its currency, as signed money is stored."""
    match value:
        case [int(), str(currency), *_]:
            return len(currency) == 3 and currency.isupper()
    return False
