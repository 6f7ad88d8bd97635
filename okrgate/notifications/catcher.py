"""The demo's mail catcher: a mail server that keeps every message in a folder and sends nothing on."""

import re
import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from okrgate import clock
from okrgate.notifications.wording import one_line, printable
from okrgate.web.render import is_own_path

if TYPE_CHECKING:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, Envelope, Session

MOST = 200
_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
_LARGEST = 2 * 1024 * 1024


@dataclass(frozen=True)
class CaughtMail:
    """One message as the demo shows it: plain text only. `links` are paths on this site."""

    name: str
    sender: str
    to: str
    subject: str
    date: str
    text: str
    links: tuple[str, ...]
    attachments: tuple[str, ...]


class _Keeper:
    """Writes each message into the folder, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: "SMTP", _session: "Session", envelope: "Envelope") -> str:  # noqa: N802 aiosmtpd's name
        name = f"{clock.now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(content)
        unfinished.rename(self._folder / f"{name}.eml")
        return "250 Kept"


def folder_in(data_dir: Path) -> Path:
    """Return the folder of caught mail."""
    return data_dir / "mail"


def start(data_dir: Path, *, host: str, port: int) -> "Controller":
    """Begin to catch, in a thread. Raises OSError when the port is taken. Call stop() on what is returned."""
    from aiosmtpd.controller import Controller  # only the demo catches mail

    folder = folder_in(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(_Keeper(folder), hostname=host, port=port, data_size_limit=_LARGEST)
    controller.start()
    return controller


def listed(data_dir: Path, *, base_url: str = "") -> list[CaughtMail]:
    """Return the newest messages, newest first."""
    folder = folder_in(data_dir)
    if not folder.is_dir():
        return []
    names = sorted(
        (path.stem for path in folder.glob("*.eml") if _NAME.fullmatch(path.stem)), reverse=True
    )
    found = (find(data_dir, name, base_url=base_url) for name in names[:MOST])
    return [mail for mail in found if mail is not None]


def find(data_dir: Path, name: str, *, base_url: str = "") -> CaughtMail | None:
    """Return one message by its name, if it is there and can be read."""
    if not _NAME.fullmatch(name):
        return None
    try:
        content = (folder_in(data_dir) / f"{name}.eml").read_bytes()[:_LARGEST]
    except OSError:
        return None
    mail = message_from_bytes(content, policy=policy.default)
    text = _text(mail)
    return CaughtMail(
        name=name,
        sender=one_line(str(mail.get("From", ""))),
        to=one_line(str(mail.get("To", ""))),
        subject=one_line(str(mail.get("Subject", ""))),
        date=one_line(str(mail.get("Date", ""))),
        text=text,
        links=_own_links(text, base_url),
        attachments=tuple(one_line(part.get_filename() or "") for part in mail.iter_attachments()),
    )


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    if body is None:
        return ""
    try:
        return printable(str(body.get_content()))
    except (LookupError, ValueError):
        return ""


def _own_links(text: str, base_url: str) -> tuple[str, ...]:
    """Find the addresses below our own, as paths: only these are shown as links."""
    if not base_url:
        return ()
    paths = (found.group(1) for found in re.finditer(re.escape(base_url) + r"(/[^\s<>\"]*)", text))
    return tuple(dict.fromkeys(path for path in paths if path != "/" and is_own_path(path)))
