"""How long finding projects takes among 100,000, in milliseconds. Reports; never fails a build.

    python bench/search.py [--projects 100000] [--rounds 20] [--database sqlite|postgresql] [--keep FOLDER]

Shapes: one process, no network; an ordinary reader, with drafts of others and confidential projects among what is
there. Timed is what the list asks of the database for one page: which projects, then their columns. PostgreSQL is
the private server of the tests. `cpu` is this process's own share, p50: all of it on SQLite.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import company
from sqlalchemy import insert, select, text

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import Model, db, transaction
from okrgate.measurement.models import Target
from okrgate.metrics.models import Metric
from okrgate.projects import search
from okrgate.projects.models import CoEditor, Project
from okrgate.projects.plan_models import RaciRow
from okrgate.projects.search_models import SearchEntry, SearchWord
from okrgate.projects.ticket_models import Problem
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import listing
from okrgate.stages.finding import Query
from okrgate.stages.reading import Reader

_READER = 7
_PEOPLE = 400
_UNITS = 60
_WARM_UP = 3
_STEP = 5_000
_RULES = Path(__file__).resolve().parent.parent / "rules" / "stage_gates.yaml"
_SYLLABLES = [
    "re",
    "ne",
    "wal",
    "cus",
    "to",
    "mer",
    "in",
    "voi",
    "ce",
    "pay",
    "ment",
    "lo",
    "gis",
    "tic",
    "sup",
    "port",
    "fla",
    "gu",
    "mo",
    "ri",
    "za",
    "tel",
    "bo",
    "din",
    "ke",
    "ra",
    "po",
]
_COMMON = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "a",
    "for",
    "that",
    "it",
    "we",
    "our",
    "with",
    "on",
    "as",
    "by",
    "not",
    "are",
    "at",
    "be",
    "from",
    "this",
    "have",
    "has",
]
_QUESTIONS = {
    "first page": Query(),
    "first page, all": Query(state="all"),
    "a rare word": Query(text="zyxomma", state="all"),
    "a common word": Query(text="the", state="all"),
    "a word of one in 20": Query(text="{middle}", state="all"),
    "two words": Query(text="{middle} {other}", state="all"),
    "two common words": Query(text="the of", state="all"),
    "three words": Query(text="{middle} {other} the", state="all"),
    "a beginning": Query(text="re", state="all"),
    "one letter": Query(text="s", state="all"),
    "a reference": Query(text="OKR-54321", state="all"),
    "no match": Query(text="qqqqq", state="all"),
    "two that never meet": Query(text="{middle} zyxomma", state="all"),
    "common, one stage": Query(text="the", stage="plan_work", state="all"),
    "common, a rare stage": Query(text="the", stage="kickoff_planning", state="all"),
    "common, mine": Query(text="the", scope="mine", state="all"),
    "mine": Query(scope="mine", state="all"),
    "common, one unit": Query(text="the", unit_id=9),
    "one unit": Query(unit_id=9),
    "one lead": Query(lead_id=12, state="all"),
    "common, by title": Query(text="the", sort="title", descending=False),
    "by days": Query(sort="days"),
    "by title": Query(sort="title", descending=False),
    "ended": Query(state="ended"),
}


def main() -> None:
    """Fill, measure, print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--projects", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--keep", type=Path, help="fill this folder once, measure it again later")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = chosen.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        with company.database(chosen.database, folder, keep=True) as url:
            app = company.application(url, folder)
            with app.app_context():
                _fill(chosen.projects)
                _measure(chosen.rounds)
                db.engine.dispose()


def _measure(rounds: int) -> None:
    words = {"middle": _vocabulary()[180], "other": _vocabulary()[230]}
    reader = Reader(_READER)
    print(f"{'':24} {'p50 ms':>8} {'p95 ms':>8} {'best ms':>8} {'cpu ms':>8} {'found':>6}")
    every: list[float] = []
    for name, question in _QUESTIONS.items():
        query = replace(question, text=question.text.format(**words))
        taken, worked, found = [], [], 0
        for turn in range(rounds + _WARM_UP):
            began, busy = time.perf_counter(), time.process_time()
            found = len(listing.page_of(query, reader).lines)
            if turn >= _WARM_UP:
                taken.append((time.perf_counter() - began) * 1000)
                worked.append((time.process_time() - busy) * 1000)
            db.session.rollback()
        every += taken
        print(
            f"{name:24} {_p(taken, 50):8.1f} {_p(taken, 95):8.1f} {min(taken):8.1f} {_p(worked, 50):8.1f} {found:6}"
        )
    print(f"{'all together':24} {_p(every, 50):8.1f} {_p(every, 95):8.1f}")


def _p(taken: list[float], share: int) -> float:
    return statistics.quantiles(taken, n=100)[share - 1]


