"""Whatever people do in whatever order, a project is where the rules put it (R1, R8, S7)."""

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from okrgate import clock
from okrgate.approvals.conditions import NewCondition, close_condition
from okrgate.approvals.models import Condition, Round, SignoffRow
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from okrgate.measurement.models import Target
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service
from okrgate.stages.service import Answers, Ask
from okrgate.stages.withdrawing import withdraw
from tests.conftest import DATABASES
from tests.factories import SHIPPED
from tests.faults import model
from tests.faults.model import Model
from tests.faults.profile import LONG, times
from tests.faults.whole import assert_whole, entries
from tests.integration.journey import stops as way
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops
from tests.integration.stages.test_hostile_input import at_once

NAMES = ("Sue", "Rex", "Lea", "Mia", "Vik", "Oli", "Pat")
DECISIONS = (
    "approved",
    "approved",
    "approved",
    "approved_with_conditions",
    "approved_with_conditions",
    "objected",
    "returned",
    "held",
    "declined",
)
# Where an example begins, and what the model has to know there.
BEGINNINGS = {
    "told": Model(model.FIRST),
    "in review": Model(model.REVIEW, rounds=[("review_done", None)]),
    "judged": Model(model.REVIEW, judged=True, rounds=[("review_done", None)]),
    "in the backlog": Model(model.BACKLOG, judged=True, rounds=[("review_done", "satisfied")]),
    "planned": Model(model.PLAN, judged=True, planned=True, rounds=[("review_done", "satisfied")]),
    "in approval": Model(
        model.FINAL,
        judged=True,
        planned=True,
        rounds=[("review_done", "satisfied"), ("executive_signoff", None)],
    ),
}
_SIGNED: list[tuple[str, str | None]] = [
    ("review_done", "satisfied"),
    ("executive_signoff", "satisfied"),
]
# Each stop lies behind so many of the stages in which something has to be written down.
_LATER = {
    "at the kick-off": model.KICK_OFF,
    "in execution": model.EXECUTION,
    "wrapping up": model.WRAP_UP,
    "measuring": model.MEASURING,
    "looking back": model.LOOK_BACK,
}
LATER_BEGINNINGS = {
    stop: Model(stage, judged=True, planned=True, rounds=_SIGNED) for stop, stage in _LATER.items()
}
WORK = {
    model.KICK_OFF: way.kick_off,
    model.EXECUTION: way.work,
    model.WRAP_UP: way.hear,
    model.MEASURING: way.measure,
    model.LOOK_BACK: way.look_back,
}
END = way.MONDAY + timedelta(days=way.WAY["closed"][0])
# Rules under which others would decide about the same project, and earlier.
OTHERWISE = (
    ("big_budget: 50000.00", "big_budget: 900000.00"),
    ("by: [process_office, managing_director], kind: park", "by: [vice_president], kind: park"),
    ("by: [process_office, managing_director], kind: resume", "by: [vice_president], kind: resume"),
    ("to: taken_back, by: [idea_author]", "to: taken_back, by: [process_office]"),
    ("by: [mgmt_reviewer, process_office, project_lead]", "by: [vice_president]"),
)
PUBLISHED = times(1, 4)  # to check rules takes as long as ten other acts
names = st.sampled_from(NAMES)
WHY = "The weekly report shows it already, so we may begin."
SECTIONS = "    sections:\n      scope: {edit: [project_lead]}\n      dependencies: {edit: [project_lead]}\n"


