"""The kick-off as a calendar file: RFC 5545 text, an invitation after RFC 5546."""

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


def invitation(
    event: KickoffInvited, *, organizer: str, link: str, attendee: Mailbox | None = None
) -> str:
    """Return the text of an .ics file: CRLF line ends, folded at 75 bytes; encode it as UTF-8.

    `organizer` is an address, `link` the project's page. The UID stays the same for a project for ever, the
    SEQUENCE rises with each change, so a calendar moves the entry it has.
    """
    # Slow to import, and only a kick-off needs it.
    from icalendar import Calendar, Event, vText

    entry = Event()
    entry.add("uid", f"kickoff-{event.project_id}@{urlsplit(link).hostname or 'localhost'}")
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", clock.now().astimezone(UTC).replace(microsecond=0))
    entry.add("dtstart", _moment(event.starts))
    entry.add("dtend", _moment(event.ends))
    entry.add("summary", _clean(f"Kick-off: {event.title} ({event.reference})"))
    entry.add("description", _clean(f"Kick-off of {event.reference} {event.title}\n{link}"))
    if event.place:
        entry.add("location", _clean(event.place))
    entry.add("url", link)
    entry.add("status", "CONFIRMED")
    entry.add("organizer", _address(Mailbox("okrgate", organizer)), encode=False)
    if attendee is not None:
        invited = _address(attendee)
        wishes = (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "TRUE"))
        for name, value in wishes:
            invited.params[name] = vText(value)
        entry.add("attendee", invited, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//okrgate//kick-off//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(entry)
    written: bytes = calendar.to_ical()
    return written.decode()


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
