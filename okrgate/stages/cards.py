"""The deciding page: all that somebody needs to decide on a gate, in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import select

from okrgate.approvals import asking, entitlement, stand_ins
from okrgate.approvals import queue as waiting_queue
from okrgate.approvals import service as approvals
from okrgate.approvals.changes import changed_answers, changed_content, changed_names
from okrgate.approvals.models import Round, SeatPerson
from okrgate.approvals.queue import Narrowed, Place
from okrgate.approvals.seating import Seating, Word, is_enough, seating
from okrgate.database import db
from okrgate.errors import NotFound
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.stages import (
    choices,
    dossier,
    judging,
    panel,
    picture,
    reading,
    team_load,
    track_record,
)
from okrgate.stages.choices import Option, Outlook, options
from okrgate.stages.dossier import Dossier
from okrgate.stages.models import StoredVerdict
from okrgate.stages.picture import Picture
from okrgate.stages.reading import Loaded, Reader
from okrgate.stages.sections import ALL
from okrgate.stages.standing import (
    OVER,
    Decided,
    Known,
    Standing,
    roles_asked,
    stand,
    stand_in,
)
from okrgate.stages.turns import Turns, turns

_SUMS = ("Budget", "Effort")
# What a decision is about stands open; the rest of the record is folded.
_OPEN = {"problem", "solution"}
_APART = {"Submitted by", "Lead", "Key results", "Target metrics", "Start", "End", *_SUMS}


@dataclass(frozen=True)
class Changes:
    """What is different from `since`: row by row in words, and the labels of what is signed among it."""

    since: str
    rows: list[dict[str, str]]
    signed: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """What the page shows; `names` holds everybody's name, `people` those who may own a condition, `awaitable` the key
    results that a decision may wait for.

    `mine` is the reader's own decision in the round, while they can still take it back.
    `hands` are the names the reader may sign in: (value, label), their own first.
    """

    round: Round
    loaded: Loaded
    gate: str
    standing: Standing
    hands: tuple[tuple[str, str], ...]
    signs_as: str
    ask: str
    facts: list[dict[str, str]]
    results: str
    seating: Seating
    targets: Sequence[Mapping[str, Any]]
    record: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    panel: dict[str, Any]
    sections: list[dict[str, Any]]
    said: list[dict[str, Any]]
    mine: int | None
    earlier: list[dict[str, Any]]
    waivers: list[dict[str, Any]]
    changes: Changes | None
    options: tuple[Option, ...]
    place: Place
    names: Mapping[int, str]
    people: list[tuple[int, str]]
    awaitable: list[tuple[int, str]]

    @property
    def time_left(self) -> str:
        """Say how long there is to decide."""
        return asking.time_left(self.round.due_on) if self.round.closed_at is None else ""


@dataclass(frozen=True)
class Barred:
    """What somebody sees who holds a role of a seat but must not sign, and has no part in the project."""

    loaded: Loaded
    gate: str
    refusal: str
    round: Round


def card(
    round_id: int, reader: Reader, wanted: Narrowed, in_name_of: str | None = None
) -> Card | Barred:
    """Gather the deciding page. Raises NotFound for a round the reader may not see.

    `in_name_of` is what was chosen from `hands`: the id of whom the reader stands in for; empty for their own name.
    """
    loaded, found = reading.load_round(round_id, reader)
    project, rulebook = loaded.project, loaded.rulebook
    seen = picture.of(project, rulebook)
    people, awaitable = choices.people_and_results()
    names = {person: name for person, name, _ in people}
    decisions = _with_gates(rulebook, approvals.decisions_of(project.id, names))
    here = [one for one in decisions if one["round_id"] == found.id]
    valid = [one for one in here if not one["withdrawn"]]
    table = approvals.table_of(found)
    verdicts = judging.stored(project.id)
    waiting = _turns(rulebook, found, verdicts)
    known = Known(
        roles=entitlement.roles_held(rulebook, loaded.held, seen.around, reader.id),
        around=seen.around,
        settled=seen.settled,
        seats=table.seats,
        decided=[
            Decided(one["person_id"], one["decision"], one["on_behalf_of"])
            for one in reversed(valid)
        ],
        delegations=stand_ins.in_force() if loaded.stands_in else (),
        names=names,
        turns=waiting,
    )
    standings = _standings(project, rulebook, found, reader.id, known)
    standing = _chosen(standings, in_name_of)
    gate = asking.gate_label(rulebook, found)
    if not (standing.roles or reader.is_auditor or loaded.involved):
        asked = {role for seat in table.seats for role in seat.roles}
        if asked & known.roles and found.closed_at is None:
            return Barred(loaded, gate, standing.refusal, found)
        if stand_ins.ever_stood_in(reader.id):
            return Barred(loaded, gate, OVER, found)
        raise NotFound
    words = [
        Word(one["person_id"], one["roles"], one["decision"], one["on_behalf_of"]) for one in valid
    ]
    stands = seating(rulebook, found.gate, table.seats, words, table.waiting, waiting)
    shown = panel.panels(loaded, verdicts, names)
    now: dict[str, Any] = next((one for one in shown["now"] if one["title"] == gate), {})
    kept = dossier.of(project, found, reader.id)
    facts = dict(seen.facts)
    mine = Word(reader.id, standing.roles, approvals.APPROVED, standing.on_behalf_of)
    outlook = Outlook(
        have=stands.have,
        need=stands.need,
        last=is_enough(rulebook, found.gate, table.seats, words, mine),
        others_missing=_missing_beside(now),
    )
    return Card(
        round=found,
        loaded=loaded,
        gate=gate,
        standing=standing,
        hands=_hands(standings, names),
        signs_as=_signs_as(rulebook, standing, names),
        ask=asking.ask(rulebook, found, project.title, _sums(facts)),
        facts=_facts(loaded, facts),
        results=facts.get("Key results", ""),
        seating=stands,
        targets=kept.targets,
        record=track_record.words(kept.record, names),
        teams=team_load.words(kept.teams),
        panel=now,
        sections=_sections(rulebook, seen),
        said=here,
        mine=_open_word(found, valid, reader.id),
        earlier=[one for one in decisions if one["round_id"] != found.id],
        waivers=_waivers(rulebook, table.waivers, names),
        changes=_changes(rulebook, found, kept, seen),
        options=options(rulebook, found, standing, outlook),
        place=waiting_queue.place_of(reader.id, found, wanted),
        names=names,
        people=[(person, name) for person, name, active in people if active],
        awaitable=awaitable,
    )


def _standings(
    project: Project, rulebook: Rulebook, found: Round, person: int, known: Known
) -> list[Standing]:
    """Return what somebody may do here in their own name, and for each of those they stand in for."""
    own = stand(project, rulebook, found, person, known)
    away = dict.fromkeys(one.person_id for one in known.in_place(person))
    if not away or found.closed_at is not None:
        return [own]
    asked = roles_asked(project, rulebook, known.seats)
    held = entitlement.holders(rulebook, asked, known.around)
    return [
        own,
        *(stand_in(project, rulebook, found, person, known, one, held) for one in away),
    ]


def _chosen(standings: Sequence[Standing], in_name_of: str | None) -> Standing:
    """Return the standing that was asked for; if none was, the first in which the reader may decide, else their own."""
    if in_name_of is None:
        return next((one for one in standings if not one.refusal), standings[0])
    return next(
        (one for one in standings if str(one.on_behalf_of or "") == in_name_of),
        Standing(refusal=OVER),
    )


def _hands(standings: Sequence[Standing], names: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(one.on_behalf_of), f"For {names.get(one.on_behalf_of, 'somebody')}")
        if one.on_behalf_of
        else ("", "In my own name")
        for one in standings
        if not one.refusal
    )


def _signs_as(rulebook: Rulebook, standing: Standing, names: Mapping[int, str]) -> str:
    roles = " and ".join(rulebook.roles[role].label for role in standing.roles)
    away = standing.on_behalf_of
    return f"{roles}, for {names.get(away, 'somebody')}" if away else roles


def open_round_line(project_id: int, person: int) -> dict[str, Any] | None:
    """Return the open round of a project, the ids of those it waits for, and whether this person is one."""
    rows = (
        db.session()
        .execute(
            select(Round, SeatPerson.person_id, Round.id.in_(stand_ins.rounds_asked(person)))
            .outerjoin(SeatPerson, SeatPerson.round_id == Round.id)
            .where(Round.project_id == project_id, Round.closed_at.is_(None))
            .order_by(Round.id)
        )
        .all()
    )
    if not rows:
        return None
    found = rows[0].Round
    waiting = {row.person_id for row in rows if row.Round is found and row.person_id is not None}
    return {
        "url": url_for("stages.decide", round_id=found.id),
        "mine": bool(rows[0][2]),
        "waiting": waiting,
        "since": found.opened_at,
        "due": found.due_on,
        "number": found.number,
    }


def _with_gates(rulebook: Rulebook, decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    gates = {gate.id: gate.label for gate in rulebook.gates.values()}
    return [one | {"gate": gates.get(one["gate"], one["gate"])} for one in decisions]


def _turns(rulebook: Rulebook, found: Round, verdicts: Sequence[StoredVerdict]) -> Turns:
    """Return which seats wait for others, by the verdict that is kept; deciding judges again."""
    row = next((one for one in verdicts if one.transition == found.transition), None)
    verdict = reading.verdict_of(row) if row is not None else None
    return turns(rulebook.gates.get(found.gate), verdict)


def _open_word(found: Round, said: Sequence[Mapping[str, Any]], reader: int) -> int | None:
    if found.closed_at is not None:
        return None
    return next((one["id"] for one in said if one["person_id"] == reader), None)


def _missing_beside(shown: Mapping[str, Any]) -> int:
    """Count what the gate misses apart from sign-offs."""
    findings = shown["verdict"]["findings"] if shown else ()
    return sum(1 for one in findings if one["blocks"] and not one["seats"])


def _sums(facts: Mapping[str, str]) -> list[str]:
    start, end = facts.get("Start"), facts.get("End")
    span = f"{start} – {end}" if start and end else ""  # noqa: RUF001 an en dash spans
    effort = facts.get("Effort", "")
    return [facts.get("Budget", ""), f"{effort} of work" if effort else "", span]


def _facts(loaded: Loaded, facts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what stands under the ask; money, effort and dates stand in it."""
    unit = loaded.unit.name if loaded.unit else ""
    asker = facts.get("Submitted by", "")
    found = [
        ("Asked by", f"{asker}, {unit}" if unit else asker),
        ("Lead", facts.get("Lead", "")),
        *((label, value) for label, value in facts.items() if label not in _APART),
    ]
    return [{"label": label, "value": value} for label, value in found if value]


