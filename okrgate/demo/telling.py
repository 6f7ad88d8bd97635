"""Tell the projects' stories: every step of every project, in the order of time, through the services."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.approvals import service as approvals
from okrgate.database import db, transaction
from okrgate.delivery import statements
from okrgate.delivery.models import Statement
from okrgate.demo.company import Company
from okrgate.demo.story import Day, Planned, Story
from okrgate.measurement import service as measurement
from okrgate.measurement.models import Target
from okrgate.notifications.models import MAIL, SKIPPED, WAITING, OutboxRow
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import editing, signing
from okrgate.stages import service as stages
from okrgate.stages.facts import gather
from okrgate.stages.sections import section_for

_SAY_EVERY = 100
_DAY = timedelta(days=1)


def tell(story: Story, company: Company, say: Callable[[str], None]) -> None:
    """Take every step at its time. Mail of the past is not sent; the last two days' is."""
    now = clock.now()
    told = [_Told(planned, story, company) for planned in story.projects]
    acts = sorted(
        ((ago, number, step) for number, one in enumerate(told) for ago, step in one.steps()),
        key=lambda act: -act[0],
    )
    for count, (ago, number, step) in enumerate(acts, start=1):
        with clock.moved_to(now - ago):
            told[number].take(step)
        if count % _SAY_EVERY == 0:
            say(f"  {count} of {len(acts)} steps")
    with transaction() as session:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.channel == MAIL, OutboxRow.status == WAITING)
            .where(OutboxRow.created_at < now - 2 * _DAY)
            .values(status=SKIPPED)
        )


class _Told:
    """One project on its way."""

    def __init__(self, planned: Planned, story: Story, company: Company) -> None:
        self.planned, self.story, self.company = planned, story, company
        self.project_id = 0
        home, raw = planned["home"], story.raw
        region = next(one["parent"] for one in raw["units"] if one["name"] == home)
        self.parts = {
            "author": planned["author"],
            "lead": planned["lead"],
            "reviewer": raw["reviewers"][region],
            "executive": raw["executives"][region],
            "head": raw["head"],
            "steward": raw["steward"],
        }

    def steps(self) -> list[tuple[Any, Mapping[str, Any]]]:
        """Return how long ago each step was, the beginning first."""
        first = self.planned.steps[0][0]
        return [(first + _DAY, {"who": "author", "begin": True}), *self.planned.steps]

    def take(self, step: Mapping[str, Any]) -> None:
        """Do what the step says, as the person whom it names."""
        by = self.company.people[self.parts[step["who"]]]
        for verb in ("begin", "fill", "move", "sign", "confirm", "answer"):
            if verb in step:
                getattr(self, f"_{verb}")(step, by)

    def _begin(self, _step: Mapping[str, Any], by: int) -> None:
        version = next(
            one
            for one in rulebooks.binding()
            if rulebooks.rulebook(one.id).id == self.story.process
        )
        home = self.company.units[self.planned["home"]]
        title = self.planned["title"]
        self.project_id = stages.start(title, version_id=version.id, home_unit_id=home, by=by).id

    def _fill(self, step: Mapping[str, Any], by: int) -> None:
        project = self._project()
        rulebook = rulebooks.rulebook(project.rulebook_version_id)
        section_key, _, page_key = step["fill"].partition("/")
        section = section_for(rulebook, section_key)
        page = section.page(page_key) if section else None
        if section is None or page is None:
            raise LookupError(f"The demo fills {step['fill']}, which does not exist.")
        shown: Any = page.form(formdata=None, data=dict(page.load(project)), meta={"csrf": False})
        page.prepare(shown, project)
        typed = MultiDict(_held(shown))
        for name, text in step["with"].items():
            typed[name] = self._word(text)
        form: Any = page.form(formdata=typed, meta={"csrf": False})
        page.prepare(form, project)
        if not form.validate():
            raise ValueError(f"{self.planned['title']}, {step['fill']}: {form.errors}")
        state = editing.states(project.id).get(section_key)
        stages.save_page(
            project.id,
            section,
            page,
            form.data,
            base_version=state.version if state else 0,
            around=gather(project, rulebook).around,
            by=by,
        )

    def _move(self, step: Mapping[str, Any], by: int) -> None:
        answers = stages.Answers(
            reason=step.get("reason", ""),
            revisit=str(step.get("revisit", "")),
            condition=step.get("condition", ""),
        )
        outcome = stages.move(self.project_id, step["move"], by=by, answers=answers)
        if not outcome.moved:
            missing = [one.message for one in outcome.verdict.missing] if outcome.verdict else []
            raise ValueError(f"{self.planned['title']} stops at {step['move']}: {missing}")

    def _sign(self, step: Mapping[str, Any], by: int) -> None:
        asked = approvals.open_round(self.project_id)
        if asked is None:
            raise LookupError(f"{self.planned['title']} asks nobody to sign.")
        moving = approvals.MOVING.get(step["sign"])
        move = ""
        if moving:
            project = self._project()
            rulebook = rulebooks.rulebook(project.rulebook_version_id)
            stand = signing.standing(project, rulebook, gather(project, rulebook), asked, by)
            move = stand.moves[moving][0].id
        ask = stages.Ask(
            decision=step["sign"],
            digest=asked.digest,
            key=secrets.token_hex(16),
            reason=step.get("reason", ""),
            move=move,
            revisit=str(step.get("revisit", "")),
        )
        stages.decide(asked.id, ask, by=by)

    def _confirm(self, step: Mapping[str, Any], by: int) -> None:
        for target, _metric in measurement.targets(self.project_id):
            measurement.confirm(target.id, confirmed=True, note=step["confirm"], by=by)

    def _answer(self, step: Mapping[str, Any], by: int) -> None:
        asked = db.session().scalar(
            select(Statement.id).where(
                Statement.project_id == self.project_id, Statement.person_id == by
            )
        )
        if asked is None:
            return
        said = {name: self._word(value) for name, value in step["answer"].items()}
        words = statements.Words(
            rating=int(said["rating"]),
            went_well=said["went_well"],
            went_badly=said["went_badly"],
            again=bool(step["answer"]["again"]),
        )
        statements.answer(asked, words, by=by)

    def _project(self) -> Project:
        return db.session().get_one(Project, self.project_id)

    def _word(self, text: Any) -> str:
        """Put the project's own words, people and numbers into a text of the story."""
        if not isinstance(text, str):
            return str(text)
        people = {part: self.company.people[name] for part, name in self.parts.items()}
        own = {
            **self.planned.words,
            **people,
            "home": self.company.units[self.planned["home"]],
            "metric": self.company.metrics[self.planned["metric"]],
            "result": self.company.results[self.planned["result"]],
            "today": Day.fromordinal(clock.today().toordinal()),
        }
        if "{reference}" in text:
            own["reference"] = self._project().reference
        if "{target}" in text:
            own["target"] = db.session().scalar(
                select(Target.id).where(Target.project_id == self.project_id).limit(1)
            )
        return text.format(**own)


def _held(form: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return what a browser would send back of a form that nobody touched."""
    held: list[tuple[str, str]] = []
    for field in form:
        if hasattr(field, "entries"):
            for entry in field.entries:
                held += _held(entry.form)
        elif field.type == "BooleanField":
            held += [(field.name, "y")] if field.data else []
        elif field.type == "CSRFTokenField":
            continue
        else:
            value = field._value() if hasattr(field, "_value") else field.data
            held.append((field.name, _sent(value)))
    return held


def _sent(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
