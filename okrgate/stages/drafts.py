"""What somebody typed and did not save: kept for them alone, one draft a page, whichever tab it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.projects.models import Draft, SectionState

TAB = "draft_tab"
# As many as a form may have: a draft that lost its last rows would be worse than none.
_LONGEST = 2000


@dataclass(frozen=True)
class Place:
    """Whose draft of which page."""

    project_id: int
    section: str
    page: str
    person_id: int


@dataclass(frozen=True)
class Tab:
    """The open page that speaks: its own name, and the draft it began with. One without a name is believed."""

    name: str = ""
    began_with: str = ""


class Newer(Conflict):
    """The same person kept or saved something newer elsewhere; `at` says when."""

    def __init__(self, at: datetime) -> None:
        """Remember when."""
        super().__init__("You changed this in another tab.")
        self.at = at


def find(place: Place) -> Draft | None:
    """Return what this person typed on this page and did not save."""
    found: Draft | None = db.session().scalar(
        select(Draft).where(
            Draft.project_id == place.project_id,
            Draft.section == place.section,
            Draft.page == place.page,
            Draft.person_id == place.person_id,
        )
    )
    return found


def stamp(draft: Draft | None) -> str:
    """Return what tells one state of a draft from the next."""
    return draft.saved_at.isoformat() if draft else ""


def typed_value(draft: Draft | None, name: str) -> str:
    """Return one thing a draft holds, nothing when it does not."""
    return next((value for key, value in draft.data if key == name), "") if draft else ""


def keep(place: Place, typed: Sequence[tuple[str, str]], *, base_version: int, tab: Tab) -> Draft:
    """Keep what somebody typed, for them alone, until they save or drop it.

    Raises Newer when another tab of theirs kept something that this one never showed.
    """
    with transaction() as session:
        draft = find(place)
        if draft is None:
            draft = Draft(
                project_id=place.project_id,
                section=place.section,
                page=place.page,
                person_id=place.person_id,
            )
            session.add(draft)
        elif not _is_of(draft, tab):
            raise Newer(draft.saved_at)
        draft.data = [[name, value] for name, value in typed[:_LONGEST]]
        draft.base_version = base_version
        draft.saved_at = clock.now()
        return draft


def check_not_saved_since(place: Place, base_version: int) -> None:
    """Raise Newer when this person themselves saved the section after this page was opened."""
    state = db.session().scalar(
        select(SectionState).where(
            SectionState.project_id == place.project_id, SectionState.section == place.section
        )
    )
    if state and state.version > base_version and state.saved_by_id == place.person_id:
        raise Newer(state.saved_at)


def drop(place: Place, *, tab: Tab | None = None) -> None:
    """Forget a draft. With a tab: only the one it knows, not what another tab kept meanwhile."""
    with transaction() as session:
        draft = find(place)
        if draft is not None and (tab is None or _is_of(draft, tab)):
            session.execute(delete(Draft).where(Draft.id == draft.id))


def _is_of(draft: Draft, tab: Tab) -> bool:
    return not tab.name or typed_value(draft, TAB) == tab.name or stamp(draft) == tab.began_with
