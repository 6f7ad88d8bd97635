"""What goes into people's calendars with a mail: a kick-off, a gate meeting, and that there is none."""

from email.message import EmailMessage

from okrgate.delivery import calendar
from okrgate.delivery.calendar import Entry, Mailbox
from okrgate.events import Event, KickoffInvited, MeetingCancelled, MeetingEvent


def attach(
    mail: EmailMessage, event: Event, attendee: Mailbox, *, organizer: str, link: str
) -> None:
    """Put the invitation to the mail, if the event is about a date."""
    if isinstance(event, KickoffInvited):
        text = calendar.invitation(event, organizer=organizer, link=link, attendee=attendee)
        _attach(mail, text, "kick-off.ics", "REQUEST")
    elif isinstance(event, MeetingEvent):
        text, method = meeting(event, organizer=organizer, link=link, attendee=attendee)
        _attach(mail, text, "meeting.ics", method)


def meeting(
    event: MeetingEvent, *, organizer: str, link: str, attendee: Mailbox
) -> tuple[str, str]:
    """Return a gate meeting as the text of an .ics file, and its method. The UID stays the same for a meeting for ever."""
    gone = isinstance(event, MeetingCancelled)
    lines = [f"Chaired by {event.chair}", *event.agenda, link]
    entry = Entry(
        name=f"meeting-{event.meeting_id}",
        starts=event.starts,
        ends=event.ends,
        summary=event.name,
        description="\n".join(lines),
        place=event.place,
        sequence=event.sequence,
        cancelled=gone,
    )
    text = calendar.written(entry, organizer=organizer, link=link, attendee=attendee)
    return text, "CANCEL" if gone else "REQUEST"


def _attach(mail: EmailMessage, text: str, name: str, method: str) -> None:
    mail.add_attachment(
        text.encode(),
        maintype="text",
        subtype="calendar",
        filename=name,
        params={"method": method},
    )
