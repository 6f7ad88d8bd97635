"""Server-side sign-in sessions."""

from flask_login import LoginManager

from okrgate.config import Settings


def install(manager: LoginManager, settings: Settings) -> None:
    """Teach Flask-Login to find the person behind a session row."""
