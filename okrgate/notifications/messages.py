"""Write the mail about an event to one person: subject, text, HTML, and an invitation to the calendar."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from jinja2 import Environment

from okrgate import clock, events
from okrgate.config import Settings
from okrgate.delivery.calendar import Mailbox
from okrgate.events import Event, ProjectEvent
from okrgate.notifications import invitations, subjects
from okrgate.notifications.wording import day, moment, one_line, printable
from okrgate.web.render import is_own_path

_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*\n")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True)
class Reader:
    """Who will read the mail."""

    person_id: int
    name: str
    email: str
    zone: ZoneInfo


def template_name(kind: type[Event]) -> str:
    """Return where the templates of an event's mail are, without their ending."""
    return f"email/{_CAPITAL.sub('_', kind.__name__).lower()}"


def subject(event: Event) -> str:
    """Write the subject, on one line whatever people typed: `[OKR-042] Title: what happened`."""
    said = one_line(subjects.headline(event))
    if not isinstance(event, ProjectEvent):
        return said
    return f"[{one_line(event.reference)}] {one_line(event.title)}: {said}"


def link(event: Event, settings: Settings) -> str:
    """Return the one address of the mail: always below our own base address."""
    return settings.base_url + (event.path if is_own_path(event.path) else "/")


def compose(event: Event, reader: Reader, *, message_id: str) -> EmailMessage:
    """Write the whole mail. Raises ValueError when the address cannot be written to."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    context = _context(event, reader, settings)
    mail = EmailMessage()
    mail["From"] = _address(*parseaddr(settings.mail.sender))
    mail["To"] = _address(reader.name, _mailbox(event, reader))
    mail["Subject"] = subject(event)
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if isinstance(event, ProjectEvent):
        thread = f"<project-{event.project_id}@{message_id.rpartition('@')[2].rstrip('>')}>"
        mail["References"] = thread
    text, html = _bodies(type(event), context)
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    invitations.attach(
        mail,
        event,
        Mailbox(reader.name, reader.email),
        organizer=parseaddr(settings.mail.sender)[1],
        link=context["link"],
    )
    return mail


def _bodies(kind: type[Event], context: dict[str, Any]) -> tuple[str, str]:
    environment: Environment = current_app.jinja_env
    name = template_name(kind)
    text = environment.get_template(f"{name}.txt").render(context)
    html = environment.get_template(f"{name}.html").render(context)
    return _EMPTY_LINES.sub("\n\n", printable(text)).rstrip() + "\n", printable(html)


def _context(event: Event, reader: Reader, settings: Settings) -> dict[str, Any]:
    asked = subjects.asked(event)
    return {
        "event": event,
        "reader": reader,
        "why": _sentence(next((recipient.why for recipient in event.recipients), "")),
        "asked": asked,
        "verb": "Review" if asked else "View",
        "link": link(event, settings),
        "subject": subject(event),
        "day": day,
        "moment": lambda text: moment(text, reader.zone),
        "base_url": settings.base_url,
    }


def _mailbox(event: Event, reader: Reader) -> str:
    """Return where the mail goes: to the person, except for news about an address, which goes to that one."""
    if isinstance(event, events.EmailChangeAsked | events.EmailChanged):
        return event.address
    return reader.email


def _sentence(why: str) -> str:
    return f"{why.strip().rstrip('.')}." if why.strip() else ""


def _address(name: str, email: str) -> Address:
    """Build an address; raises ValueError (or a subclass) when it is not one."""
    local, at, domain = one_line(email).rpartition("@")
    if not (at and local and domain) or " " in email:
        raise ValueError("The address is not one that mail can be sent to.")
    return Address(one_line(name), local, domain)
