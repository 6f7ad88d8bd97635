"""The kick-off as a calendar file (RFC 5545, an invitation after RFC 5546). Pure: values in, text out."""

from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar, Event, vCalAddress, vText


@dataclass(frozen=True)
class Mailbox:
    """A name with its address."""

    name: str
    address: str


@dataclass(frozen=True)
class Meeting:
    """A session in a calendar. `uid` stays the same for ever, `sequence` rises with every change; times have a zone."""

    uid: str
    sequence: int
    summary: str
    starts: datetime
    ends: datetime
    place: str = ""
    description: str = ""
    url: str = ""


def kickoff_uid(project_id: int, host: str) -> str:
    """Return the name under which calendars know the kick-off of a project."""
    return f"kickoff-{project_id}@{host}"


def invitation_file(
    meeting: Meeting, *, organizer: Mailbox, attendee: Mailbox | None, stamp: datetime
) -> bytes:
    """Return the text of an .ics file that invites `attendee`: CRLF lines, folded at 75 bytes, UTF-8."""
    entry = Event()
    entry.add("uid", meeting.uid)
    entry.add("sequence", meeting.sequence)
    entry.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    entry.add("dtstart", meeting.starts.astimezone(UTC))
    entry.add("dtend", meeting.ends.astimezone(UTC))
    entry.add("summary", _clean(meeting.summary))
    entry.add("status", "CONFIRMED")
    for name, words in (("location", meeting.place), ("description", meeting.description)):
        if words:
            entry.add(name, _clean(words))
    if meeting.url:
        entry.add("url", meeting.url)
    entry.add("organizer", _address(organizer), encode=False)
    if attendee is not None:
        invited = _address(attendee)
        for name, value in (
            ("ROLE", "REQ-PARTICIPANT"),
            ("PARTSTAT", "NEEDS-ACTION"),
            ("RSVP", "TRUE"),
        ):
            invited.params[name] = vText(value)
        entry.add("attendee", invited, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//okrgate//kick-off//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(entry)
    text: bytes = calendar.to_ical()
    return text


def _address(mailbox: Mailbox) -> vCalAddress:
    found = vCalAddress(f"mailto:{mailbox.address}")
    if mailbox.name:
        # A parameter can carry neither control characters nor double quotes.
        found.params["CN"] = vText(_clean(mailbox.name).replace('"', "'").replace("\n", " "))
    return found


def _clean(text: str) -> str:
    """Drop control characters, which no calendar text may carry; keep line ends."""
    return "".join(
        character
        for character in text.replace("\r\n", "\n")
        if character == "\n" or ord(character) >= 32
    )