def _fill(number: int) -> None:
    """Make the company, its projects and their words, unless they are there already."""
    if db.session.scalar(select(Project.id).limit(1)):
        db.session.rollback()
        return
    began = time.perf_counter()
    version = rulebooks.publish(_RULES.read_text(encoding="utf-8"), by=None)
    dice = random.Random(20)  # noqa: S311 the same company each time
    with transaction():
        _company()
    stages = list(rulebooks.rulebook(version.id).stages)
    for first in range(1, number + 1, _STEP):
        with transaction():
            _projects(range(first, min(first + _STEP, number + 1)), stages, version, dice)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    print(f"{number} projects in {time.perf_counter() - began:.0f} s")


def _company() -> None:
    _put(
        OrgUnit,
        [
            {
                "id": one,
                "name": f"Unit {one}",
                "kind": "team",
                "path": f"/1/{one}/" if one > 1 else "/1/",
                "domain": "",
                "active": True,
            }
            for one in range(1, _UNITS + 1)
        ],
    )
    _put(
        Person,
        [
            {
                "id": one,
                "name": f"Person {one}",
                "email": f"p{one}@example.com",
                "unit_id": one % _UNITS + 1,
                "created_at": clock.now(),
            }
            for one in range(1, _PEOPLE + 1)
        ],
    )
    _put(
        Metric,
        [
            {
                "id": one,
                "name": f"Metric {one}",
                "direction": "up",
                "cadence": "week",
                "steward_id": one,
            }
            for one in range(1, 101)
        ],
    )


def _projects(
    numbers: range, stages: list[str], version: RulebookVersion, dice: random.Random
) -> None:
    rows: dict[type[Model], list[dict[str, Any]]] = {}
    for number in numbers:
        for model, row in _project(number, stages, version, dice):
            rows.setdefault(model, []).append(row)
    for model, some in rows.items():
        _put(model, some)


def _project(
    number: int, stages: list[str], version: RulebookVersion, dice: random.Random
) -> Iterator[tuple[type[Model], dict[str, Any]]]:
    """Yield a project's rows: most have ended, one in 20 is a draft, one in 20 confidential."""
    # A few stages hold many projects and some hold few; the last one holds those that ended.
    ended = dice.random() < 0.6
    stage = stages[-1] if ended else stages[min(int(dice.expovariate(0.4)), len(stages) - 1)]
    entered = clock.now() - timedelta(minutes=dice.randrange(1, 3_000_000))
    changed = min(clock.now(), entered + timedelta(minutes=dice.randrange(60_000)))
    title, problem = _text(dice, 6).capitalize(), _text(dice, 80)
    if number % 20_011 == 0:
        problem += " zyxomma"
    reference = f"OKR-{number:03d}"
    people = [dice.randrange(1, _PEOPLE + 1) for _ in range(5)]
    yield (
        Project,
        {
            "id": number,
            "reference": reference,
            "title": title,
            "process_id": version.process_id,
            "rulebook_version_id": version.id,
            "home_unit_id": dice.randrange(2, _UNITS + 1),
            "submitter_id": people[0],
            "lead_id": people[1],
            "sponsor_id": people[2],
            "benefits_owner_id": people[3],
            "stage": stage,
            "stage_entered_at": entered,
            "closed_at": changed if ended else None,
            "submitted_at": None if dice.random() < 0.05 else entered,
            "confidential": dice.random() < 0.05,
            "created_at": entered,
            "changed_at": changed,
        },
    )
    yield Problem, {"project_id": number, "problem": problem}
    digest, words = search.entry_of(reference, title, problem)
    yield SearchEntry, {"project_id": number, "digest": digest}
    for word in words:
        yield SearchWord, {"word": word, "project_id": number}
    for position, person in enumerate(people[2:]):
        yield (
            RaciRow,
            {"project_id": number, "position": position, "person_id": person, "letter": "C"},
        )
    if number % 10 == 0:
        yield CoEditor, {"project_id": number, "person_id": people[4]}
    yield Target, {"project_id": number, "metric_id": dice.randrange(1, 101)}


def _text(dice: random.Random, length: int) -> str:
    """Return words as people write: a few of them all the time, most of them seldom."""
    known = _vocabulary()
    return " ".join(known[int(len(known) ** dice.random()) - 1] for _ in range(length))


@cache
def _vocabulary() -> list[str]:
    dice = random.Random(4)  # noqa: S311 the same words each time
    made = {
        "".join(dice.choice(_SYLLABLES) for _ in range(dice.randrange(2, 5))): None
        for _ in range(20_000)
    }
    return [*_COMMON, *made]


def _put(model: type[Model], rows: list[dict[str, Any]]) -> None:
    db.session.execute(insert(model), rows)


if __name__ == "__main__":
    main()
