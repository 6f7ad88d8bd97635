"""Whether this process can do its work: the database answers and has the tables of this version."""

from functools import cache

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from okrgate.database import db


def ready() -> bool:
    """Tell whether people may be sent here. Never fails."""
    try:
        found = set(db.session().scalars(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        return False
    finally:
        db.session().rollback()
    return found == _wanted()


@cache
def _wanted() -> set[str]:
    from okrgate import migrations  # slow to import, and only a proxy asks

    return migrations.newest()
