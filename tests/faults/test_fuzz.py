"""Whatever is sent to any route, by whomever: no fault, nothing in the log, and text that was refused is given back."""

import random

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from okrgate.accounts.models import Person
from okrgate.database import db
from tests.conftest import DATABASES
from tests.faults import hostile
from tests.faults.fuzzing import Fuzz, Target
from tests.faults.ground import READERS, Ground, ground
from tests.faults.profile import LONG, times
from tests.integration.journey.stops import WAY, Stops
from tests.integration.test_route_matrix import TABLE

# What starts a process of its own takes long: a few of these are enough.
SLOW = {"workshop.work_on", "workshop.publish", "workshop.roll_back"}


def everything(kept: Ground, words: dict[str, object]) -> Fuzz:
    """Return the walk, after it saw every page of every kind and every form that anybody is shown."""
    fuzz = Fuzz(kept.company.factory.app, kept.browsers, kept.anew, thorough=LONG)
    home = f"/projects/{kept.company.reference}"
    rows = TABLE.items() if "version" in words else ()
    paths = [row.path.format(**words) for name, row in rows if name.startswith("GET")]
    for reader in READERS:
        fuzz.discover(reader, ["/", home, *paths])
    for name, row in rows:
        method, _, endpoint = name.partition(" ")
        if method == "POST":
            pairs = [(key, text.format(**words, day=12)) for key, text in row.data.items()]
            path = row.path.format(**words)
            may = [one for one in READERS if row.expected("POST", one) in {200, 303, 409, 422}]
            for reader in may[:2] or ["Ada"]:
                fuzz.propose(Target(reader, endpoint, path, method, pairs, sorted(dict(pairs))))
    return fuzz


def known_words(words: dict[str, object]) -> list[str]:
    """Return ids and names that belong somewhere, and elsewhere do not."""
    people = db.session.scalars(select(Person.id)).all()
    return sorted({str(one) for one in (*words.values(), *people)}, key=lambda one: (len(one), one))


# The short run tries one stop on one database: the stricter one, where there are both.
@pytest.mark.parametrize("stops", DATABASES if LONG else DATABASES[-1:], indirect=True)
@pytest.mark.parametrize("stop", [*WAY][1:] if LONG else ["in approval"])
def test_nothing_that_is_sent_anywhere_is_a_fault(stops: Stops, stop: str) -> None:
    chance = random.Random(f"{stop} 5")  # noqa: S311 the same every time
    with ground(stops, stop) as (kept, words):
        known = known_words(words)
        fuzz = everything(kept, words)
        for target in fuzz.choose(chance, times(300, 4000)):
            if target.kind.split()[0] not in SLOW or chance.random() < 0.05:
                fuzz.attack(target, chance, known)
        for rule in rules(fuzz.app) * times(1, 5):
            odd = iter(lambda: hostile.value(chance, known), None)
            fuzz.attack_address(rule, chance.choice(READERS), odd)
    assert fuzz.sent > times(700, 4000), fuzz.told()
    assert {200, 303, 403, 404, 422} <= set(fuzz.statuses), fuzz.told()
    assert not fuzz.found.told(), "\n".join([fuzz.told(), *fuzz.found.told()])


def rules(app: Flask) -> list[Rule]:
    """Return every route whose address has a place for something."""
    return [rule for rule in app.url_map.iter_rules() if rule.arguments]