def _waivers(
    rulebook: Rulebook, rows: Sequence[Any], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    messages = {
        one.id: one.message for gate in rulebook.gates.values() for one in gate.requirements
    }
    return [
        {
            "what": messages.get(row.requirement, row.requirement),
            "by": names.get(row.by_id, "Somebody"),
            "reason": row.reason,
            "until": row.expires_on,
        }
        for row in rows
    ]


def _sections(rulebook: Rulebook, seen: Picture) -> list[dict[str, Any]]:
    """Return the parts of the project that have answers, in the order of the process, as the signer reads them."""
    order = dict.fromkeys(key for stage in rulebook.stages.values() for key in stage.sections)
    return [
        {
            "title": ALL[key].title,
            "open": key in _OPEN,
            "rows": [{"label": one.label, "value": one.text} for one in seen.parts[key]],
        }
        for key in order
        if key in ALL and key in seen.parts
    ]


def _changes(rulebook: Rulebook, found: Round, kept: Dossier, seen: Picture) -> Changes | None:
    earlier = kept.earlier
    if earlier is None:
        return None
    since = "your last decision" if earlier.own else "the last round"
    signed = changed_names(rulebook, earlier.content, found.content)
    rows: list[dict[str, str]] = []
    if earlier.parts is not None:
        now = {key: [(one.label, one.text) for one in lines] for key, lines in seen.parts.items()}
        rows = changed_answers(earlier.parts, now)
    if signed and not rows:
        rows = changed_content(rulebook, earlier.content, found.content)
    return Changes(since, rows, signed)
