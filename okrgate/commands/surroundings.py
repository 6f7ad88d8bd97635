"""What commands stand on: settings, the application, a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import Flask

from okrgate.config import Settings


def settings() -> Settings:
    """Read the settings. Raises BadSettings."""
    return Settings.from_environment()


@contextmanager
def application(given: Settings | None = None) -> Iterator[Flask]:
    """Build the application and stand in its context."""
    from sqlalchemy.exc import DBAPIError

    from okrgate.administration import preferences
    from okrgate.app import create_app
    from okrgate.database import db

    app = create_app(given or settings())
    with app.app_context():
        try:
            # A database that is not migrated yet has no settings; the command itself says what to do.
            with suppress(DBAPIError):
                preferences.refresh()
            db.session.rollback()
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
