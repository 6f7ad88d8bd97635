"""What a draft of some rules stands beside: a version, or what a process that has none yet begins with (number 0)."""

import hashlib
from typing import Any

from sqlalchemy import exists, select

from okrgate.database import db
from okrgate.errors import NotFound
from okrgate.rulebooks import service
from okrgate.rulebooks.models import Beginning, Process, RulebookVersion
from okrgate.rulebooks.service import Listed


def standing(key: str) -> Listed:
    """Return the newest version of a process, or what it begins with. Raises NotFound."""
    query = service.listed().add_columns(RulebookVersion.text).where(Process.key == key)
    row = db.session().execute(query.order_by(RulebookVersion.number.desc()).limit(1)).first()
    return Listed(*row) if row is not None else _beginning(key)


def version_at(key: str, number: int) -> Listed:
    """Return a version by its number; 0 is what the process began with. Raises NotFound."""
    if number:
        return service.get_version(service.version_of(key, number).id)
    return _beginning(key)


def has_versions(process_id: Any) -> Any:
    """Ask, in a query, whether anything of a process was ever published."""
    return exists().where(RulebookVersion.process_id == process_id)


def _beginning(key: str) -> Listed:
    row = (
        db.session()
        .execute(
            select(Process.id, Process.title, Beginning)
            .join(Beginning, Beginning.process_id == Process.id)
            .where(Process.key == key, Beginning.thrown_away_at.is_(None))
        )
        .first()
    )
    if row is None:
        raise NotFound
    process_id, title, begun = row
    return Listed(
        id=0,
        process=key,
        title=title,
        number=0,
        sha256=hashlib.sha256(begun.text.encode()).hexdigest(),
        effective_from=begun.begun_at,
        published_at=begun.begun_at,
        published_by_id=begun.begun_by_id,
        note="",
        process_id=process_id,
        text=begun.text,
    )
