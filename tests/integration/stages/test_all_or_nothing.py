"""A crossing is one change: whatever breaks on the way, nothing of it is left behind, and it can be done again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.database import db
from okrgate.measurement import effects as measurement
from okrgate.stages import crossing, judging, moving, preparing, settling, signing
from okrgate.stages.preparing import Answers
from okrgate.stages.signing import Ask
from tests.dumps import differences, dump
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

Act = Callable[[Company], object]


class Broken(RuntimeError):
    """What the tests let happen."""


def send_for_review(company: Company) -> object:
    """Sue moves the project by hand."""
    return moving.move(
        company.project().id, "submit_idea", by=company.ids["Sue"], answers=Answers(), key="k1"
    )


def open_by_itself(company: Company) -> object:
    """The last sign-off is given; the gate opens by itself."""
    return moving.move(company.project().id, "approve_plan", by=None, after="Vik")


def sign(company: Company) -> object:
    """Vik signs."""
    found = open_round(company)
    return signing.decide(found.id, Ask("approved", found.digest, "k2"), by=company.ids["Vik"])


def send_back(company: Company) -> object:
    """Vik sends the plan back: his word and the move are one change."""
    found = open_round(company)
    ask = Ask("returned", found.digest, "k3", reason="Cheaper, please.", move="return_plan")
    return signing.decide(found.id, ask, by=company.ids["Vik"])


def send_back_by_hand(company: Company) -> object:
    """Vik takes the way back without a word on the gate."""
    answers = Answers(reason="Cheaper, please.")
    return moving.move(company.project().id, "return_plan", by=company.ids["Vik"], answers=answers)


ACTS: dict[str, tuple[str, Act]] = {
    "a move by hand": ("told", send_for_review),
    "an automatic move": ("signed by all", open_by_itself),
    "a sign-off": ("half approved", sign),
    "a return with a decision": ("half approved", send_back),
    "a return by hand": ("half approved", send_back_by_hand),
}

# Every collaborator of a move, in the order in which it is asked.
STEPS_OF_A_MOVE: dict[str, tuple[Any, str]] = {
    "gathering the facts": (preparing, "gather"),
    "judging the gate": (judging, "strict_verdict"),
    "asking whom to tell": (preparing, "whom_to_tell"),
    "locking the project": (preparing, "locked"),
    "asking whether all is as it was judged": (moving, "still_true"),
    "ending the open round": (crossing, "_close_rounds"),
    "setting stage and version": (crossing, "_advance"),
    "entering the stage": (crossing, "_enter"),
    "letting sign-offs lapse": (crossing, "_void"),
    "writing the record": (audit, "record"),
    "running the effects of the stage": (crossing, "_effects"),
    "putting the mails into the outbox": (crossing, "publish"),
}
STEPS_OF_A_SIGN_OFF: dict[str, tuple[Any, str]] = {
    "gathering the facts": (signing, "gather"),
    "asking who may sign": (signing, "standing"),
    "judging the gate": (judging, "strict_verdict"),
    "locking the project": (signing, "locked"),
    "storing the decision": (approvals, "add_signoff"),
    "keeping the receipt": (approvals, "add_receipt"),
    "writing the record": (audit, "record"),
    "putting the mails into the outbox": (signing, "publish"),
}
STEPS_OF_EFFECTS: dict[str, tuple[Any, str]] = {
    "keeping the receipt": (approvals, "add_receipt"),
    "closing the round": (approvals, "close_round"),
    "freezing the bands": (measurement, "freeze_bands"),
    "creating the checkpoints": (measurement, "create_checkpoints"),
}
STEPS_OF_A_RETURN: dict[str, tuple[Any, str]] = {
    "closing the round": (approvals, "close_round"),
    "crossing": (signing, "cross"),
    "checking that the move is still right": (signing, "still_true"),
    "preparing the move": (signing, "prepare"),
}
_WITHOUT_GATE = {name: of for name, of in STEPS_OF_A_MOVE.items() if name != "judging the gate"}
_CROSSING = {
    name: STEPS_OF_A_MOVE[name]
    for name in ("ending the open round", "setting stage and version", "letting sign-offs lapse")
}
STEPS: dict[str, dict[str, tuple[Any, str]]] = {
    "a move by hand": STEPS_OF_A_MOVE,
    "an automatic move": STEPS_OF_A_MOVE | STEPS_OF_EFFECTS,
    "a sign-off": STEPS_OF_A_SIGN_OFF,
    "a return with a decision": STEPS_OF_A_SIGN_OFF | STEPS_OF_A_RETURN | _CROSSING,
    "a return by hand": _WITHOUT_GATE | {"closing the round": (approvals, "close_round")},
}


@pytest.mark.parametrize(
    ("act", "step"),
    [(act, step) for act, steps in STEPS.items() for step in steps],
    ids=lambda value: value.replace(" ", "-"),
)
def test_nothing_is_left_when_it_breaks_after(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, act: str, step: str
) -> None:
    company, do = at_the_start(arrive, act, monkeypatch)
    before = dump()
    broken = 0
    while breaks_after_call(company, do, STEPS[act][step], broken + 1, monkeypatch):
        broken += 1
        assert differences(before, dump()) == {}, f"{step}, call {broken}"
    assert broken, f"{act} never came to: {step}"
    assert differences(before, dump()), "In the end it has to go through."


@pytest.mark.parametrize("act", ACTS, ids=lambda value: value.replace(" ", "-"))
def test_nothing_is_left_whichever_statement_the_database_refuses(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    company, do = at_the_start(arrive, act, monkeypatch)
    before = dump()
    refused = 0
    while True:
        with refusing(refused + 1) as seen:
            try:
                do(company)
            except Broken:
                seen["broken"] = True
        if not seen["broken"]:
            break
        refused += 1
        db.session.rollback()
        if seen["wrote"]:  # else nothing can be left
            assert differences(before, dump()) == {}, seen["statement"]
    assert refused > 20
    assert differences(before, dump())


@pytest.mark.parametrize("act", ACTS, ids=lambda value: value.replace(" ", "-"))
def test_nothing_is_left_when_the_commit_fails(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    company, do = at_the_start(arrive, act, monkeypatch)
    before = dump()
    with monkeypatch.context() as patch:
        patch.setattr(type(db.session()), "commit", _break)
        with pytest.raises(Broken):
            do(company)
    assert differences(before, dump()) == {}
    do(company)
    assert differences(before, dump())


STEPS_OF_SETTLING: dict[str, tuple[Any, str]] = {
    "gathering the facts": (settling, "gather"),
    "judging all gates ahead": (judging, "judge_ahead"),
    "looking up who may sign": (judging, "wanted_seats"),
    "opening the round": (approvals, "begin_round"),
    "asking people": (approvals, "seat_people"),
    "writing the record": (audit, "record"),
    "putting the mails into the outbox": (settling, "publish"),
    "keeping the verdicts": (judging, "store"),
}


@pytest.mark.parametrize("step", STEPS_OF_SETTLING, ids=lambda value: value.replace(" ", "-"))
def test_a_move_stays_when_what_follows_from_it_breaks_and_the_sweep_makes_up_for_it(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    company = arrive("told")
    module, name = STEPS_OF_SETTLING[step]
    with monkeypatch.context() as patch:
        patch.setattr(audit, "_listeners", [])
        send_for_review(company)
    project = company.project().id
    moved = dump()
    with monkeypatch.context() as patch:
        patch.setattr(module, name, _break)
        settling.settle(project)
    assert differences(moved, dump()) == {}
    assert settling.sweep() == 1
    assert approvals.open_round(project) is not None
    settled = dump()
    assert settling.sweep() == 0
    assert differences(settled, dump()) == {}


def test_a_sign_off_is_acknowledged_though_the_move_after_it_breaks(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("half approved")
    with monkeypatch.context() as patch:
        patch.setattr(crossing, "_advance", _break)
        page = company.sign("Vik", "approved")
    assert "Receipt" in page
    assert company.project().stage == "final_approval"
    settling.sweep()
    assert company.project().stage == "kick_off"


def at_the_start(arrive: Arrive, act: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Company, Act]:
    """Return the company where an act begins, and keep what follows from the act out of the way."""
    stop, do = ACTS[act]
    company = arrive("half approved" if stop == "signed by all" else stop)
    monkeypatch.setattr(audit, "_listeners", [])
    if stop == "signed by all":
        sign(company)
    return company, do


def open_round(company: Company) -> Round:
    """Return the project's open round."""
    project_id = company.project().id
    query = select(Round).where(Round.project_id == project_id, Round.closed_at.is_(None))
    return db.session.scalars(query).one()


def breaks_after_call(
    company: Company,
    do: Act,
    step: tuple[Any, str],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> bool:
    """Do it, breaking right after the nth call of a step. False when it came through without an nth call."""
    module, name = step
    real = getattr(module, name)
    calls = 0

    def breaking(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        found = real(*given, **named)
        if calls == number:
            raise Broken
        return found

    with monkeypatch.context() as patch:
        patch.setattr(module, name, breaking)
        try:
            do(company)
        except Broken:
            return True
    return False


@contextmanager
def refusing(number: int) -> Iterator[dict[str, Any]]:
    """Let the database refuse the nth statement from here on; tell which one it was, and whether others wrote."""
    seen: dict[str, Any] = {"count": 0, "statement": "", "broken": False, "wrote": False}

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen["count"] += 1
        if seen["count"] == number:
            seen["statement"] = statement
            raise Broken
        seen["wrote"] |= not statement.startswith("SELECT")

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def _break(*_given: Any, **_named: Any) -> Any:
    raise Broken
