"""The minutes: what was decided, by whom and when (from the record), what was said, and what was not reached.

They hold ids of people and projects; names are put in when somebody reads them, so that nobody reads of a project
what they may not, and whoever is forgotten is forgotten here too.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Round, SignoffRow
from okrgate.database import canonical_json, check_writing, db
from okrgate.events import MinutesSent, Recipient, publish
from okrgate.meetings.agenda import items_of
from okrgate.meetings.models import AgendaItem, Meeting, MeetingPerson, Minutes
from okrgate.meetings.news import HIDDEN, people_of
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.standing import SPOKEN
from okrgate.web.filters import show_date


def digest_of(body: Mapping[str, Any]) -> str:
    """Return the sha256 of minutes, or of a part of them."""
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def write(meeting: Meeting, *, by: int) -> Minutes:
    """Freeze what happened, in the open transaction."""
    check_writing()
    people = (
        db.session()
        .execute(
            select(MeetingPerson.person_id, MeetingPerson.here_at)
            .where(MeetingPerson.meeting_id == meeting.id)
            .order_by(MeetingPerson.id)
        )
        .all()
    )
    items = items_of(meeting.id)
    words = _words(meeting, items)
    body: dict[str, Any] = {
        "title": meeting.title,
        "chair": meeting.chair_id,
        "opened": _iso(meeting.opened_at),
        "closed": _iso(meeting.closed_at),
        "zone": meeting.zone,
        "place": meeting.place,
        "here": [row.person_id for row in people if row.here_at is not None],
        "away": [row.person_id for row in people if row.here_at is None],
        "items": [_item(one, words.get((one.project_id, one.gate), [])) for one in items],
    }
    found = Minutes(
        meeting_id=meeting.id,
        body=body,
        digest=digest_of(body),
        written_at=clock.now(),
        written_by_id=by,
    )
    db.session().add(found)
    return found


def of(meeting_id: int) -> Minutes | None:
    """Return a meeting's minutes, once it is over."""
    return db.session().get(Minutes, meeting_id)


def is_intact(found: Minutes) -> bool:
    """Tell whether minutes are still what was written."""
    return digest_of(found.body) == found.digest


def send(meeting: Meeting, kept: Minutes, by: int) -> None:
    """Mail the minutes to everybody invited, and to each lead and submitter their own projects' part."""
    check_writing()
    numbers = [one["project"] for one in kept.body["items"]]
    projects = {
        row.id: row for row in db.session().scalars(select(Project).where(Project.id.in_(numbers)))
    }
    names = directory.names(people_in(kept.body) | {by, meeting.chair_id})
    invited = people_of(meeting)
    told = tuple(Recipient(one, "you were invited to it") for one in sorted(invited - {by}))
    open_ones = {one: row for one, row in projects.items() if not row.confidential}
    publish(_event(meeting, kept, by, told, open_ones, names, f"/meetings/{meeting.id}"))
    own: dict[int, list[Project]] = {}
    for row in projects.values():
        for person in {row.lead_id, row.submitter_id} - {None, by} - invited:
            own.setdefault(person or 0, []).append(row)
    for person, rows in sorted(own.items()):
        recipient = Recipient(person, "your project was on its agenda")
        path = f"/projects/{rows[0].reference}"
        mine = {row.id: row for row in rows}
        publish(_event(meeting, kept, by, (recipient,), mine, names, path, only=True))


def _event(
    meeting: Meeting,
    kept: Minutes,
    by: int,
    told: tuple[Recipient, ...],
    shown: Mapping[int, Project],
    names: Mapping[int, str],
    path: str,
    *,
    only: bool = False,
) -> MinutesSent:
    """Return the minutes as a reader gets them: projects that are not in `shown` without a name.

    With `only`, those are left out, and the reader has a part in the others: they read reasons and conditions too.
    """
    items = [one for one in kept.body["items"] if one["project"] in shown or not only]
    reached = [one for one in items if one["reached"]]
    left = [one for one in items if not one["reached"]]
    return MinutesSent(
        recipients=told,
        by=names.get(by, "Somebody"),
        by_id=by,
        path=path,
        name=meeting.title,
        held=_iso(meeting.opened_at),
        chair=names.get(meeting.chair_id, "Somebody"),
        here=() if only else tuple(names.get(one, "Somebody") for one in kept.body["here"]),
        away=() if only else tuple(names.get(one, "Somebody") for one in kept.body["away"]),
        items=tuple((_called(one, shown), _lines(one, shown, names, why=only)) for one in reached),
        not_reached=tuple(_called(one, shown) for one in left),
        guarded=(
            *(("items", at, one["project"], (HIDDEN, ())) for at, one in enumerate(reached)),
            *(("not_reached", at, one["project"], HIDDEN) for at, one in enumerate(left)),
        ),
    )


