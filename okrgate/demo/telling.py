"""Tell the projects' stories: every step of every project, in the order of time, through the services."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from okrgate import clock
from okrgate.approvals import service as approvals
from okrgate.approvals.entitlement import Surroundings
from okrgate.database import db, transaction
from okrgate.delivery import statements
from okrgate.delivery.models import Statement
from okrgate.demo import talk
from okrgate.demo.company import Company
from okrgate.demo.story import Day, Planned, Story
from okrgate.errors import Forbidden
from okrgate.measurement import service as measurement
from okrgate.measurement.models import Target
from okrgate.notifications.models import INBOX, MAIL, SKIPPED, WAITING, OutboxRow
from okrgate.projects.models import Project
from okrgate.projects.sections import Page, Section
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import editing, settling, signing
from okrgate.stages import service as stages
from okrgate.stages.facts import gather

_SAY_EVERY = 10
_DAY = timedelta(days=1)
# What brings a project further. After all else it is judged only once it matters, or at the end.
_TURNS = {"move", "sign", "agree"}


def tell(story: Story, company: Company, say: Callable[[str], None]) -> None:
    """Take every step at its time. Mail of the past is not sent, that of the last two days is."""
    now = clock.now()
    told = [_Told(planned, story, company) for planned in story.projects]
    acts = sorted(
        ((ago, number, step) for number, one in enumerate(told) for ago, step in one.steps()),
        key=lambda act: -act[0],
    )
    begun = 0
    for ago, number, step in acts:
        with clock.moved_to(now - ago):
            told[number].take(step)
        begun += "begin" in step
        if "begin" in step and begun % _SAY_EVERY == 0:
            say(f"  {begun} of {len(told)} projects begun")
    say("  Bringing their pages up to date")
    settling.sweep()
    _let_rest(now)


def _let_rest(now: datetime) -> None:
    """Count mail of the past as not to be sent, and older news as read."""
    with transaction() as session:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.channel == MAIL, OutboxRow.status == WAITING)
            .where(OutboxRow.created_at < now - 2 * _DAY)
            .values(status=SKIPPED)
        )
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.channel == INBOX, OutboxRow.created_at < now - 5 * _DAY)
            .values(read_at=now - 4 * _DAY)
        )


class _Told:
    """One project on its way."""

    def __init__(self, planned: Planned, story: Story, company: Company) -> None:
        self.planned, self.story, self.company = planned, story, company
        self.project_id = 0
        self.around: Surroundings | None = None
        home, raw = planned["home"], story.raw
        region = next(one["parent"] for one in raw["units"] if one["name"] == home)
        self.parts = {
            "author": planned["author"],
            "lead": planned["lead"],
            "reviewer": raw["reviewers"][region],
            "executive": raw["executives"][region],
            "head": raw["head"],
            "office": raw["office"],
            "steward": raw["steward"],
        }

    def steps(self) -> list[tuple[Any, Mapping[str, Any]]]:
        """Return how long ago each step was, the beginning first."""
        first = self.planned.steps[0][0]
        return [(first + _DAY, {"who": "author", "begin": True}), *self.planned.steps]

    def take(self, step: Mapping[str, Any]) -> None:
        """Do what the step says, as the person whom it names."""
        by = self.company.people[self.parts.get(step["who"], step["who"])]
        turns = bool(_TURNS & step.keys())
        if turns:
            self.around = None
        with nullcontext() if turns else settling.put_off():
            for verb in ("begin", "fill", "move", "sign", "confirm", "answer"):
                if verb in step:
                    getattr(self, f"_{verb}")(step, by)
            for verb, act in talk.ACTS.items():
                if verb in step:
                    act(self.project_id, self._words(step[verb]), by)

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
        section, page = talk.page_named(rulebook, step["fill"])
        typed = talk.as_typed(page, project, self._words(step["with"]))
        form: Any = page.form(formdata=typed, meta={"csrf": False})
        page.prepare(form, project)
        if not form.validate():
            raise ValueError(f"{self.planned['title']}, {step['fill']}: {form.errors}")
        try:
            self._save(section, page, form.data, by)
        except Forbidden:
            # What lies around the project was read some steps ago; perhaps it changed.
            self.around = None
            self._save(section, page, form.data, by)

    def _save(self, section: Section, page: Page, data: Mapping[str, Any], by: int) -> None:
        if self.around is None:
            project = self._project()
            self.around = gather(project, rulebooks.rulebook(project.rulebook_version_id)).around
        state = editing.states(self.project_id).get(section.key)
        stages.save_page(
            self.project_id,
            section,
            page,
            data,
            base_version=state.version if state else 0,
            around=self.around,
            by=by,
        )

    def _move(self, step: Mapping[str, Any], by: int) -> None:
        outcome = stages.move(self.project_id, step["move"], by=by, answers=self._answers(step))
        if not outcome.moved:
            missing = [one.message for one in outcome.verdict.missing] if outcome.verdict else []
            raise ValueError(f"{self.planned['title']} stops at {step['move']}: {missing}")

    def _answers(self, step: Mapping[str, Any]) -> stages.Answers:
        said = self._words(
            {name: step.get(name, "") for name in ("reason", "revisit", "condition")}
        )
        day = self._word(step["date"]) if "date" in step else ""
        return stages.Answers(
            **said, date=date.fromisoformat(day) if day else None, code=step.get("code", "")
        )

    def _sign(self, step: Mapping[str, Any], by: int) -> None:
        settling.settle(self.project_id)
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
        said = self._answers(step)
        ask = stages.Ask(
            decision=step["sign"],
            digest=asked.digest,
            key=secrets.token_hex(16),
            reason=said.reason,
            move=move,
            revisit=said.revisit,
            condition=said.condition,
            date=said.date,
            code=said.code,
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
        said = self._words(step["answer"])
        words = statements.Words(
            rating=int(said["rating"]),
            went_well=said["went_well"],
            went_badly=said["went_badly"],
            again=bool(step["answer"]["again"]),
        )
        statements.answer(asked, words, by=by)

    def _project(self) -> Project:
        return db.session().get_one(Project, self.project_id)

    def _words(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._words(text) if isinstance(text, Mapping) else self._word(text)
            for name, text in said.items()
        }

    def _word(self, text: Any) -> str:
        """Put the project's own words, people and numbers into a text of the story."""
        if not isinstance(text, str) or "{" not in text:
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
        return str(text.format(**own))
