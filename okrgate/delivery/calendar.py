"""Invitations as calendar files: RFC 5545 text, sent after RFC 5546."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from okrgate import clock
from okrgate.events import KickoffInvited

if TYPE_CHECKING:
    from icalendar import vCalAddress


@dataclass(frozen=True)
class Mailbox:
    """A name with its address."""

    name: str
    address: str


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar. `starts` and `ends` are ISO moments; `name` tells it from others of okrgate for ever.

    The `sequence` rises with each change, so that a calendar moves the entry it has.
    """

    name: str
    starts: str
    ends: str
    summary: str
    description: str
    place: str = ""
    sequence: int = 0
    cancelled: bool = False


def invitation(
    event: KickoffInvited, *, organizer: str, link: str, attendee: Mailbox | None = None
) -> str:
    """Return a kick-off as the text of an .ics file. `organizer` is an address, `link` the project's page."""
    entry = Entry(
        name=f"kickoff-{event.project_id}",
        starts=event.starts,
        ends=event.ends,
        summary=f"Kick-off: {event.title} ({event.reference})",
        description=f"Kick-off of {event.reference} {event.title}\n{link}",
        place=event.place,
        sequence=event.sequence,
    )
    return written(entry, organizer=organizer, link=link, attendee=attendee)


def written(entry: Entry, *, organizer: str, link: str, attendee: Mailbox | None = None) -> str:
    """Return the text of an .ics file: CRLF line ends, folded at 75 bytes; encode it as UTF-8."""
    # Slow to import, and only an invitation needs it.
    from icalendar import Calendar, Event, vText

    found = Event()
    found.add("uid", f"{entry.name}@{urlsplit(link).hostname or 'localhost'}")
    found.add("sequence", entry.sequence)
    found.add("dtstamp", clock.now().astimezone(UTC).replace(microsecond=0))
    found.add("dtstart", _moment(entry.starts))
    found.add("dtend", _moment(entry.ends))
    found.add("summary", _clean(entry.summary))
    found.add("description", _clean(entry.description))
    if entry.place:
        found.add("location", _clean(entry.place))
    found.add("url", link)
    found.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    found.add("organizer", _address(Mailbox("okrgate", organizer)), encode=False)
    if attendee is not None:
        invited = _address(attendee)
        wishes = (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "TRUE"))
        for name, value in wishes:
            invited.params[name] = vText(value)
        found.add("attendee", invited, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//okrgate//okrgate//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if entry.cancelled else "REQUEST")
    calendar.add_component(found)
    text: bytes = calendar.to_ical()
    return text.decode()


def _address(mailbox: Mailbox) -> "vCalAddress":
    from icalendar import vCalAddress, vText

    found = vCalAddress(f"mailto:{mailbox.address}")
    if mailbox.name:
        # A parameter can carry neither control characters nor double quotes.
        found.params["CN"] = vText(
            _clean(mailbox.name).replace('"', "'").replace("\n", " ").strip()
        )
    return found


def _moment(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _clean(text: str) -> str:
    """Drop control characters, which no calendar text may carry; keep line ends."""
    lines = text.replace("\r\n", "\n")
    return "".join(one for one in lines if one == "\n" or (ord(one) >= 32 and ord(one) != 127))
