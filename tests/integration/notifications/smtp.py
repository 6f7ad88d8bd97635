"""Mail servers of every temper, on this machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask

from okrgate.config import Mail, Settings
from tests.machine import PATIENCE, free_port

Answer = Callable[[str], str | None]


@dataclass
class Server:
    """Keeps what it took. `to_rcpt` and `to_data` may answer otherwise than with a yes."""

    to_rcpt: Answer = lambda _address: None
    to_data: Answer = lambda _address: None
    taken: list[EmailMessage] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802 aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        refused = self.to_rcpt(address)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        refused = self.to_data(envelope.rcpt_tos[0])
        if refused is None or refused.startswith("KEEP "):
            assert isinstance(envelope.content, bytes)
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return (refused or "250 OK").removeprefix("KEEP ")


@contextmanager
def running(server: Server) -> Iterator[int]:
    """Run the server; yield its port."""
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@contextmanager
def black_hole() -> Iterator[int]:
    """Take connections and never say a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        over = threading.Event()
        yield listener.getsockname()[1]
        over.set()


def use(app: Flask, port: int, *, timeout: float = PATIENCE) -> None:
    """Let the application send there."""
    settings: Settings = app.extensions["okrgate.settings"]
    mail = Mail(host="127.0.0.1", port=port, timeout=timeout)
    app.extensions["okrgate.settings"] = replace(settings, mail=mail)
