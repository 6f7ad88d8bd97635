"""Two people decide the same thing at the same instant: one decision stands, and the other is told whose (R2, R3)."""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from html import unescape

import pytest
from sqlalchemy import select

from okrgate.approvals.models import SignoffRow
from okrgate.database import db
from okrgate.stages import settling
from tests.faults.profile import times
from tests.faults.racing import AT_ONCE, Answer, Said, grant, open_round, presses
from tests.faults.whole import assert_whole, entries
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops

ROUNDS = times(12, 100)
BACK = {"decision": "returned", "reason": "Cheaper, please.", "move": "return_plan"}
NO = {
    "decision": "declined",
    "reason": "Not with us.",
    "revisit": "Never",
    "code": "fit",
    "move": "decline_idea",
}
YES = {"decision": "approved"}

_at = contextmanager(Stops.arrive)


def one_person_in_four_browsers(_company: Company) -> list[Said]:
    return [("Vik", YES)] * 4


def four_people_for_one_seat(company: Company) -> list[Said]:
    return [(name, YES) for name in _reviewers(company)]


def two_approve_and_two_decline(company: Company) -> list[Said]:
    return list(zip(_reviewers(company), (YES, NO, YES, NO), strict=True))


def two_approve_and_two_send_back(company: Company) -> list[Said]:
    grant(company, ("Pat", "Oli", "Led"), "vice_president")
    return list(zip(("Vik", "Pat", "Oli", "Led"), (YES, BACK, YES, BACK), strict=True))


CASES: tuple[tuple[str, Callable[[Company], list[Said]]], ...] = (
    ("half approved", one_person_in_four_browsers),
    ("judged", two_approve_and_two_decline),
    ("judged", four_people_for_one_seat),
    ("half approved", two_approve_and_two_send_back),
)


@pytest.mark.parametrize("where", AT_ONCE)
def test_of_many_decisions_at_once_one_stands(stops: Stops, where: str) -> None:
    alone: dict[tuple[str, str, str], Counter[tuple[str, str]]] = {}
    for number in range(ROUNDS):
        stop, who = CASES[number % len(CASES)]
        with _at(stops, stop) as company:
            round_id, pressed = open_round(company).id, presses(company, who(company))
            before = len(company.mails())
            winner = _only_winner(company, round_id, AT_ONCE[where](pressed))
            told = Counter(company.mails()[before:])
        key = (stop, winner.name, winner.decision)
        if key not in alone:
            alone[key] = _mails_without_a_race(stops, stop, who, winner)
        assert told == alone[key]


def _only_winner(company: Company, round_id: int, answers: list[Answer]) -> Answer:
    """Check that one decision stands and that whoever lost was told so; return whose it is."""
    db.session.rollback()
    assert sorted(one.status for one in answers) == [303, 409, 409, 409], answers
    winner = next(one for one in answers if one.status == 303)
    for loser in answers:
        if loser.name == winner.name:
            continue
        assert winner.name in unescape(loser.page), loser.page.partition("<main")[2][:900]
    row = db.session.scalars(select(SignoffRow).where(SignoffRow.round_id == round_id)).all()[-1]
    assert (row.person_id, row.decision) == (company.ids[winner.name], winner.decision)
    decisions = [
        one
        for one in entries(row.project_id, "signoff.")
        if one.target == f"round:{round_id}" and one.actor_id != company.ids["Mia"]
    ]
    assert len(decisions) == 1
    assert_whole()
    settling.sweep()
    assert len([one for one in entries(row.project_id, "signoff.") if one in decisions]) == 1
    return winner


def _mails_without_a_race(
    stops: Stops, stop: str, who: Callable[[Company], list[Said]], winner: Answer
) -> Counter[tuple[str, str]]:
    """Return the mails that the winner's decision brings about when nobody else decides."""
    with _at(stops, stop) as company:
        said = [one for one in who(company) if (one[0], one[1]["decision"]) == _named(winner)]
        before, press = len(company.mails()), presses(company, said)[0]
        assert press.client.post(press.path, data=press.data).status_code == 303
        return Counter(company.mails()[before:])


def _named(answer: Answer) -> tuple[str, str]:
    return answer.name, answer.decision


def _reviewers(company: Company) -> tuple[str, ...]:
    """Let four people review: one seat waits for any of them."""
    grant(company, ("Pat", "Oli", "Led"), "mgmt_reviewer")
    return ("Rex", "Pat", "Oli", "Led")
