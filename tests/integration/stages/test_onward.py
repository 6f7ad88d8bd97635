"""Where a part leads when it is saved, and what its pages say on the way."""

from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

WORDS = "People wait a week for an answer that somebody else has had in a drawer since spring."


def parts(company: Company) -> str:
    return f"/projects/{company.reference}/parts"


def test_the_last_page_of_a_part_leads_to_the_next_part_that_misses_something(
    arrive: Arrive,
) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")
    sue = company["Sue"]
    sue.open(f"{parts(company)}/problem")

    page = sue.send({"problem": WORDS}, press="Save and continue")

    assert sue.path == f"{parts(company)}/value"
    assert "Saved: Problem. Next: Potential value." in page


def test_where_nothing_is_missing_a_part_leads_to_all_answers(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    sue.open(f"{parts(company)}/solution/solution")

    page = sue.send({"solution": WORDS}, press="Save and continue")

    assert sue.path == f"/projects/{company.reference}/check"
    assert "Saved: Suggested solution." in page


def test_all_answers_and_the_part_show_the_bands_in_their_unit(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]

    for path in (f"/projects/{company.reference}/check", f"{parts(company)}/metrics"):
        page = sue.open(path)
        assert 'class="bands-picture"' in page
        assert "%; success" in page


def test_a_page_with_its_parts_title_says_it_once(arrive: Arrive) -> None:
    company = arrive("told")
    page = company["Sue"].open(f"{parts(company)}/solution/solution")

    assert page.count('aria-current="page">Suggested solution') == 1
    assert f'href="{parts(company)}/solution">Suggested solution' not in page


def test_a_mistake_in_a_row_names_the_field(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    sue.open(f"{parts(company)}/metrics/targets")

    page = sue.send({"targets-0-success": "a lot"}, press="Save and continue", status=422)

    assert "Target metric 1, success from: Enter a number" in page
    assert "Success from: Enter a number" in page, "the preview says which one"


def test_the_answer_to_typing_draws_the_help_below_the_baseline_anew(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    page = f"{parts(company)}/metrics/targets"
    sue.open(page)
    assert "hx-swap-oob" not in sue.page

    values = dict(sue.form("base_version").values) | {"preview": "targets-0"}
    told = sue.client.post(page, data=values).text

    assert 'id="targets-0-baseline-help" hx-swap-oob="true"' in told


def test_the_task_list_says_who_fills_in_what_the_reader_cannot(arrive: Arrive) -> None:
    company = arrive("in review")

    assert "Filled in by the " in company["Sue"].open(f"/projects/{company.reference}")
