"""A project's history: the latest lines on its page, the others one link away, none lost between."""

import re

from okrgate.approvals.receipts import SEALED
from okrgate.audit import service as audit
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

LINE = 'class="event-what"'


def link(page: str, label: str) -> str | None:
    """Return where a link of this label leads, if there is one."""
    found = re.search(rf'href="([^"]*)"[^>]*>(?:<svg.*?</svg>)?{label}', page, re.DOTALL)
    return found[1].replace("&amp;", "&") if found else None


def pages(company: Company) -> list[str]:
    """Return the page of a project and those that its history goes on with."""
    found, path = [], f"/projects/{company.reference}"
    while path:
        found.append(company["Aud"].open(path))
        path = link(found[-1], "Earlier") or ""
    return found


def test_the_latest_lines_are_on_the_page_and_the_others_behind_it(arrive: Arrive) -> None:
    company = arrive("closed")
    recorded = len(audit.of_project(company.project().id, limit=500, without=SEALED))

    shown = pages(company)

    assert shown[0].count(LINE) == 12
    assert len(shown) > 1
    assert sum(page.count(LINE) for page in shown) == recorded
    assert "Project started" in shown[-1]
    assert link(shown[0], "Latest") is None
    assert link(shown[-1], "Latest") == f"/projects/{company.reference}#history"


def test_a_short_history_leads_nowhere(arrive: Arrive) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")

    page = company["Sue"].open(f"/projects/{company.reference}")

    assert "Project started" in page
    assert link(page, "Earlier") is None
    assert link(page, "Latest") is None