def _called(item: Mapping[str, Any], shown: Mapping[int, Project]) -> str:
    known = shown.get(item["project"])
    return f"{known.reference} {known.title}" if known else HIDDEN


def _lines(
    item: Mapping[str, Any], shown: Mapping[int, Project], names: Mapping[int, str], *, why: bool
) -> tuple[str, ...]:
    if item["project"] not in shown:
        return ()
    found = [line for one in item["words"] for line in spoken(one, names, why=why)]
    if item["notes"]:
        found.append(f"Notes: {item['notes']}")
    return tuple(found) or ("Nothing was decided.",)


def spoken(word: Mapping[str, Any], names: Mapping[int, str], *, why: bool) -> list[str]:
    """Return a decision as lines: who and what; for those with a part in the project also `why`, and each condition."""
    who = approvals.said_by(word["person"], word["for"], names)
    what = SPOKEN[word["decision"]].rstrip(",")
    if not why:
        return [f"{who} {what}"]
    reason = f": {word['reason']}" if word["reason"] else ""
    lines = [f"{who} {what}{reason}"]
    for one in word["conditions"]:
        owner = names.get(one["owner"], "Somebody")
        due = f", by {show_date(one['due'])}" if one["due"] else ""
        lines.append(f"Condition: {one['text']} ({owner}{due})")
    return lines


def people_in(body: Mapping[str, Any]) -> set[int]:
    """Return the ids of everybody whom minutes speak of."""
    words = [word for item in body["items"] for word in item["words"]]
    owners = {one["owner"] for word in words for one in word["conditions"]}
    absent = {word["for"] for word in words} - {None}
    return {*body["here"], *body["away"], *owners, *absent, *(word["person"] for word in words)}


def _item(item: AgendaItem, words: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "project": item.project_id,
        "gate": item.gate,
        "gate_label": words[0]["gate_label"] if words else _gate_label(item),
        "minutes": item.minutes,
        "reached": item.reached_at is not None,
        "notes": item.notes,
        "words": [
            {key: value for key, value in one.items() if key != "gate_label"} for one in words
        ],
    }


def _gate_label(item: AgendaItem) -> str:
    project = db.session().get_one(Project, item.project_id)
    gate = rulebooks.rulebook(project.rulebook_version_id).gates.get(item.gate)
    return gate.label if gate else item.gate


def _words(
    meeting: Meeting, items: Sequence[AgendaItem]
) -> dict[tuple[int, str], list[dict[str, Any]]]:
    """Return what was decided on these projects while the meeting was on, oldest first, as the record has it."""
    rows = db.session().execute(
        select(SignoffRow, Round.gate, Round.rulebook_version_id, Condition)
        .join(Round, Round.id == SignoffRow.round_id)
        .outerjoin(Condition, Condition.signoff_id == SignoffRow.id)
        .where(
            SignoffRow.project_id.in_([one.project_id for one in items]),
            SignoffRow.at >= meeting.opened_at,
            SignoffRow.withdrawn_at.is_(None),
        )
        .order_by(SignoffRow.id, Condition.id)
    )
    found: dict[tuple[int, str], dict[int, dict[str, Any]]] = {}
    for row, gate, version, condition in rows:
        known = rulebooks.rulebook(version).gates.get(gate)
        word = found.setdefault((row.project_id, gate), {}).setdefault(
            row.id,
            {
                "person": row.person_id,
                "for": row.on_behalf_of_id,
                "decision": row.decision,
                "reason": row.reason,
                "at": _iso(row.at),
                "gate_label": known.label if known else gate,
                "conditions": [],
            },
        )
        if condition is not None:
            due = condition.due_on.isoformat() if condition.due_on else ""
            word["conditions"].append(
                {"text": condition.text, "owner": condition.owner_id, "due": due}
            )
    return {key: list(words.values()) for key, words in found.items()}


def _iso(moment: Any) -> str:
    return moment.isoformat() if moment is not None else ""
