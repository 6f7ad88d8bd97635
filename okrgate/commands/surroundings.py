"""What commands stand on: settings, the application, a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from okrgate.config import Settings


def settings() -> Settings:
    """Read the settings. Raises BadSettings."""
    return Settings.from_environment()


@contextmanager
def application(given: Settings | None = None) -> Iterator[Flask]:
    """Build the application and stand in its context."""
    from okrgate.app import create_app
    from okrgate.database import db

    app = create_app(given or settings())
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
