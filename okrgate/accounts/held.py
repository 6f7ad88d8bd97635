"""What is held on a person, for the person."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory, people, roles
from okrgate.accounts.models import Link, SignInSession
from okrgate.audit import service as audit
from okrgate.database import db, transaction

_MOST_ACTS = 100_000


def export(person_id: int) -> dict[str, Any]:
    """Return everything that is held on a person as plain JSON, and record that it was asked for."""
    with transaction():
        audit.record("person.exported", by=person_id, target=f"person:{person_id}")
    record = people.get(person_id)
    unit = directory.unit(record.unit_id)
    return {
        "as_of": clock.now().isoformat(),
        "person": {
            "id": record.id,
            "name": record.name,
            "email": record.email,
            "unit": unit.name if unit else None,
            "timezone": record.timezone or None,
            "administrator": record.is_admin,
            "auditor": record.is_auditor,
            "state": record.state,
            "since": record.created_at.isoformat(),
        },
        "roles": _roles(person_id),
        "sessions": _sessions(person_id),
        "links": _links(person_id),
        "acts": _acts(person_id),
    } | directory.held_elsewhere(person_id)


def _roles(person_id: int) -> list[dict[str, Any]]:
    return [
        {
            "role": held.label,
            "unit": held.unit,
            "from": held.starts_on.isoformat() if held.starts_on else None,
            "until": held.ends_on.isoformat() if held.ends_on else None,
        }
        for held in roles.of_person(person_id)
    ]


def _sessions(person_id: int) -> list[dict[str, Any]]:
    query = select(SignInSession).where(SignInSession.person_id == person_id)
    return [
        {
            "device": one.device,
            "started": _moment(one.created_at),
            "last_used": _moment(one.seen_at),
            "ended": _moment(one.ended_at),
        }
        for one in db.session().scalars(query.order_by(SignInSession.id))
    ]


def _links(person_id: int) -> list[dict[str, Any]]:
    query = select(Link).where(Link.person_id == person_id).order_by(Link.id)
    return [
        {
            "purpose": one.purpose,
            "address": one.email or None,
            "made": _moment(one.created_at),
            "used": _moment(one.used_at),
        }
        for one in db.session().scalars(query)
    ]


def _acts(person_id: int) -> list[dict[str, Any]]:
    wanted = audit.Filter(actor_id=person_id)
    acts = []
    for entry in audit.stream(wanted):
        acts.append({"at": _moment(entry.at), "what": entry.action, "reason": entry.reason})
        if len(acts) == _MOST_ACTS:
            break
    return acts


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
