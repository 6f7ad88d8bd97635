"""Count what a page asks the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from okrgate.database import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list that fills with every statement that is run in the block."""
    seen: list[str] = []

    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", _note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", _note)
