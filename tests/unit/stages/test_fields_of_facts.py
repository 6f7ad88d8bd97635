"""Every fact that a rule may ask for is answered by a field, or by something that people do."""

import pytest

from okrgate.gates.vocabulary import APPLICATION_COLLECTIONS, APPLICATION_FACTS
from okrgate.projects.sections import Page
from okrgate.stages.sections import ALL, place_of

# Facts that no field answers, and what makes them true.
DONE_ELSEWHERE = {
    "project.submitter": "whoever begins the project",
    "project.currency": "the company's settings",
    "project.adopted": "an import",
    "project.outcome": "the stage where it ends",
    "stage.days": "time",
    "bands.changed_since_signoff": "a change after a sign-off",
    "plan.changed_since_signoff": "a change after a sign-off",
    "conditions": "approvals with conditions",
    "conditions.open": "an approval with conditions",
    "conditions.overdue": "time",
    "metrics.confirmed": "the steward, on the confirmations page",
    "metrics.stale": "observations in the registry",
    "statements.answered": "the stakeholders",
    "statements.reminded": "the lead, on the statements page",
}
PAGES = [page for section in ALL.values() for page in section.pages]


@pytest.mark.parametrize("fact", [*APPLICATION_FACTS, *APPLICATION_COLLECTIONS])
def test_a_fact_has_a_field_or_a_reason(fact: str) -> None:
    placed = any(place_of(section, fact) for section in ALL.values())

    assert placed or fact in DONE_ELSEWHERE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_a_page_names_fields_that_it_has(page: Page) -> None:
    fields = {name for name in vars(page.form) if not name.startswith("_")}

    assert set(page.facts.values()) <= fields