class Crossing(RuleBasedStateMachine):
    """People act on one project; the model says what should come of it."""

    stops: Stops
    beginnings: dict[str, Model] = BEGINNINGS

    def __init__(self) -> None:
        """Begin nowhere yet."""
        super().__init__()
        self.stack = ExitStack()
        self.count = 0
        self.published = 0

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        stop = data.draw(st.sampled_from([*sorted(self.beginnings), *["in approval"] * 3]))
        self.company: Company = self.stack.enter_context(contextmanager(self.stops.arrive)(stop))
        if stop in LATER_BEGINNINGS:
            self.stack.enter_context(clock.moved_to(END))
        first = self.beginnings[stop]
        fresh: dict[str, Any] = {"said": {}, "words": [], "wanted": {}, "conditions": []}
        fresh["rounds"] = list(first.rounds)
        self.model = Model(**{**vars(first), **fresh})
        self.project_id = self.company.project().id
        self.version = self.company.project().rulebook_version_id
        if data.draw(st.booleans()):
            self.publish_other_rules()
        if stop == "in approval" and data.draw(st.booleans()):
            self._sign("Mia", "approved")
            self.change_the_plan(31)
            assert self.model.said == {}

    def teardown(self) -> None:
        if hasattr(self, "model"):
            event(f"ended in {self.model.stage}")
        self.stack.close()

    def id_of(self, name: str) -> int:
        return self.company.ids[name]

    def key(self) -> str:
        self.count += 1
        return f"key {self.count}"

    @rule(name=names, transition=st.sampled_from(sorted(model.MOVES)))
    def move(self, name: str, transition: str) -> None:
        self._move(name, transition)

    @rule(transition=st.sampled_from(sorted(model.MOVES)), which=st.integers(0, 2))
    def move_as_one_who_may(self, transition: str, which: int) -> None:
        who = model.MOVES[transition][2]
        self._move(who[which % len(who)], transition)

    def _move(self, name: str, transition: str) -> None:
        expected = self.model.may(name, transition)
        assert expected == outcome_of(
            lambda: (
                service.move(
                    self.project_id,
                    transition,
                    by=self.id_of(name),
                    answers=answers(),
                    key=self.key(),
                ).moved
            )
        )
        if expected == "moved":
            self.model.move(transition)

    @precondition(lambda self: self.model.stage in model.ROUNDS)
    @rule(name=names, decision=st.sampled_from(DECISIONS))
    def sign(self, name: str, decision: str) -> None:
        self._sign(name, decision)

    @precondition(lambda self: self.model.stage in model.ROUNDS)
    @rule(decision=st.sampled_from(DECISIONS), which=st.integers(0, 1))
    def sign_as_one_who_is_asked(self, decision: str, which: int) -> None:
        who = model.SIGNERS[self.model.stage]
        self._sign(who[which % len(who)], decision)

    def _sign(self, name: str, decision: str) -> None:
        expected = self.model.may_sign(name, decision)
        found = self.open_round()
        ask = self.ask(decision, found.digest)
        result = outcome_of(lambda: bool(service.decide(found.id, ask, by=self.id_of(name))))
        assert result.replace("moved", "signed") == expected
        if expected == "signed":
            self.model.sign(name, decision)
            if decision == "approved_with_conditions":
                last = len(self.model.conditions) - 1
                assert self._meet(name, last) == self._meet("Sue", last) == "forbidden"

    @precondition(lambda self: self.model.stage == model.FINAL and not self.model.said)
    @rule(
        mia=st.sampled_from(("approved", "returned", "objected")),
        vik=st.sampled_from(("approved", "returned")),
    )
    def sign_at_once(self, mia: str, vik: str) -> None:
        """Whoever came through did so one after the other, in the order of the record."""
        found = self.open_round()
        acts: list[Callable[[], object]] = [
            partial(service.decide, found.id, self.ask(said, found.digest), by=self.id_of(name))
            for name, said in (("Mia", mia), ("Vik", vik))
        ]
        results = at_once(self.company, acts)
        assert all(isinstance(one, int | Conflict) for one in results), results
        query = select(SignoffRow).where(SignoffRow.round_id == found.id).order_by(SignoffRow.id)
        rows = list(db.session.scalars(query))
        assert len(rows) == sum(isinstance(one, int) for one in results) >= 1
        ids = {number: name for name, number in self.company.ids.items()}
        for row in rows:
            assert self.model.may_sign(ids[row.person_id], row.decision) == "signed"
            self.model.sign(ids[row.person_id], row.decision)

    @precondition(lambda self: bool(self.model.words))
    @rule(name=st.sampled_from(("Rex", "Mia", "Vik")))
    def take_a_word_back(self, name: str) -> None:
        """The last word of somebody, whether it still may be or is long over."""
        db.session.rollback()
        query = select(SignoffRow).where(SignoffRow.person_id == self.id_of(name))
        rows = list(db.session.scalars(query.order_by(SignoffRow.id)))
        if not rows:
            return
        again = rows[-1].withdrawn_at is not None
        expected = "moved" if again or name in self.model.said else "conflict"
        stranger = self.id_of("Sue")
        assert outcome_of(lambda: bool(withdraw(rows[-1].id, by=stranger))) == repr(NotFound())
        mine = self.id_of(name)
        assert outcome_of(lambda: bool(withdraw(rows[-1].id, by=mine))) == expected
        if name in self.model.said and not again:
            self.model.take_back(name)

    @precondition(lambda self: self.model.stage == model.FINAL and len(self.model.said) == 1)
    @rule(decision=st.sampled_from(("approved", "approved", "returned")))
    def take_a_word_back_while_the_last_is_given(self, decision: str) -> None:
        """Either the word went and the project waits, or the other came first and it was too late."""
        (first,) = self.model.said
        (other,) = {"Mia", "Vik"} - {first}
        found = self.open_round()
        query = select(SignoffRow.id).where(SignoffRow.round_id == found.id)
        words = select(SignoffRow.id).where(
            SignoffRow.round_id == found.id, SignoffRow.withdrawn_at.is_(None)
        )
        row = db.session.scalars(words).one()
        before = len(db.session.scalars(query).all())
        acts: list[Callable[[], object]] = [
            partial(withdraw, row, by=self.id_of(first)),
            partial(
                service.decide, found.id, self.ask(decision, found.digest), by=self.id_of(other)
            ),
        ]
        back, said = at_once(self.company, acts)
        assert all(isinstance(one, int | Conflict) for one in (back, said)), (back, said)
        assert isinstance(back, int) or isinstance(said, int)
        spoke = isinstance(said, int)
        db.session.rollback()
        assert len(db.session.scalars(query).all()) == before + spoke
        done = ["signoff.withdrawn"] * isinstance(back, int) + [f"signoff.{decision}"] * spoke
        steps = [one.action for one in entries(self.project_id, "signoff.")][-len(done) :]
        assert sorted(steps) == sorted(done)
        # Whichever was recorded first was first.
        for step in steps:
            if step == "signoff.withdrawn":
                self.model.take_back(first)
            else:
                self.model.sign(other, decision)

    @precondition(lambda self: self.model.planned and self.model.stage in (model.PLAN, model.FINAL))
    @rule(effort=st.integers(1, 500))
    def change_the_plan(self, effort: int) -> None:
        before = self.said_of("effort_days")
        self.company.fill("Lea", "scope/effort", {"effort_days": str(effort)})
        if before != str(effort):
            self.model.change()

    @precondition(lambda self: self.model.planned and self.model.stage in (model.PLAN, model.FINAL))
    @rule(budget=st.sampled_from((0, model.LIMIT, model.LIMIT + 1, 90_000)))
    def change_the_budget(self, budget: int) -> None:
        self.company.fill("Lea", "scope/money", {"budget": str(budget)})
        if budget != self.model.budget:
            self.model.budget = budget
            self.model.change()

    @precondition(lambda self: self.model.planned and self.model.stage in (model.PLAN, model.FINAL))
    @rule(needs=st.sampled_from(("A contract", "A server", "")))
    def change_what_nobody_signs(self, needs: str) -> None:
        self.company.fill("Lea", "dependencies/dependencies", {"dependencies-0-name": needs})

    @precondition(lambda self: self.model.planned and self.model.stage in (model.PLAN, model.FINAL))
    @rule()
    def save_what_is_there_already(self) -> None:
        self.company.fill("Lea", "scope/effort", {"effort_days": self.said_of("effort_days")})

    @precondition(lambda self: self.model.stage == model.PLAN and self.model.confirmed)
    @rule()
    def doubt_the_metric(self) -> None:
        with transaction() as session:
            for target in session.scalars(select(Target)):
                target.confirmed = None
        service.settle(self.project_id)
        self.model.confirmed = False

    @precondition(lambda self: not self.model.confirmed and self.model.stage == model.PLAN)
    @rule(name=st.sampled_from(("Mia", "Oli", "Vik", "Lea", "Sue")))
    def waive(self, name: str) -> None:
        if self.model.waived:
            return
        expected = "moved" if name in {"Mia", "Oli"} else "forbidden"

        def act() -> bool:
            service.waive(self.project_id, "metrics-confirmed", reason=WHY, by=self.id_of(name))
            return True

        assert outcome_of(act) == expected
        self.model.waived = expected == "moved"

    @precondition(lambda self: "open" in self.model.conditions)
    @rule(name=st.sampled_from(("Lea", "Lea", "Mia", "Sue")), data=st.data())
    def meet_a_condition(self, name: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.model.conditions) - 1))
        known = "moved" if self.model.conditions[place] == "open" else "conflict"
        assert self._meet(name, place) == (known if name == "Lea" else "forbidden")
        if name == "Lea" and known == "moved":
            self.model.conditions[place] = "met"

    def _meet(self, name: str, place: int) -> str:
        db.session.rollback()
        rows = list(db.session.scalars(select(Condition).order_by(Condition.id)))

        def act() -> bool:
            with transaction():
                close_condition(rows[place].id, by=self.id_of(name), evidence=WHY)
            return True

        return outcome_of(act)

    @precondition(lambda self: self.model.stage in WORK and self._is_late())
    @rule()
    def write_down_what_is_asked(self) -> None:
        if self.model.stage not in self.model.worked:
            WORK[self.model.stage](cast(Company, Standing(self.company)))
            self.model.worked |= {self.model.stage}

    def _is_late(self) -> bool:
        return clock.now() >= END

    @precondition(lambda self: self.published < PUBLISHED)
    @rule()
    def publish_other_rules(self) -> None:
        """Rules that came later are for projects that begin later (R8)."""
        self.published += 1
        text = self.stops.rules.read_text()
        for written, instead in (*OTHERWISE, ("as it was agreed", f"number {self.published}")):
            assert text.count(written) == 1
            text = text.replace(written, instead)
        rulebooks.publish(text, by=None)

    @rule()
    def sweep(self) -> None:
        service.sweep()

    @invariant()
    def it_is_where_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        assert_whole()
        project = db.session.get_one(Project, self.project_id)
        assert project.stage == self.model.stage
        assert project.rulebook_version_id == self.version
        query = select(Round).where(Round.project_id == self.project_id).order_by(Round.id)
        found = list(db.session.scalars(query))
        assert [(one.gate, one.closed_as) for one in found] == self.model.rounds
        if self.model.stage in model.ROUNDS:
            words = select(SignoffRow).where(
                SignoffRow.round_id == found[-1].id, SignoffRow.withdrawn_at.is_(None)
            )
            names = {number: name for name, number in self.company.ids.items()}
            said = {names[one.person_id]: one.decision for one in db.session.scalars(words)}
            assert said == self.model.said
        kept = db.session.execute(
            select(Condition.closed_at, SignoffRow.withdrawn_at)
            .join(SignoffRow, SignoffRow.id == Condition.signoff_id)
            .order_by(Condition.id)
        )
        states = ["dropped" if gone else "met" if met else "open" for met, gone in kept]
        assert states == self.model.conditions
        db.session.rollback()

    def open_round(self) -> Round:
        db.session.rollback()
        query = select(Round).where(Round.project_id == self.project_id, Round.closed_at.is_(None))
        return db.session.scalars(query).one()

    def ask(self, decision: str, digest: str) -> Ask:
        transition = model.TAKES.get((decision, self.model.stage), "")
        day = clock.today() + timedelta(days=30)
        wanted = (NewCondition("Show the contract", self.id_of("Lea"), day),)
        return Ask(
            decision,
            digest,
            self.key(),
            reason=WHY,
            conditions=wanted if decision == "approved_with_conditions" else (),
            move=transition,
            revisit="Later",
            date=day,
            code="fit",
        )

    def said_of(self, field: str) -> str:
        lea = self.company["Lea"]
        lea.open(f"/projects/{self.company.reference}/parts/scope/effort")
        return lea.form(field).values[field]


