"""Where a project may stand on its way: each stop is reached once, over HTTP, and copied for every test."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from okrgate import clock
from okrgate.accounts.models import OrgUnit
from okrgate.database import db
from tests.conftest import application, copy_database, on_server
from tests.factories import SHIPPED, Factory
from tests.integration.journey.company import Company

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
# Ada administers, Aud audits, Pat has no part in anything.
PEOPLE = {
    "Sue": None,
    "Rex": "mgmt_reviewer",
    "Lea": None,
    "Ines": None,
    "Mia": "managing_director",
    "Vik": "vice_president",
    "Oli": "process_office",
    "Led": "leadership_team",
    "Pat": None,
}
PROBLEM = "Every week customers tell us that a renewal takes them twenty minutes and three calls."


def found_company(company: Company) -> None:
    """Agree on an objective and a metric; Sue has told nobody yet."""
    company.agree_on_numbers("Oli", steward="Ines")


def tell(company: Company) -> None:
    """Sue writes the idea down, all of it."""
    company.begin("Sue", "Renewals in one step")
    company.fill("Sue", "problem/problem", {"problem": PROBLEM, "affected": "Subscribers"})
    company.fill("Sue", "value/value", {"users": "Renewing takes one minute instead of twenty."})
    company.fill(
        "Sue",
        "solution/solution",
        {"solution": "One page that knows what they have and asks only what is new."},
    )
    target = {
        "metric": company.metric,
        "baseline": "5.2",
        "success": "3.5",
        "partial": "4.5",
        "negative": "6",
    }
    company.fill("Sue", "metrics/targets", {f"targets-0-{key}": of for key, of in target.items()})
    company.fill("Sue", "key_results/key_results", {"links-0-key_result": company.key_result})


def submit(company: Company) -> None:
    """Sue sends it: a round of sign-off opens for Rex."""
    company.move("Sue", "submit_idea")


def judge(company: Company) -> None:
    """Rex fills in all that his own page asks for; only his word is missing."""
    company.fill(
        "Rex", "teams/teams", {"teams-0-unit": str(company.unit.id), "teams-0-effort_days": "30"}
    )
    company.fill("Rex", "review/fit", {"team_fit": "yes", "technical": "yes", "operational": "yes"})
    company.fill("Rex", "review/capacity", {"fits": "quarter"})
    company.fill("Rex", "review/priority", {"priority": "should"})
    company.fill("Rex", "backlog/backlog", {"unit": str(company.unit.id), "rank": "1"})
    company.fill(
        "Rex", "people/parts", {"lead": str(company.ids["Lea"]), "sponsor": str(company.ids["Rex"])}
    )


def agree(company: Company) -> None:
    """Rex agrees: the project goes to the backlog by itself."""
    company.sign("Rex", "approved")


def plan(company: Company) -> None:
    """Lea plans everything; Ines confirms the metric."""
    company.move("Lea", "start_planning")
    lea = str(company.ids["Lea"])
    company.fill("Lea", "raci/raci", {"parts-0-person": lea, "parts-0-letter": "A"})
    company.fill(
        "Lea", "raci/raci", {"parts-1-person": str(company.ids["Sue"]), "parts-1-letter": "R"}
    )
    company.fill("Lea", "scope/effort", {"effort_days": "30"})
    company.fill("Lea", "scope/time", {"start": "2027-01-18", "end": "2027-04-01"})
    company.fill("Lea", "scope/people", {"people": "3"})
    company.fill("Lea", "scope/money", {"budget": "90000"})
    company.fill("Lea", "scope/questions", {"q_data_class": "internal"})
    company.fill(
        "Lea", "measurement/reports", {"reports-0-report": "https://reports.example/churn"}
    )
    point = {"target": company.target(), "name": "After a month", "due": "2027-05-01"}
    company.fill(
        "Lea",
        "measurement/checkpoints",
        {f"checkpoints-0-{key}": of for key, of in point.items()},
    )
    ines = company["Ines"]
    ines.open("/measurement/confirmations")
    ines.send({"note": "It is in the weekly report."}, press="It can be reported")


def ask_approval(company: Company) -> None:
    """Lea asks: ninety thousand need both executives."""
    company.move("Lea", "ask_approval")


def half_approve(company: Company) -> None:
    """Mia approves; Vik's word is missing."""
    company.sign("Mia", "approved")


