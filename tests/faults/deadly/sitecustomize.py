"""Python loads this before a server that is to die: right after it stored a decision, before it answers."""

import os
import signal
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Session

ARMED = Path(os.environ["OKRGATE_TEST_ARMED"])


@event.listens_for(Session, "after_flush")
def look(session: Session, _context: object) -> None:
    """Remember that somebody decides."""
    if any(type(one).__name__ == "SignoffRow" for one in session.new):
        session.info["decides"] = True


@event.listens_for(Session, "after_commit")
def die(session: Session) -> None:
    """End this process, if a decision was stored, and once only."""
    if session.info.pop("decides", False) and ARMED.exists():
        ARMED.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
