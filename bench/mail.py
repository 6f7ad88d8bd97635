"""How fast the outbox empties, and what a slow relay does to people. Reports; never fails a build.

    python bench/mail.py [--mails 1000] [--delay 200]

Shapes: a relay of the least kind in a process of its own on this machine; one worker's thread, one connection, SQLite.
First the mails that so many passed gates left are claimed, written, sent and settled. Then a worker sends to a relay
that takes `--delay` ms for each mail while somebody takes a project round: their POSTs beside those with no relay.
"""

import argparse
import multiprocessing
import re
import socketserver
import statistics
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import company
import copies
from flask import Flask
from sqlalchemy import func, select, update

from okrgate.config import Mail
from okrgate.database import db, transaction
from okrgate.notifications import delivery, worker
from okrgate.notifications.models import MAIL, SENT, WAITING, OutboxRow
from okrgate.projects.models import Project

_HIDDEN = re.compile(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"')
_ROUNDS = 24


class _Relay(socketserver.StreamRequestHandler):
    """Enough of SMTP to take mail."""

    delay = 0.0
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.wfile.write(b"220 relay\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
                time.sleep(self.delay)
            elif verb == b"QUIT":
                self.wfile.write(b"221 good-bye\r\n")
                return
            self.wfile.write(b"250-relay\r\n250 8BITMIME\r\n" if verb == b"EHLO" else b"250 ok\r\n")


def _relay(delay: float, told) -> None:
    _Relay.delay = delay
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Relay) as server:
        told.send(server.server_address[1])
        server.serve_forever()


class Relay:
    """A relay that runs while the block does; `port` is where."""

    def __init__(self, delay: float = 0.0) -> None:
        here, there = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_relay, args=(delay, there), daemon=True)
        self._process.start()
        self.port = here.recv()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_what: object) -> None:
        self._process.terminate()
        self._process.join()


def main() -> None:
    """Fill the outbox, empty it, then go round beside a slow relay."""
    options = argparse.ArgumentParser()
    options.add_argument("--mails", type=int, default=1000)
    options.add_argument("--delay", type=float, default=200)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = company.application(f"sqlite:///{folder}/bench.db", folder)
        with app.app_context():
            made = company.found()
            number = company.going_round(made, 0)
            company.go_on(number, made, 0, 1)
            reference = db.session().get_one(Project, number).reference
            _fill(chosen.mails)
        with Relay() as relay:
            _at(app, relay.port)
            with app.app_context():
                _empty()
        client = _browser(app, made)
        _go_round(client, reference, 6)
        alone = _go_round(client, reference, _ROUNDS)
        with app.app_context():
            _fill(400)
        over = threading.Event()
        with Relay(chosen.delay / 1000) as relay:
            _at(app, relay.port)
            thread = threading.Thread(target=_send, args=(app, over))
            thread.start()
            beside = _go_round(client, reference, _ROUNDS)
            over.set()
            thread.join()
        print(f"a POST, nothing sent beside it: p50 {_p50(alone):.1f} ms, longest {max(alone):.1f}")
        print(
            f"a POST while a relay takes {chosen.delay:.0f} ms a mail:"
            f" p50 {_p50(beside):.1f} ms, longest {max(beside):.1f}"
        )
        with app.app_context():
            db.engine.dispose()


def _at(app: Flask, port: int) -> None:
    settings = app.extensions["okrgate.settings"]
    app.extensions["okrgate.settings"] = replace(settings, mail=Mail(port=port))


def _fill(count: int) -> None:
    """Let so many mails wait: copies of one that a passed gate wrote."""
    row = db.session().scalars(select(OutboxRow).where(OutboxRow.channel == MAIL)).first()
    if row is None:
        raise SystemExit("No mail was written.")
    names = [column.name for column in OutboxRow.__table__.columns if column.name != "id"]
    values = {name: getattr(row, name) for name in names}
    values |= {"status": WAITING, "attempts": 0, "sent_at": None, "claimed_until": None}
    begun = db.session().scalar(select(func.max(OutboxRow.id)))
    made = [
        values | {"dedupe_key": f"{begun}-{one}", "message_id": f"<{begun}-{one}@bench>"}
        for one in range(count)
    ]
    with transaction() as session:
        session.execute(update(OutboxRow).values(status=SENT))
        session.execute(OutboxRow.__table__.insert(), made)
    copies.finish()


def _empty() -> None:
    delivery.send_due(10)
    began, worked = time.perf_counter(), time.process_time()
    sent = worker.send_all()
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    print(f"{sent} mails: {sent / seconds:.0f} a second, {cpu / sent * 1000:.2f} ms cpu each")


def _send(app: Flask, over: threading.Event) -> None:
    with app.app_context():
        while not over.is_set():
            delivery.send_due(5)


def _browser(app: Flask, made: company.Company):
    with app.app_context():
        return company.browser(app, made.directors[0])


def _go_round(client, reference: str, rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        page = client.get(f"/projects/{reference}").text
        path = re.search(rf"/projects/{reference}/moves/from_\w+", page)
        if path is None:
            raise SystemExit("The project cannot go on.")
        typed = dict(_HIDDEN.findall(client.get(path[0]).text))
        began = time.perf_counter()
        answer = client.post(path[0], data=typed)
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 303:
            raise SystemExit(f"{path[0]}: {answer.status_code}")
    return taken


def _p50(taken: list[float]) -> float:
    return statistics.median(taken)


if __name__ == "__main__":
    main()