def approve(company: Company) -> None:
    """Vik approves: the bands freeze and the kick-off is next."""
    company.sign("Vik", "approved")


def kick_off(company: Company) -> None:
    """Lea holds the session and plans sprints; the work begins."""
    lea, sue = str(company.ids["Lea"]), str(company.ids["Sue"])
    company.fill(
        "Lea",
        "kickoff/session",
        {"starts": "2027-01-18T10:00", "minutes": "60", "expectations": "One page by April."},
    )
    company.fill(
        "Lea",
        "kickoff/held",
        {
            "held_on": "2027-01-18",
            "attendees-0-person": lea,
            "attendees-0-attended": "y",
            "attendees-1-person": sue,
            "attendees-1-attended": "y",
        },
    )
    company.fill(
        "Lea",
        "kickoff/tasks",
        {"tasks-0-name": "Draw", "tasks-0-owner": sue, "tasks-0-due": "2027-02-01"},
    )
    company.fill(
        "Lea",
        "kickoff/sprints",
        {
            "sprints-0-name": "Sprint 1",
            "sprints-0-start": "2027-01-18",
            "sprints-0-end": "2027-01-29",
        },
    )
    company.move("Lea", "begin_work")


def work(company: Company) -> None:
    """Lea reports and finishes: stakeholders are asked."""
    company.fill(
        "Lea", "delivery/update", {"status": "on_track", "note": "It is live.", "focus": "yes"}
    )
    company.fill("Lea", "delivery/tasks", {"tasks-0-done": "y"})
    company.fill(
        "Lea",
        "wrapup/result",
        {"finished": "yes", "actual_effort_days": "34", "what_happened": "It went well."},
    )
    company.move("Lea", "finish_work")


def hear(company: Company) -> None:
    """Sue says how it went; measuring begins."""
    sue = company["Sue"]
    sue.open("/statements")
    sue.open(next(path for _text, path in sue.links() if path.startswith("/statements/")))
    sue.send({"rating": "4", "went_well": "Fast", "again": "yes"}, press="Send")
    company.move("Lea", "begin_measuring")


def measure(company: Company) -> None:
    """Lea reads the checkpoint and looks back."""
    company.fill(
        "Lea",
        "readings/readings",
        {"readings-0-value": "3.2", "readings-0-evidence": "Billing report, April"},
    )
    company.move("Lea", "begin_look_back")


def look_back(company: Company) -> None:
    """Lea draws the sum and closes."""
    company.fill(
        "Lea",
        "retrospective/retrospective",
        {
            "held_on": "2027-05-20",
            "judgement": "success",
            "repeat": "more",
            "why": "We asked first.",
        },
    )
    company.fill(
        "Lea",
        "lessons/lessons",
        {"lessons-0-lesson": "Ask before building", "lessons-0-owner": str(company.ids["Lea"])},
    )
    company.fill(
        "Lea", "summary/summary", {"text": "Churn fell from 5.2 % to 3.2 %; it takes one minute."}
    )
    company.move("Lea", "close_project")


# The stops in order: the day after the first Monday, and what leads from the stop before to this one.
WAY: dict[str, tuple[int, Callable[[Company], None]]] = {
    "founded": (0, found_company),
    "told": (0, tell),
    "in review": (1, submit),
    "judged": (1, judge),
    "in the backlog": (2, agree),
    "planned": (7, plan),
    "in approval": (8, ask_approval),
    "half approved": (9, half_approve),
    "at the kick-off": (10, approve),
    "in execution": (14, kick_off),
    "wrapping up": (100, work),
    "measuring": (101, hear),
    "looking back": (150, measure),
    "closed": (151, look_back),
}


