"""What the judge is given and what it says: facts in, verdict out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Self

from okrgate.gates.model import Signoff, Waiver, WaiverTerms

__all__ = [
    "EngineDisagreement",
    "Facts",
    "Finding",
    "GateUnjudgeable",
    "Seat",
    "Signoff",
    "Verdict",
    "Waiver",
    "Why",
]


class GateUnjudgeable(Exception):
    """The judge cannot say; the gate stays closed. `sentence` is for people, and can be shown and stored anywhere."""

    def __init__(self, sentence: str) -> None:
        """Keep the sentence. It may quote what does not fit: letters that cannot be shown are spelt out."""
        self.sentence = sentence if sentence.isprintable() else "".join(map(_shown, sentence))
        super().__init__(self.sentence)


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


class EngineDisagreement(GateUnjudgeable):
    """Two ways of judging came to different verdicts: an incident, never an open gate."""


@dataclass(frozen=True)
class Facts:
    """All that is known of one project: facts by name, lists by name, sign-offs of the gate, waivers in force."""

    values: Mapping[str, object]
    collections: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    signoffs: tuple[Signoff, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    _spelt: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    def with_signoffs(self, signoffs: tuple[Signoff, ...]) -> Self:
        """Return the same facts with other sign-offs. What is spelt out for a digest of one is not spelt for the other."""
        found = replace(self, signoffs=signoffs)
        object.__setattr__(found, "_spelt", self._spelt)
        return found

    def digest(self) -> str:
        """Return the sha256 of everything, the same in every process (50, 50.0 and 50.00 are one number).

        The parts stand in the order of their names, as if all of it were spelt at once.
        """
        parts = {**self._shared(), "signoffs": _spell([_plainly(one) for one in self.signoffs])}
        text = ",".join(f'"{name}":{parts[name]}' for name in sorted(parts))
        return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()

    def _shared(self) -> Mapping[str, str]:
        if not self._spelt:
            self._spelt.update(
                values=_spell(dict(self.values)),
                collections=_spell({name: list(rows) for name, rows in self.collections.items()}),
                waivers=_spell([_plainly(one) for one in self.waivers]),
            )
        return self._spelt


def _spell(part: object) -> str:
    return json.dumps(_canonical(part), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _plainly(one: Signoff | Waiver) -> dict[str, object]:
    kind: Any = type(one)
    return {name: getattr(one, name) for name in _names(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _canonical(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_canonical(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_canonical(one) for one in value), key=str)
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | Decimal | float):
        return _canonical_number(value)
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"other": repr(value)}


def _canonical_number(value: int | Decimal | float) -> dict[str, str]:
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return {"number": str(exact)}
    sign, digits, exponent = exact.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    bare = text.rstrip("0")
    shift = (exponent if isinstance(exponent, int) else 0) + len(text) - len(bare)
    return {"number": f"{'-' if sign and bare else ''}{bare or '0'}e{shift if bare else 0}"}


@dataclass(frozen=True, slots=True)
class Why:
    """One thing at fault: what was needed and what there is (None: not filled in), in words."""

    fact: str
    label: str
    needed: str
    has: str | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A sign-off that is asked for: in which roles, from how many people, and how many gave it."""

    roles: tuple[str, ...]
    need: int
    have: int
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one requirement."""

    id: str
    message: str
    help: str
    status: str
    severity: str
    mode: str
    items: tuple[str, ...] = ()
    why: tuple[Why, ...] = ()
    fix: str | None = None
    waiver: WaiverTerms | None = None
    blocks: bool = False
    seats: tuple[Seat, ...] = ()
    binds_from: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON."""
        terms = self.waiver
        return {
            "id": self.id,
            "message": self.message,
            "help": self.help,
            "status": self.status,
            "severity": self.severity,
            "mode": self.mode,
            "items": list(self.items),
            "why": [_fields(one) for one in self.why],
            "fix": self.fix,
            "waiver": None if terms is None else _fields(terms),
            "blocks": self.blocks,
            "seats": [_fields(one) for one in self.seats],
            "binds_from": self.binds_from,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Return the finding that `to_json` described."""
        parts = {**said, "items": tuple(said.get("items", ()))}
        parts["why"] = tuple(Why(**one) for one in said.get("why", ()))
        terms = said.get("waiver")
        parts["waiver"] = WaiverTerms(**{**terms, "by": tuple(terms["by"])}) if terms else None
        parts["seats"] = tuple(
            Seat(tuple(one["roles"]), one["need"], one["have"], tuple(one.get("excluded", ())))
            for one in said.get("seats", ())
        )
        return cls(**parts)


def _fields(one: Why | Seat | WaiverTerms) -> dict[str, Any]:
    kind: Any = type(one)
    found = {name: getattr(one, name) for name in _names(kind)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in found.items()
    }


@dataclass(frozen=True)
class Verdict:
    """What the judge says about one transition on one day; `allowed` when nothing blocks."""

    gate: str | None
    allowed: bool
    findings: tuple[Finding, ...]
    today: date
    rulebook_sha256: str

    @property
    def missing(self) -> tuple[Finding, ...]:
        """Return the requirements that are not met, advisory and trial ones included."""
        return tuple(one for one in self.findings if one.status == "missing")

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Return the findings that keep the gate closed."""
        return tuple(one for one in self.findings if one.blocks)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON."""
        return {
            "gate": self.gate,
            "allowed": self.allowed,
            "findings": [one.to_json() for one in self.findings],
            "today": self.today.isoformat(),
            "rulebook_sha256": self.rulebook_sha256,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Return the verdict that `to_json` described."""
        return cls(
            gate=said["gate"],
            allowed=said["allowed"],
            findings=tuple(Finding.from_json(one) for one in said["findings"]),
            today=date.fromisoformat(said["today"]),
            rulebook_sha256=said["rulebook_sha256"],
        )
