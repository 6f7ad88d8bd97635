"""The words that the editor of the file completes: facts and lists with what they are called, and the language's own."""

from functools import cache

from okrgate.gates import vocabulary

_LANGUAGE = (
    "severity: hard", "severity: soft", "severity: advisory", "mode: active", "mode: evaluate", "mode: off",
    "all", "any", "not", "each", "count", "signoff", "fact", "eq", "ne", "lt", "lte", "gt", "gte", "in", "not_in",
    "is_set", "must", "where", "at_least", "quorum", "at_most", "decision", "exclude", "today_plus_days",
    "requirements", "message", "waiver", "reason_min", "expires_days", "material", "transition", "fixture", "expect",
    "allowed", "missing", "waived", "items", "unset", "signoffs", "waivers",
)  # fmt: skip


@cache
def completed() -> list[tuple[str, str]]:
    """Return every word with what it stands for, those of the language last."""
    facts = [(one.name, one.label) for one in vocabulary.APPLICATION_FACTS.values()]
    lists = [(one.name, one.label) for one in vocabulary.APPLICATION_COLLECTIONS.values()]
    fields = {
        field.name: f"{field.label} (in a list)"
        for one in vocabulary.APPLICATION_COLLECTIONS.values()
        for field in one.fields.values()
    }
    known = dict([*((word, "") for word in _LANGUAGE), *fields.items(), *lists, *facts])
    first = [*facts, *lists, *fields.items(), *((word, "") for word in _LANGUAGE)]
    return [(word, known[word]) for word in dict.fromkeys(word for word, _ in first)]
