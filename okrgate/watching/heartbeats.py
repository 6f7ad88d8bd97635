"""Signs of life: which hosts serve and work on this database."""

import os
import socket
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from okrgate import clock
from okrgate.database import db, insert_into, transaction
from okrgate.watching.models import WORKER, Heartbeat

log = structlog.get_logger()

LATELY = timedelta(minutes=5)


def this_host() -> str:
    """Return the name by which this host is noted."""
    return socket.gethostname()[:200]


def beat(kind: str, host: str | None = None) -> None:
    """Note that a process of this kind lives on this host."""
    with transaction() as session:
        values = {
            "kind": kind,
            "host": host or this_host(),
            "pid": os.getpid(),
            "beat_at": clock.now(),
        }
        session.execute(
            insert_into(Heartbeat)
            .values(values)
            .on_conflict_do_update(
                index_elements=["kind", "host"],
                set_={"pid": values["pid"], "beat_at": values["beat_at"]},
            )
        )


def beat_of_worker() -> None:
    """Note that a worker of this host begins to work. A database that is away stops nothing here."""
    try:
        beat(WORKER)
    except SQLAlchemyError as problem:
        db.session().rollback()
        log.warning("heartbeat not noted", problem=type(problem).__name__)


def all_of_them() -> Sequence[Heartbeat]:
    """Return every host's last signs of life, newest first."""
    return list(db.session().scalars(select(Heartbeat).order_by(Heartbeat.beat_at.desc())))


def other_hosts() -> Sequence[str]:
    """Return the other hosts that lived in the last minutes."""
    query = (
        select(Heartbeat.host)
        .where(Heartbeat.host != this_host(), Heartbeat.beat_at > clock.now() - LATELY)
        .distinct()
        .order_by(Heartbeat.host)
    )
    return list(db.session().scalars(query))
