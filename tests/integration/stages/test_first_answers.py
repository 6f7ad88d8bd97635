"""A part nobody filled in shows its first page under its own address; what is typed there arrives."""

from tests.integration.conftest import Arrive

WORDS = "People wait a week for an answer that somebody else has had in a drawer since spring."


def field_of(page: str, name: str) -> str:
    return page.partition(f'<label class="field-label" for="{name}">')[2].partition("</label>")[0]


def test_a_parts_first_answers_are_kept(arrive: Arrive) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")
    sue = company["Sue"]
    sue.open(f"/projects/{company.reference}/parts/problem")

    page = sue.send({"problem": WORDS}, press="Save and continue")

    assert "Saved: Problem." in page
    assert WORDS in sue.open(f"/projects/{company.reference}/parts/problem")


def test_a_page_names_what_its_gate_still_wants(arrive: Arrive) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")
    page = company["Sue"].open(f"/projects/{company.reference}/parts/problem")

    assert "Still missing in this part" in page
    assert "(optional)" in field_of(page, "affected")
    assert "(optional)" not in field_of(page, "problem"), "a gate asks for it"
    assert "(optional)" not in field_of(page, "title")


def test_what_was_typed_too_late_is_given_back(arrive: Arrive) -> None:
    company = arrive("in review")
    sue = company["Sue"]
    sue.open(f"/projects/{company.reference}")
    sue.path = f"/projects/{company.reference}/parts/problem/problem"
    words = {"problem": "A hundred words that took an hour.", "base_version": "1"}

    page = sue.press_anyway(words, 403)

    assert "This was not saved" in page
    assert words["problem"] in page
