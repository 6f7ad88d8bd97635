"""okrgate for the benchmark that drives several systems alike: its jobs, on the server that `okrgate serve` starts.

`okrgate:workers=1,mail=yes` are options: how many processes serve, and whether `okrgate worker` runs beside them
and sends what the transitions tell (its time then counts as the server's, as it does where mail is sent in a request).
"""

import json
import os
import sqlite3
import sys
from pathlib import Path

from adapters.base import PASSWORD, Adapter
from loadgen import DONE, FAIL, Req, hidden

_HERE = Path(__file__).resolve().parent.parent
_STAGES = ["idea", "scoping", "business_case", "build", "pilot", "launch"]


class App(Adapter):
    """What the benchmark asks of every system."""

    name = "okrgate"
    port = 8110
    dbs = ("sqlite", "pg")

    def __init__(self, root, db="sqlite", server=None, workers=None, mail="no"):
        """Take the options."""
        super().__init__(root, db, server)
        self.workers, self.threads = int(workers or self.workers), 1
        self.mail = mail == "yes"
        self.note = (
            "each gate judged twice, a chained record, receipts, mail through an outbox; "
            + (
                "the worker that sends it counted in"
                if self.mail
                else "the worker that sends it not running"
            )
        )
        port = os.environ.get("BENCH_PG_PORT", "54329")
        self.url = (
            f"sqlite:///{self.root}/okrgate.db"
            if db == "sqlite"
            else f"postgresql+psycopg://bench:bench@127.0.0.1:{port}/okrgate"
        )
        self.env_ = {
            "OKRGATE_DATABASE_URL": self.url,
            "OKRGATE_DATA": str(self.root),
            "OKRGATE_SECRET_KEY": "b" * 24 + "-4r7Kq2Xw9Zt",
            "OKRGATE_BASE_URL": f"http://127.0.0.1:{self.port}",
            "OKRGATE_SMTP_PORT": str(self.smtp_port),
            # An installed wheel's code is compiled; here it is by the first start.
            "PYTHONPYCACHEPREFIX": str(self.root / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def setup(self):
        """Everything is there: this runs in okrgate's own environment."""

    def freeze(self):
        """Return what is installed."""
        return self.sh(sys.executable, "-m", "pip", "freeze", "--exclude-editable").split()

    def seed(self, n):
        """Bring the database to n projects that wait, and 2,000 that go round."""
        told = self.sh(sys.executable, "-W", "ignore", _HERE / "seeding.py", self.url, self.root, n)
        self.round = {
            int(user): items for user, items in json.loads(told.splitlines()[-1])["round"].items()
        }

    def server_cmd(self):
        """Return the documented command; with mail, a shell that starts the worker below it."""
        okrgate = [sys.executable, "-m", "okrgate.commands"]
        serve = [
            *okrgate,
            "serve",
            "--port",
            str(self.port),
            "--workers",
            str(self.workers),
            "--no-migrate",
        ]
        if not self.mail:
            return serve, self.env_, str(self.root)
        both = f"{' '.join(okrgate)} worker & exec {' '.join(serve)}"
        return ["/bin/sh", "-c", both], self.env_, str(self.root)

    def ready_path(self):
        """Return the page that anybody may see."""
        return "/sign-in"

    def login(self, sess, user):
        """Sign in as people do."""
        page = yield Req("login", "GET", "/sign-in")
        typed = {
            "csrf_token": hidden(page.body, "csrf_token"),
            "email": f"u{user}@example.org",
            "password": PASSWORD,
        }
        answer = yield Req("login", "POST", "/sign-in", typed)
        if answer.status != 303:
            raise RuntimeError(f"nobody came in: {answer.status} {answer.text[:2000]}")

    def queue_path(self, user):
        """Return the queue's address."""
        return "/approvals"

    def queue_ok(self, body, user):
        """Tell whether it lists a full page."""
        return body.count(b'href="/approvals/') >= 25

    def item_path(self, item):
        """Return the address of the project with the long history; only that one is asked for."""
        return f"/projects/{self.round[1][0][0]}"

    def items_of(self, user, n, skip_first=True):
        """Return the places of the projects that a director takes round."""
        return list(range(1 if skip_first else 0, len(self.round[user])))

    def transitions(self, sess, user, items):
        """Take one project after another through its next gate."""
        mine = self.round[user]
        while True:
            for place in items:
                reference, stage = mine[place]
                path = f"/projects/{reference}/moves/from_{stage}"
                page = yield Req("get_form", "GET", path)
                key = hidden(page.body, "key")
                if not key:
                    yield FAIL
                    continue
                typed = {name: hidden(page.body, name) for name in ("csrf_token", "key", "version")}
                answer = yield Req("post", "POST", path, typed)
                if answer.status != 303:
                    yield FAIL
                    continue
                mine[place] = reference, _STAGES[(_STAGES.index(stage) + 1) % len(_STAGES)]
                yield DONE

    def transitions_done(self):
        """Count the moves in the record."""
        if self.db != "sqlite":
            return None
        with sqlite3.connect(self.root / "okrgate.db", timeout=30) as database:
            count = "SELECT count(*) FROM audit_entries WHERE action = 'project.moved'"
            return database.execute(count).fetchone()[0]
