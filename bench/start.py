"""From the start of the server's process to its first answer, and the memory it takes. Reports; never fails a build.

    python bench/start.py [--starts 5] [--workers 2] [--requests 1000]

Shapes: `okrgate serve --no-migrate` as in production, on SQLite, over HTTP; its code is compiled beforehand, as an
installed one's is. `cpu` is that of all its processes until the first answer. PSS is the memory of all its processes,
what they share counted once; between the figures one client asks for a project with 50 entries in its history.
"""

import argparse
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import company

from okrgate.accounts import sessions
from okrgate.database import db
from okrgate.projects.models import Project

_PATIENCE = 60.0


class Server:
    """A server of its own process group."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Start it and wait for its first byte."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = os.environ | {
            "OKRGATE_DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "OKRGATE_DATA": str(folder),
            "OKRGATE_SECRET_KEY": company.SECRET,
            "OKRGATE_BASE_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        command = [sys.executable, "-m", "okrgate.commands", "serve", "--no-migrate"]
        command += ["--port", str(self.port), "--workers", str(workers)]
        began = time.perf_counter()
        self.process = subprocess.Popen(  # noqa: S603 our own command
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait(began)
        self.first_byte = time.perf_counter() - began
        self.cpu = sum(_cpu(one) for one in self._tree())

    def _wait(self, began: float) -> None:
        while time.perf_counter() - began < _PATIENCE:
            with suppress(OSError):
                self.get("/sign-in")
                return
            time.sleep(0.005)
        raise SystemExit("The server does not answer.")

    def get(self, path: str, cookie: str = "", times: int = 1) -> None:
        """Ask for a page, again and again on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for _ in range(times):
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status}")
        connection.close()

    def memory(self) -> float:
        """Return the PSS of all processes in MiB."""
        found = 0
        for one in self._tree():
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    found += int(line.split()[1])
        return found / 1024

    def _tree(self) -> list[int]:
        found, ahead = [], [self.process.pid]
        while ahead:
            one = ahead.pop()
            found.append(one)
            for task in Path(f"/proc/{one}/task").iterdir():
                ahead += [int(child) for child in (task / "children").read_text().split()]
        return found

    def stop(self) -> None:
        """End it."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


def _cpu(process: int) -> float:
    parts = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, parts[11:13])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start, measure, stop."""
    options = argparse.ArgumentParser()
    options.add_argument("--starts", type=int, default=5)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--requests", type=int, default=1000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = company.application(f"sqlite:///{folder}/bench.db", folder)
        with app.app_context():
            made = company.found()
            number = company.going_round(made, 1)
            company.go_on(number, made, 1, 49)
            path = f"/projects/{db.session().get_one(Project, number).reference}"
            token = sessions.start(made.directors[1], device="bench")
            db.session.remove()
            db.engine.dispose()
        with app.test_request_context():
            signer = app.session_interface.get_signing_serializer(app)
        cookie = f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps({'_user_id': token, '_fresh': True})}"
        Server(folder, chosen.workers).stop()
        taken, worked = [], []
        for _ in range(chosen.starts):
            server = Server(folder, chosen.workers)
            taken.append(server.first_byte * 1000)
            worked.append(server.cpu * 1000)
            server.stop()
        print(f"first byte {statistics.median(taken):.0f} ms (best {min(taken):.0f}), ", end="")
        print(f"cpu {statistics.median(worked):.0f} ms, {chosen.workers} workers")
        server = Server(folder, chosen.workers)
        print(f"PSS {server.memory():.0f} MiB after the start", end="")
        for turn in (1, 2, 3):
            for _ in range(4):
                server.get(path, cookie, chosen.requests // 4)
            print(f", {server.memory():.1f} after {turn * chosen.requests}", end="", flush=True)
        print()
        server.stop()


if __name__ == "__main__":
    main()
