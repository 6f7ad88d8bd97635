"""Keep a draft only where nothing newer is lost: a form says which text it saw."""

import hashlib

from sqlalchemy import select

from okrgate.database import transaction
from okrgate.errors import Conflict
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import Process


class Newer(Conflict):
    """The draft is not the one that the form saw; nothing was stored. `theirs` is what stands there now."""

    def __init__(self, theirs: Draft) -> None:
        """Keep what is there now, to be shown beside what was typed."""
        super().__init__(
            "Your draft was changed elsewhere since this page was opened, perhaps in another tab. "
            "Nothing was stored; what you typed is still here."
        )
        self.theirs = theirs


def digest(draft: Draft) -> str:
    """Return what a form carries as `seen`: the mark of the text and note that it shows."""
    return hashlib.sha256(f"{draft.note}\0{draft.text}".encode()).hexdigest()


def opened(key: str, *, seen: str, by: int) -> Draft:
    """Return somebody's draft, to change a part of it. Raises Newer if it is not the one that was seen."""
    draft = drafts.begin(key, by=by)
    if digest(draft) != seen:
        raise Newer(draft)
    return draft


def look(key: str, draft: Draft, *, seen: str, by: int) -> None:
    """Raise Newer if storing this whole draft would lose one that the form did not see."""
    there = drafts.begin(key, by=by)
    kept = there.changed_at is not None
    if kept and digest(there) not in {seen, digest(draft)}:
        raise Newer(there)


def is_known(key: str, draft: Draft, *, seen: str, by: int) -> bool:
    """Tell, in an open transaction, whether what somebody keeps now is this very draft or the one that the form saw."""
    there = drafts.begin(key, by=by)
    return (there.text, there.note.strip(), there.based_on) == (
        draft.text,
        draft.note.strip(),
        draft.based_on,
    ) or digest(there) == seen


def keep(key: str, draft: Draft, *, seen: str, by: int) -> None:
    """Store a draft. Raises Newer, and stores nothing, if that would lose one that the form did not see."""
    with transaction() as session:
        # Two forms sent at once wait for each other here.
        session.execute(select(Process.id).where(Process.key == key).with_for_update())
        look(key, draft, seen=seen, by=by)
        drafts.keep(key, draft, by=by)
