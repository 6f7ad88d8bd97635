"""A gate meeting in few words, for tests."""

from datetime import timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db
from okrgate.meetings.models import AgendaItem, Meeting
from okrgate.notifications import hiding, messages, snapshots
from okrgate.notifications.models import MAIL, OutboxRow
from tests.integration.several import Several


def gates(company: Several, *names: str) -> list[str]:
    """Return the keys of these gates."""
    return [f"{company.version.process_id}:{name}" for name in names]


def plan(
    company: Several,
    name: str = "Dan",
    *,
    people: tuple[str, ...] = ("Kim",),
    days: int = 7,
    at: str = "14:00",
    chair: str = "",
) -> int:
    """Let somebody plan a meeting for both gates; return its id."""
    person = company[name]
    person.open("/meetings/new")
    day = (clock.today() + timedelta(days=days)).isoformat()
    person.make_room({f"people-{number}-person": "" for number in range(len(people))})
    for number in range(len(people)):
        person.make_room({f"people-{number}-person": ""})
    form = person.form("title")
    data = dict(form.values) | {
        "title": "Approvals of the week",
        "starts": f"{day}T{at}",
        "zone": "Europe/Berlin",
        "place": "Room 4",
        "chair": str(company.ids[chair or name]),
    }
    for number, one in enumerate(people):
        data[f"people-{number}-person"] = str(company.ids[one])
    answer = person.client.post(
        "/meetings/new", data={**data, "gates": gates(company, "approval", "board_word")}
    )
    assert answer.status_code == 303, answer.text.partition("<main")[2][:2000]
    return int(answer.location.split("/")[-2])


def put(company: Several, meeting: int, *rounds: int, name: str = "Dan") -> list[int]:
    """Put projects on the agenda; return their items."""
    for one in rounds:
        press(company, name, f"/meetings/{meeting}/agenda", act=f"add:{one}")
    db.session.rollback()
    query = select(AgendaItem.id).where(AgendaItem.meeting_id == meeting)
    return list(db.session.scalars(query.order_by(AgendaItem.place)))


def press(
    company: Several,
    name: str,
    path: str,
    more: dict[str, str] | None = None,
    *,
    status: int = 303,
    **said: str,
) -> str:
    """Send a form; return the page."""
    answer = company[name].client.post(path, data={**said, **(more or {})})
    assert answer.status_code == status, (answer.status_code, answer.text.partition("<main")[2])
    return answer.text


def held(
    company: Several, *rounds: int, people: tuple[str, ...] = ("Kim",)
) -> tuple[int, list[int]]:
    """Plan, call and begin a meeting about these rounds."""
    meeting = plan(company, people=people)
    items = put(company, meeting, *rounds)
    press(company, "Dan", f"/meetings/{meeting}/call")
    press(company, "Dan", f"/meetings/{meeting}/begin")
    return meeting, items


def row(meeting: int) -> Meeting:
    """Return a meeting as it is now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Meeting, meeting)


def letters(company: Several, kind: str = "") -> list[tuple[str, EmailMessage]]:
    """Return (name, mail) of every mail of a kind, in order."""
    db.session.rollback()
    names = {number: name for name, number in company.ids.items()}
    found = []
    query = select(OutboxRow).where(OutboxRow.channel == MAIL).order_by(OutboxRow.id)
    for one in db.session.scalars(query):
        if kind and one.event != kind:
            continue
        event = snapshots.restore(one.event, one.snapshot, person_id=one.person_id, asked=one.asked)
        event = hiding.as_read_now(event, one.person_id)
        reader = messages.Reader(
            one.person_id, names[one.person_id], "a@example.com", ZoneInfo("Europe/Berlin")
        )
        found.append((names[one.person_id], messages.compose(event, reader, message_id="<1@x>")))
    return found


def calendar_of(letter: EmailMessage) -> str:
    """Return the .ics text of a mail, unfolded."""
    part = next(one for one in letter.iter_attachments() if one.get_content_subtype() == "calendar")
    content = part.get_content()
    text = content.decode() if isinstance(content, bytes) else content
    return text.replace("\r\n ", "").replace("\n ", "")


def text_of(letter: EmailMessage) -> str:
    """Return the words of a mail."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
