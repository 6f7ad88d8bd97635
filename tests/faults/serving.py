"""A server as it is shipped, in processes of its own, and what people send it over the wire."""

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from flask import session
from flask_wtf.csrf import generate_csrf

from okrgate.accounts import sessions
from tests.conftest import SECRET
from tests.integration.journey.company import Company
from tests.machine import free_port

PATIENCE = 120.0
_SERVE = ("-m", "okrgate.commands", "serve", "--no-migrate")


@dataclass
class Server:
    """`okrgate serve` on a database; everything it starts belongs to a group of its own."""

    url: str
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `wait` until it answers."""
        self.port = free_port()
        environment = {
            **os.environ,
            "OKRGATE_DATABASE_URL": self.url,
            "OKRGATE_DATA": str(self.folder),
            "OKRGATE_SECRET_KEY": SECRET,
            "OKRGATE_BASE_URL": f"http://127.0.0.1:{self.port}",
        }
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 our own command, no shell
                [sys.executable, *_SERVE, "--port", str(self.port)],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it and its workers at once, whatever they are doing."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def has_open(self, file: Path) -> bool:
        """Tell whether one of its processes has a file open."""
        assert self.process is not None
        for place in Path("/proc").iterdir():
            with suppress(OSError):  # it may be gone by now
                if place.name.isdecimal() and os.getpgid(int(place.name)) == self.process.pid:
                    handles = list((place / "fd").iterdir())
                    if any(os.path.realpath(one) == str(file) for one in handles):
                        return True
        return False

    def end(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass
class Wire:
    """Somebody's browser, as far as the wire knows it."""

    cookie: str
    token: str
    acknowledged: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, company: Company, name: str) -> "Wire":
        """Sign somebody in."""
        app = company.factory.app
        with app.test_request_context():
            session["_user_id"] = sessions.start(company.ids[name], device="wire")
            session["_fresh"] = True
            token = generate_csrf()
            signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
            return cls(signer.dumps(dict(session)), token)

    def post(self, server: Server, path: str, data: dict[str, str]) -> int:
        """Send a form; return the status. Raises OSError or HTTPException when no answer comes."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        try:
            body = urlencode({**data, "csrf_token": self.token})
            headers = {
                "Cookie": f"okrgate={self.cookie}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 303:
                self.acknowledged.append(data["key"])
            return answer.status
        finally:
            connection.close()
