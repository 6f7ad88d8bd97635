"""Several people press a button at the same moment: in threads of one process, or in processes of their own."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Barrier
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.approvals.models import Round
from okrgate.database import db
from okrgate.stages import settling
from tests.integration.journey.company import Company

PATIENCE = 120  # seconds; a race that takes longer hangs
Said = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Press:
    """A form that somebody sends."""

    name: str
    client: FlaskClient
    path: str
    data: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back, and to whom."""

    name: str
    decision: str
    status: int
    page: str


def presses(company: Company, said: list[Said]) -> list[Press]:
    """Return what each of these people sends to decide on the round that is open, on pages they all see now."""
    found = open_round(company)
    path, digest = f"/approvals/{found.id}", found.digest
    return [
        Press(name, company[name].client, path, {**words, "digest": digest, "key": f"key {place}"})
        for place, (name, words) in enumerate(said)
    ]


def open_round(company: Company) -> Round:
    """Return the one round of sign-off that waits."""
    project_id = company.project().id
    query = select(Round).where(Round.project_id == project_id, Round.closed_at.is_(None))
    return db.session.scalars(query).one()


def grant(company: Company, names: tuple[str, ...], role: str) -> None:
    """Let these people decide, too."""
    for name in names:
        person = db.session.get_one(Person, company.ids[name])
        company.factory.grant(person, role, company.unit)
    settling.settle(company.project().id)


def in_threads(presses: Sequence[Press]) -> list[Answer]:
    """Send all of them at once, each in a thread of this process."""
    db.session.remove()
    start, moment = Barrier(len(presses)), clock.now()

    def run(press: Press) -> Answer:
        return _answer(press, moment, lambda: start.wait(PATIENCE))

    with ThreadPoolExecutor(len(presses)) as pool:
        return list(pool.map(run, presses, timeout=PATIENCE))


def in_processes(presses: Sequence[Press]) -> list[Answer]:
    """Send all of them at once, each in a process with connections of its own."""
    db.session.remove()
    db.engine.dispose()
    context = multiprocessing.get_context("fork")
    start, moment = context.Barrier(len(presses)), clock.now()
    runs = []
    for press in presses:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(press, moment, start, theirs))
        process.start()
        theirs.close()
        runs.append((process, ours))
    answers = []
    for process, ours in runs:
        assert ours.poll(PATIENCE), "a process does not answer"
        answers.append(ours.recv())
        process.join(PATIENCE)
        assert process.exitcode == 0
    return answers


AT_ONCE: dict[str, Callable[[Sequence[Press]], list[Answer]]] = {
    "threads": in_threads,
    "processes": in_processes,
}


def _child(press: Press, moment: datetime, start: Any, answer_to: Any) -> None:
    answer_to.send(_answer(press, moment, lambda: start.wait(PATIENCE)))
    db.session.remove()
    db.engine.dispose()


def _answer(press: Press, moment: datetime, ready: Callable[[], object]) -> Answer:
    with clock.moved_to(moment):
        ready()
        answer = press.client.post(press.path, data=press.data)
    return Answer(
        press.name, press.data["decision"], answer.status_code, answer.get_data(as_text=True)
    )