class Standing:
    """The company, except that nobody moves the project."""

    def __init__(self, company: Company) -> None:
        """Take the company."""
        self._company = company

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def __getitem__(self, name: str) -> Any:
        return self._company[name]

    def move(self, *_: object, **_answers: object) -> None:
        """Leave it where it is."""


def answers() -> Answers:
    """Answer whatever a move may ask."""
    day = clock.today() + timedelta(days=30)
    return Answers(reason=WHY, revisit="Later", date=day, code="fit")


def outcome_of(act: Callable[[], bool]) -> str:
    """Say in the model's words what came of an act."""
    try:
        return "moved" if act() else "closed"
    except Conflict:
        return "conflict"
    except Forbidden:
        return "forbidden"
    except Invalid:
        return "invalid"
    except Refused as refusal:
        return repr(refusal)


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped rules, in which the lead may change the plan while it is signed."""
    text = SHIPPED.read_text()
    stage = "    label: Final approval\n    sla_days: 5\n"
    assert text.count(stage) == 1
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(text.replace(stage, stage + SECTIONS))
    return path


@pytest.mark.parametrize("kind", DATABASES)
def test_a_project_is_where_the_rules_put_it(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    rules: Path,
) -> None:
    empty = str(request.getfixturevalue(f"{kind}_template"))
    server = request.getfixturevalue("postgresql") if kind == "postgresql" else ""
    stops = Stops(tmp_path_factory.mktemp("crossing"), empty, server, rules)
    beginnings = {**BEGINNINGS, **LATER_BEGINNINGS} if LONG else BEGINNINGS
    machine = type("Crossing", (Crossing,), {"stops": stops, "beginnings": beginnings})
    few = kind == "postgresql"
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=times(3 if few else 10, 100 if few else 200),
            stateful_step_count=times(10 if few else 15, 40),
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate),  # to shrink would take minutes
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
