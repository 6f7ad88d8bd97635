"""The numbers of a draft: changed as one form, kept exactly, and never by a slip."""

from decimal import Decimal
from pathlib import Path

import pytest

from okrgate.workshop.rows import process_draft
from tests.factories import Factory
from tests.integration.workshop.test_process_rows import Admin
from tests.unit.workshop.small_process import SMALL

PAGE = "/rules/bench/numbers"
SOFT = SMALL.replace(
    "message: Say which device it is, severity: hard,",
    "message: Say which device it is, severity: soft, waiver: {by: [quality], reason_min: $telling_min, expires_days: 14},",
).replace("params: {telling_min: 30}", "params: {telling_min: 30, spare: 2.50}")


@pytest.fixture(autouse=True)
def _no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """These texts are harmless: spare the processes that keep others at bay."""
    monkeypatch.setattr(process_draft, "in_child", lambda work, given, _seconds: work(given))


@pytest.fixture
def ada(factory: Factory, tmp_path: Path) -> Admin:
    path = tmp_path / "small.yaml"
    path.write_text(SOFT, encoding="utf-8")
    factory.rulebook(path)
    return Admin(factory, "bench")


def test_numbers_are_shown_with_where_they_are_used(ada: Admin) -> None:
    page = ada.see(PAGE)
    assert "Telling min" in page
    assert "Say why in 30 characters (Sheet filled in)" in page
    assert "As “telling min”" in page


def test_what_changes_is_kept_and_the_rest_stays(ada: Admin) -> None:
    waiver = "gates.filled.requirements.1.waiver.expires_days"
    answer = ada.send(
        PAGE,
        **{"params.telling_min": "45", "params.spare": "2,75", "stages.bench.sla_days": "7"},
        **{waiver: "30", "new_label": "Largest order", "new_value": "12000.50"},
    )
    assert answer.status_code == 303
    whole = ada.process.whole
    assert whole["params"] == {
        "telling_min": 45,
        "spare": Decimal("2.75"),
        "largest_order": Decimal("12000.50"),
    }
    assert whole["stages"]["bench"]["sla_days"] == 7
    assert "expires_days: 30" in ada.draft.text
    assert "# who does what" in ada.draft.text
    assert "was 30" in ada.see(PAGE)


def test_rubbish_changes_nothing_and_is_kept_on_the_page(ada: Admin) -> None:
    for field, typed in (
        ("params.telling_min", "lots & more"),
        ("params.spare", ""),
        ("params.spare", "9" * 40),
        ("params.spare", "2,750.00"),
        ("stages.bench.sla_days", "0"),
        ("stages.bench.sla_days", "-1"),
        ("stages.bench.sla_days", "٣"),
        ("gates.filled.requirements.1.waiver.expires_days", "99999"),
        ("new_value", "twelve"),
        ("new_label", "Without a value"),
    ):
        answer = ada.send(PAGE, **{field: typed, "params.other": "7"})
        assert answer.status_code == 422
        assert (typed.replace("&", "&amp;") or "Enter a number") in answer.get_data(as_text=True)
    assert ada.draft.text == SOFT


def test_only_a_number_that_nothing_uses_is_taken_out(ada: Admin) -> None:
    answer = ada.send(PAGE, remove="telling_min")
    assert answer.status_code == 422
    assert "is still used" in answer.get_data(as_text=True)
    assert ada.send(PAGE, remove="nothing").status_code == 422
    assert ada.send(PAGE, remove="spare").status_code == 303
    assert ada.process.whole["params"] == {"telling_min": 30}


def test_a_late_tab_is_told(ada: Admin) -> None:
    answer = ada.send(PAGE, **{"seen": "another", "params.telling_min": "99"})
    assert answer.status_code == 409
    assert 'value="99"' in answer.get_data(as_text=True)
    assert ada.draft.text == SOFT
