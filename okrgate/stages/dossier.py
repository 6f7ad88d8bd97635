"""What a round puts before its signers beside the facts: the parts in words, the bands, the teams, and the track record.

Written once, when the round opens, so that the deciding page need not ask for it and a later round can compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from okrgate.approvals.models import Round, RoundReading, SignoffRow
from okrgate.database import check_writing, db
from okrgate.measurement import service as measurement
from okrgate.projects.models import Project
from okrgate.stages import team_load, track_record
from okrgate.stages.picture import Picture

_NUMBERS = ("baseline", "success", "partial", "negative")


@dataclass(frozen=True)
class Earlier:
    """What somebody decided on last, or the round before: its content, and its parts in words if these were kept."""

    content: Mapping[str, Any]
    parts: Mapping[str, Any] | None
    own: bool


@dataclass(frozen=True)
class Dossier:
    """What the deciding page shows beside the project's picture."""

    targets: tuple[dict[str, Any], ...]
    record: tuple[dict[str, Any], ...]
    teams: tuple[dict[str, Any], ...]
    earlier: Earlier | None


def keep(project: Project, picture: Picture | None, through: int) -> None:
    """Write the dossier of the project's open round, or bring it up to date. In the open transaction.

    The parts stay as they were when the round opened: that is what a later round is compared with.
    """
    check_writing()
    if picture is None:
        return
    rounds = select(Round.id).where(Round.project_id == project.id, Round.closed_at.is_(None))
    for number in db.session().scalars(rounds).all():
        drawn, known = _draw(project), db.session().get(RoundReading, number)
        if known is None:
            body = drawn | _parts(picture)
            db.session().add(RoundReading(round_id=number, through=through, body=body))
        elif known.body != known.body | drawn:
            known.body = known.body | drawn
    db.session().flush()


def of(project: Project, found: Round, person: int) -> Dossier:
    """Return the dossier of a round for one person. One query; a few more when none was written."""
    own, earlier = None, None
    for row in _rows(found, person):
        if row.Round.id == found.id:
            own = row.body
        else:
            earlier = Earlier(
                row.Round.content, (row.body or {}).get("parts"), row.word is not None
            )
    body = own if own is not None else _draw(project)
    return Dossier(
        targets=tuple(_numbers(one) for one in body["targets"]),
        record=tuple(body["record"]),
        teams=tuple(body.get("teams", ())),
        earlier=earlier,
    )


def _rows(found: Round, person: int) -> list[Any]:
    """Return the round and the one to compare it with: what this person decided on last, else the one before."""
    mine = (SignoffRow.round_id == Round.id) & (SignoffRow.person_id == person)
    before = (Round.project_id == found.project_id) & (Round.gate == found.gate)
    compared = (
        select(Round.id)
        .outerjoin(SignoffRow, mine)
        .where(before, Round.number < found.number)
        .order_by(SignoffRow.id.is_(None), Round.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return list(
        db.session().execute(
            select(Round, RoundReading.body, SignoffRow.id.label("word"))
            .outerjoin(RoundReading, RoundReading.round_id == Round.id)
            .outerjoin(SignoffRow, mine)
            .where(Round.id.in_((found.id, compared)))
        )
    )


def _draw(project: Project) -> dict[str, Any]:
    return {
        "targets": [
            {
                "name": metric.name,
                "unit": metric.unit_of_measure if target.mode != "percent" else "%",
                "direction": metric.direction,
                "mode": target.mode,
            }
            | {
                name: str(value) if (value := getattr(target, name)) is not None else None
                for name in _NUMBERS
            }
            for target, metric in measurement.targets(project.id)
        ],
        "record": track_record.of(project),
        "teams": team_load.of(project),
    }


def _parts(picture: Picture) -> dict[str, Any]:
    return {
        "parts": {
            section: [[line.label, line.text] for line in lines]
            for section, lines in picture.parts.items()
        }
    }


def _numbers(target: Mapping[str, Any]) -> dict[str, Any]:
    return dict(target) | {
        name: Decimal(target[name]) if target[name] is not None else None for name in _NUMBERS
    }
