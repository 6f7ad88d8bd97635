from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from okrgate.summaries import wording
from okrgate.summaries.wording import KeyResult, LookBack, Promise, Reading, Voices


def churn(*bands: str | None) -> Promise:
    return Promise(
        metric="Churn",
        direction="down",
        baseline=Decimal("5"),
        success=Decimal("3"),
        partial=Decimal("4"),
        negative=Decimal("6"),
        readings=tuple(
            Reading(f"Checkpoint {index}", date(2026, index, 1), Decimal("3.1"), band)
            for index, band in enumerate(bands, start=1)
        ),
    )


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ((), "cannot tell"),
        ((None,), "cannot tell"),
        (("none",), "no visible change"),
        (("success",), "consistent with a contribution"),
        (("partial",), "consistent with a contribution"),
        (("negative",), "consistent with a setback"),
        (("success", "none"), "no visible change"),
        (("none", "success", None), "consistent with a contribution"),
    ],
)
def test_the_latest_reading_of_a_metric_decides(bands: tuple[str | None, ...], words: str) -> None:
    assert wording.effect([churn(*bands)]) == words


def test_readings_that_contradict_each_other_cannot_tell() -> None:
    assert wording.effect([churn("success"), churn("negative")]) == "cannot tell"


def test_a_result_names_value_promise_and_band() -> None:
    assert wording.result_line(churn("partial")) == (
        "Churn: 3.1 on 1 Jan 2026, baseline 5, promised 3 or less: Partial success."
    )


def test_a_result_says_by_which_bands_it_was_judged() -> None:
    read = replace(churn("partial").readings[0], success=Decimal("2.5"))
    promise = replace(churn(), readings=(read,), changes=("Bands changed on 4 Dec 2026",))
    assert wording.result_line(promise) == (
        "Churn: 3.1 on 1 Jan 2026, baseline 5, promised 2.5 or less: Partial success. "
        "The bands were changed after they were agreed."
    )


def test_no_data_is_said_and_never_a_zero() -> None:
    assert wording.result_line(churn(None)) == "Churn: no data yet."


def full(**changed: object) -> LookBack:
    values: dict[str, object] = {
        "promises": (churn("success"),),
        "key_results": (
            KeyResult("Revenue of 1M", "company", "2026", Decimal("0.4")),
            KeyResult("Bugs below 20", "team"),
        ),
        "voices": Voices(asked=4, answered=3, rating=4.333),
        "planned_effort": Decimal("25"),
        "actual_effort": Decimal("30.5"),
        "days_before": Decimal("12.0"),
        "days_in": Decimal("40"),
    }
    return LookBack(**(values | changed))  # type: ignore[arg-type]


def test_the_proposal_says_what_the_data_says() -> None:
    text = wording.proposal("Renewals in one step", full(), "partial")

    assert "Churn: 3.1 on 1 Jan 2026" in text
    assert "It took 30.5 days of work (25 were planned)." in text
    assert "12 days passed before the work began, 40 in it." in text
    assert "3 of 4 stakeholders answered and rated it 4.3 of 5." in text
    assert "The retrospective judged it a partial success." in text
    assert "Company 2026, Revenue of 1M: consistent with a contribution." in text
    assert "It stands at 40\u202f%." in text
    assert "Bugs below 20" not in text


@pytest.mark.parametrize("bands", [(), ("success",), ("none",), ("negative",)])
def test_the_proposal_never_claims_a_cause(bands: tuple[str, ...]) -> None:
    text = wording.proposal("Renewals", full(promises=(churn(*bands),)), "success").lower()

    for claim in ("caused", "because of", "thanks to", "led to", "achieved by", "due to"):
        assert claim not in text


def test_a_project_without_data_gets_an_honest_proposal() -> None:
    text = wording.proposal("Renewals", LookBack(), None)

    assert "No target metric was set." in text
    assert "It is not linked to a key result of the company or of a region." in text
    assert "0" not in text
