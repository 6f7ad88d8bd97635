"""A project's facts without the names of people and things, for an example that everybody may read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from okrgate.gates.conditions import Among, Compare, Condition, inner, leaves
from okrgate.gates.model import Fact, Rulebook
from okrgate.gates.verdict import Facts

_WORD = re.compile(r"[^a-z0-9]+")


@dataclass
class Nameless:
    """A project's facts in which people, items and words are called by no name of the company.

    The same name becomes the same word everywhere; a word that some rule asks about stays as it is.
    """

    rulebook: Rulebook
    called: dict[tuple[str, str], str] = field(default_factory=dict)

    def facts(self, facts: Facts) -> Facts:
        """Return the facts so that they are judged the same."""
        values = {
            name: self._value(self.rulebook.facts[name], value)
            for name, value in facts.values.items()
        }
        collections = {
            name: [self._row(name, row) for row in rows] for name, rows in facts.collections.items()
        }
        signoffs = tuple(
            replace(
                one,
                by=self._person(one.by),
                on_behalf_of=self._person(one.on_behalf_of) if one.on_behalf_of else None,
            )
            for one in facts.signoffs
        )
        waivers = tuple(replace(one, by=self._person(one.by)) for one in facts.waivers)
        return Facts(values, collections, signoffs, waivers)

    def _row(self, collection: str, row: Mapping[str, Any]) -> dict[str, Any]:
        known = self.rulebook.collections[collection]
        return {
            name: self._word(known.label, str(value))
            if name == known.name_field
            else self._value(known.fields[name], value)
            for name, value in row.items()
        }

    def _value(self, fact: Fact, value: Any) -> Any:
        if fact.type == "user":
            if isinstance(value, tuple):
                return tuple(self._person(one, fact.label) for one in value)
            return self._person(str(value), fact.label)
        if fact.type == "string":
            return self._word(fact.label, str(value))
        return value

    def _person(self, name: str, what: str = "") -> str:
        slug = _WORD.sub("-", what.lower()).strip("-") or "person"
        return self._called("person", name, f"u-{slug}", "-")

    def _word(self, label: str, word: str) -> str:
        if word in _asked_words(self.rulebook):
            return word
        return self._called("word", word, label, " ")

    def _called(self, kind: str, name: str, word: str, between: str) -> str:
        found = self.called.get((kind, name))
        if found is None:
            taken, count = set(self.called.values()), 1
            found = word if kind == "person" else f"{word}{between}1"
            while found in taken:
                count += 1
                found = f"{word}{between}{count}"
            self.called[kind, name] = found
        return found


def _asked_words(rulebook: Rulebook) -> frozenset[str]:
    """Return every word that some requirement compares with."""
    return frozenset(
        word
        for gate in rulebook.gates.values()
        for one in gate.requirements
        for condition in (one.condition, one.when)
        if condition is not None
        for word in _words_in(condition)
    )


def _words_in(condition: Condition) -> Iterator[str]:
    for leaf in leaves(condition):
        if isinstance(leaf, Compare) and isinstance(leaf.right, str):
            yield leaf.right
        elif isinstance(leaf, Among):
            yield from (one for one in leaf.values if isinstance(one, str))
        for part in inner(leaf):
            yield from _words_in(part)