@dataclass(frozen=True)
class Reached:
    """A stop that was reached: the database to copy, and what the company knew then."""

    database: str
    unit: int
    ids: dict[str, int]
    words: tuple[str, str, str]


@dataclass
class Stops:
    """Reaches stops on one kind of database, each once."""

    folder: Path
    empty: str
    server: str = ""
    rules: Path = SHIPPED
    reached: dict[str, Reached] = field(default_factory=dict)
    _count: int = 0

    def arrive(
        self, stop: str, after: Callable[[Company], None] | None = None
    ) -> Iterator[Company]:
        """Yield the company at a stop, on a copy of its own, with the clock an hour later.

        `after` is a function that was called with it: once, for all who name it.
        """
        at = self._reach_after(stop, after) if after else self._reach(stop)
        url, name = self._copy(at.database)
        with ExitStack() as stack:
            stack.enter_context(_moment(stop, hours=1))
            yield stack.enter_context(_Opened(url, self.folder, at, self.rules))
        self._drop(name)

    def _reach(self, stop: str) -> Reached:
        if stop in self.reached:
            return self.reached[stop]
        names = list(WAY)
        place = names.index(stop)
        before = self._reach(names[place - 1]) if place else None
        url, name = self._copy(before.database if before else self.empty)
        with _moment(stop), _Opened(url, self.folder, before, self.rules) as company:
            WAY[stop][1](company)
            words = (company.reference, company.metric, company.key_result)
            self.reached[stop] = Reached(name, company.unit.id, company.ids, words)
        return self.reached[stop]

    def _reach_after(self, stop: str, after: Callable[[Company], None]) -> Reached:
        key = f"{stop}, after {after.__module__}.{after.__qualname__}"
        if key not in self.reached:
            before = self._reach(stop)
            url, name = self._copy(before.database)
            with _moment(stop, hours=1), _Opened(url, self.folder, before, self.rules) as company:
                after(company)
                words = (company.reference, company.metric, company.key_result)
                self.reached[key] = Reached(name, company.unit.id, company.ids, words)
        return self.reached[key]

    def _copy(self, source: str) -> tuple[str, str]:
        self._count += 1
        if not self.server:
            path = self.folder / f"stop{self._count}.db"
            shutil.copy(source, path)
            return f"sqlite:///{path}", str(path)
        name = f"stop{self._count}_{abs(hash(self.folder)) % 10**8}"
        copy_database(self.server, source, name)
        return self.server.replace("/postgres?", f"/{name}?"), name

    def _drop(self, name: str) -> None:
        if self.server:
            on_server(self.server, f"DROP DATABASE {name} WITH (FORCE)")


class _Opened:
    """A company whose application runs on a database; closed behind itself."""

    def __init__(self, url: str, folder: Path, at: Reached | None, rules: Path) -> None:
        self.app = application(url, folder)
        self.at = at
        self.rules = rules

    def __enter__(self) -> Company:
        self.context = self.app.app_context()
        self.context.push()
        factory = Factory(self.app)
        if self.at is None:
            company = Company.found(factory, self.rules, PEOPLE)
            company.ids["Ada"] = factory.person("Ada", admin=True).id
            company.ids["Aud"] = factory.person("Aud", auditor=True).id
            return company
        unit = db.session.get_one(OrgUnit, self.at.unit)
        return Company(factory, unit, dict(self.at.ids), *self.at.words)

    def __exit__(self, *_: object) -> None:
        db.session.remove()
        db.engine.dispose()
        self.context.pop()


def _moment(stop: str, hours: int = 0) -> AbstractContextManager[None]:
    return clock.moved_to(MONDAY + timedelta(days=WAY[stop][0], hours=hours))
