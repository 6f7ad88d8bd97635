"""Ways in which a database fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from okrgate.database import db


@contextmanager
def connections_with(*statements: str) -> Iterator[None]:
    """Let every new connection begin with these statements, as a full or locked database would behave."""

    def teach(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        if not hasattr(connection, "isolation_level") or db.engine.dialect.name != "sqlite":
            connection.commit()

    event.listen(db.engine, "connect", teach)
    begin_anew()
    try:
        yield
    finally:
        event.remove(db.engine, "connect", teach)
        begin_anew()


def begin_anew() -> None:
    """Drop every connection."""
    db.session.remove()
    db.engine.dispose()


@contextmanager
def at_statement(beginning: str, act: Callable[[], None]) -> Iterator[None]:
    """Do something each time a statement that begins like this is about to be run."""

    def look(_cursor: object, statement: str, _values: object, _context: object) -> None:
        if statement.lstrip().startswith(beginning):
            act()

    event.listen(db.engine, "do_execute", look)
    try:
        yield
    finally:
        event.remove(db.engine, "do_execute", look)


class Failing:
    """Fails a number of times; counts how often it was asked."""

    def __init__(self, problem: Callable[[], Exception], times: int) -> None:
        """Make the problem anew each time."""
        self.problem, self.left, self.asked = problem, times, 0

    def __call__(self) -> None:
        """Fail, or not any more."""
        self.asked += 1
        if self.left > 0:
            self.left -= 1
            raise self.problem()
