"""Processes of okrgate as an operator starts them, each as if on a host of its own; and a browser that speaks to one."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

PATIENCE = 120.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@contextmanager
def started(
    environment: Mapping[str, str], *arguments: str, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `okrgate` from a folder of its own; end it afterwards. What it says goes to its log."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: of for name, of in os.environ.items() if not name.startswith("OKRGATE_")}
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 our own command, no shell
            [sys.executable, "-m", "okrgate.commands", *arguments],
            cwd=folder,
            env={**plain, "OKRGATE_DATA": str(folder), **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(true: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


class Browser:
    """Speaks to one web process as a proxy would hand it on: by the name that all of them have."""

    def __init__(self, port: int, name: str, cookie: str = "") -> None:
        """Begin with a cookie, or without."""
        self.port, self.name, self.cookie = port, name, cookie

    def up(self, path: str = "/healthz") -> bool:
        """Tell whether it answers with 200."""
        try:
            return self.get(path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> tuple[int, str]:
        """Return status and page."""
        return self._ask("GET", path, None)

    def post(self, path: str, data: Mapping[str, str], *, form: str = "") -> tuple[int, str]:
        """Send a form with the token of the page that shows it."""
        found = _TOKEN.search(self.get(form or path)[1])
        assert found, "the page has no form"
        return self._ask("POST", path, {**data, "csrf_token": found[1]})

    def _ask(self, method: str, path: str, data: Mapping[str, str] | None) -> tuple[int, str]:
        headers = {"Host": self.name, "Cookie": self.cookie}
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode()
            for given in answer.headers.get_all("Set-Cookie", []):
                self.cookie = given.partition(";")[0]
            return answer.status, page
        finally:
            connection.close()
