"""Many are decided together while somebody else decides on some of them: in each, one word stands."""

from collections import Counter
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.database import db
from tests.factories import Factory
from tests.faults.racing import Press, in_threads
from tests.integration.several import Several


def test_of_many_and_one_at_the_same_instant_one_word_stands_in_each(
    app: Flask, factory: Factory, tmp_path: Path
) -> None:
    company = Several(factory, tmp_path)
    rounds = [company.ask(f"Idea {number}") for number in range(4)]
    digests = {one: db.session.get_one(Round, one).digest for one in rounds}
    rows = [("row", f"{one}:{digests[one]}") for one in rounds]
    together = MultiDict([("key", "a" * 32), ("decision", "approved"), *rows])
    presses = [
        Press("Dan", company["Dan"].client, "/approvals/together", together),
        *(
            Press(
                "Dora",
                company["Dora"].client,
                f"/approvals/{one}",
                {"decision": "returned", "reason": "No.", "digest": digests[one], "key": f"k{one}"},
            )
            for one in rounds[1:3]
        ),
    ]
    answers = in_threads(presses)
    db.session.rollback()
    words = db.session.scalars(select(SignoffRow)).all()
    assert Counter(one.round_id for one in words) == dict.fromkeys(rounds, 1)
    for one in words:
        stage = company.project(one.round_id).stage
        assert stage == {"approved": "running", "returned": "idea"}[one.decision]
    mine = sum(1 for one in words if one.person_id == company.ids["Dan"])
    said = f"{mine} of 4 recorded" if mine < 4 else "4 decisions recorded"
    assert said in answers[0].page
    assert sorted(one.status for one in answers[1:]) == [303] * (4 - mine) + [409] * (mine - 2)
    receipts = db.session.scalars(select(Receipt).where(Receipt.signoff_id.is_not(None))).all()
    assert len(receipts) == 4
