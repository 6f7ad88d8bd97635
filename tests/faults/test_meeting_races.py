"""Two lead a meeting at the same instant: it goes one step, and ends once."""

from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.meetings.models import Minutes
from tests.factories import Factory
from tests.faults.racing import Press, in_threads
from tests.integration.meetings.gathering import held, row
from tests.integration.several import Several


def test_of_two_who_step_one_does_and_of_two_who_end_it_one_does(
    app: Flask, factory: Factory, tmp_path: Path
) -> None:
    company = Several(factory, tmp_path)
    meeting, items = held(company, *(company.ask(f"Idea {number}") for number in range(3)))

    browsers = {name: company[name].client for name in ("Dan", "Ada")}

    def both(path: str, *said: dict[str, str]) -> list[int]:
        presses = [
            Press(name, browser, f"/meetings/{meeting}/{path}", {"decision": "", **one})
            for (name, browser), one in zip(browsers.items(), said, strict=True)
        ]
        return sorted(one.status for one in in_threads(presses))

    seen = str(items[0])
    steps = ({"seen": seen, "to": str(items[1])}, {"seen": seen, "to": str(items[2])})
    assert both("step", *steps) == [303, 409]
    assert row(meeting).item_id in items[1:]
    assert both("end", {}, {}) == [303, 409]
    counted = select(func.count()).select_from(Entry)
    assert db.session.scalar(counted.where(Entry.action == "meeting.stepped")) == 1
    assert db.session.scalar(counted.where(Entry.action == "meeting.ended")) == 1
    assert db.session.scalar(select(func.count()).select_from(Minutes)) == 1
