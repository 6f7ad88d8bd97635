"""Who may call a gate meeting, see it, and lead it. To be in one gives no right to read a project."""

from dataclasses import dataclass

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.errors import Forbidden, NotFound
from okrgate.gates.model import Rulebook
from okrgate.meetings.models import DRAFT, Meeting, MeetingPerson
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging
from okrgate.stages.reading import Reader

MAY_NOT_CALL = "Whoever signs at a gate, or moves projects on from there, may call its meetings."
MAY_NOT_LEAD = "Only the chair, whoever called the meeting, or an administrator can do this."


@dataclass(frozen=True)
class GateChoice:
    """A gate that somebody may call a meeting for: its key ("process id:gate") and what people call it."""

    key: str
    label: str


def gates_for(reader: Reader) -> list[GateChoice]:
    """Return the gates this person may call a meeting for, by process. Two queries."""
    versions = rulebooks.binding()
    books = {one.process_id: rulebooks.rulebook(one.id) for one in versions}
    asked = {
        (process, gate): callers(book, gate)
        for process, book in books.items()
        for gate in book.gates
        if is_signed(book, gate)
    }
    roles = sorted(set[str]().union(*asked.values()))
    held = {one.role for one in directory.holdings(roles, person=reader.id)} if roles else set()
    return [
        GateChoice(f"{process}:{gate}", _label(books, process, gate))
        for (process, gate), wanted in asked.items()
        if reader.is_admin or held & wanted
    ]


def is_signed(book: Rulebook, gate: str) -> bool:
    """Tell whether a gate waits for people to sign."""
    return any(judging.seats_asked(book, one) for one in book.gates[gate].requirements)


def callers(book: Rulebook, gate: str) -> frozenset[str]:
    """Return the roles, held in units, that sign at a gate or move projects out of the stages before it."""
    signing = {
        role
        for requirement in book.gates[gate].requirements
        for asked in book.signoff_conditions(requirement)
        for role in asked.roles
    }
    before = {
        source for one in book.transitions.values() if one.gate == gate for source in one.sources
    }
    moving = {role for stage in before for one in book.transitions_from(stage) for role in one.by}
    return frozenset(role for role in signing | moving if book.roles[role].kind == "org")


def seen_by(meeting_id: int, reader: Reader) -> Meeting:
    """Return a meeting that this person may see. Raises NotFound for what is missing and what is hidden alike."""
    invited = (
        select(MeetingPerson.id)
        .where(MeetingPerson.meeting_id == Meeting.id, MeetingPerson.person_id == reader.id)
        .exists()
    )
    query = select(Meeting, invited.label("invited")).where(Meeting.id == meeting_id)
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound
    found: Meeting = row.Meeting
    if leads(found, reader):
        return found
    if found.state != DRAFT and (reader.is_auditor or row.invited):
        return found
    raise NotFound


def leads(meeting: Meeting, reader: Reader) -> bool:
    """Tell whether this person prepares and leads the meeting."""
    return reader.is_admin or reader.id in {meeting.chair_id, meeting.called_by_id}


def check_leads(meeting: Meeting, reader: Reader) -> None:
    """Raise Forbidden, with the sentence shown beside the button, unless this person leads the meeting."""
    if not leads(meeting, reader):
        raise Forbidden(MAY_NOT_LEAD)


def led_by(meeting_id: int, reader: Reader) -> Meeting:
    """Return a meeting that this person leads. Raises NotFound or Forbidden."""
    found = seen_by(meeting_id, reader)
    check_leads(found, reader)
    return found


def gate_labels(keys: list[str]) -> list[str]:
    """Return what people call these gates ("process id:gate"), as the rules in force say."""
    books = {one.process_id: rulebooks.rulebook(one.id) for one in rulebooks.binding()}
    found = []
    for key in keys:
        process, _, gate = key.partition(":")
        number = int(process) if process.isdecimal() else 0
        known = number in books and gate in books[number].gates
        found.append(_label(books, number, gate) if known else gate)
    return found


def _label(books: dict[int, Rulebook], process: int, gate: str) -> str:
    book = books[process]
    label = book.gates[gate].label
    return f"{label} ({book.title})" if len(books) > 1 else label
