"""Somebody else decides while a decision is still being looked at, at each moment of it: one stands, and the other is told whose (R3)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from okrgate import clock
from okrgate.database import db, is_writing
from tests.faults.profile import times
from tests.faults.racing import Press, grant, presses
from tests.faults.whole import assert_whole
from tests.integration.journey.stops import Stops
from tests.machine import PATIENCE

# Between any two questions that a decision asks; in an ordinary run between some.
STEP = times(6, 1)
BACK = {"decision": "returned", "reason": "Cheaper, please.", "move": "return_plan"}
YES = {"decision": "approved"}

_at = contextmanager(Stops.arrive)


@pytest.mark.parametrize("said", [YES, BACK], ids=["approves", "sends back"])
def test_whoever_is_overtaken_is_told_by_whom(stops: Stops, said: dict[str, str]) -> None:
    moment = 1
    while _overtaken(stops, said, moment):
        moment += STEP
    assert moment > 2 * STEP, "nothing was asked between which somebody could come"


def _overtaken(stops: Stops, said: dict[str, str], moment: int) -> bool:
    """Let Vik decide, and Pat send it back right before Vik's n-th question; tell whether that was in time."""
    with _at(stops, "half approved") as company:
        grant(company, ("Pat",), "vice_president")
        pressed = presses(company, [("Pat", BACK), ("Vik", said)])
        now, answers = clock.now(), {}

        def send(press: Press) -> None:
            with clock.moved_to(now):
                answers[press.name] = press.client.post(press.path, data=press.data)

        with _before_question(moment, lambda: send(pressed[0])):
            send(pressed[1])
        assert_whole()
        if answers["Vik"].status_code == 303:
            # Vik's decision was stored before so many questions were asked.
            assert "Pat" not in answers or answers["Pat"].status_code == 409
            return False
        assert [answers["Vik"].status_code, answers["Pat"].status_code] == [409, 303], moment
        page = unescape(answers["Vik"].get_data(as_text=True)).partition("<main")[2]
        assert "Pat sent it back" in page, (moment, page[:900])
        return True


@contextmanager
def _before_question(moment: int, act: Callable[[], object]) -> Iterator[None]:
    """Let something happen elsewhere right before the n-th question that this thread asks while it only reads."""
    here, asked = threading.get_ident(), 0

    def count(_connection: Connection, *_: Any) -> None:
        nonlocal asked
        if threading.get_ident() != here or is_writing():
            return
        asked += 1
        if asked == moment:
            other = threading.Thread(target=act)
            other.start()
            other.join(PATIENCE)

    engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
