"""One form is one act, however often it is sent."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from okrgate.database import db, is_writing
from okrgate.errors import Refused

Found = TypeVar("Found")


def once(known: Callable[[], Found | None], act: Callable[[], Found]) -> Found:
    """Act, unless it was done before: `known` finds what came of the same form then, or None.

    The same form may be stored by somebody else's hand while this one is still being looked at, and then be the very
    reason for a refusal: so a refusal counts only while nothing is known of the form.
    """
    found = known()
    if found is not None:
        return found
    try:
        return act()
    except (Refused, IntegrityError):
        if is_writing():
            raise
        # What was read so far is older than what refused it.
        db.session().rollback()
        found = known()
        if found is None:
            raise
        return found
