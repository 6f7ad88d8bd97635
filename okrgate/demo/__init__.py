"""A company to look at: seeded through the services, on a clock that is moved back.

Nothing here is real, and nothing outside `okrgate demo` ever calls it. What is told stands in `rules/demo/`,
beside the rulebook whose words it uses; here stands how.
"""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts import personas
from okrgate.accounts.models import Person
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.config import Settings
from okrgate.database import db
from okrgate.demo.company import Company, settle_in
from okrgate.demo.story import Story, read_story
from okrgate.demo.talk import keep_views
from okrgate.demo.telling import tell
from okrgate.rulebooks import service as rulebooks

Say = Callable[[str], None]


def seed(app: Flask, say: Say) -> list[str]:
    """Fill an empty database; leave a filled one alone. Return the lines to print: who to sign in as.

    Under a rulebook that no story was written for, there are people, metrics and objectives, but no projects.
    """
    with app.app_context():
        settings: Settings = app.extensions["okrgate.settings"]
        story = read_story()
        if not db.session().scalar(select(func.count()).select_from(Person)):
            say("Preparing a company with a year behind it. This takes a minute or two, once.")
            with clock.moved_to(clock.now() - story.began):
                rulebooks.publish_first(settings.rules_file.read_text(encoding="utf-8"))
            _fill(story, say)
        return _who(story)


def _fill(story: Story, say: Say) -> None:
    roles = {role for role, _label in rulebooks.role_choices()}
    company: Company = settle_in(story, roles)
    if story.process in {rulebooks.rulebook(one.id).id for one in rulebooks.binding()}:
        tell(story, company, say)
        keep_views(story, company)


def _who(story: Story) -> list[str]:
    lines = ["Sign in as any of these (on the sign-in page one press is enough):"]
    addresses = {person.name: person.email for person in story.people}
    lines += [
        f"  {addresses[one['name']]:32} {one['name']}, {one['role']}"
        for group in personas.welcome()["personas"]
        for one in group["people"]
        if one["name"] in addresses
    ]
    return [*lines, f"Every password is: {DEMO_PASSWORD}"]
