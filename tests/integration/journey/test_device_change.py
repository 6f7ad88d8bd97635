"""The same application under quite another rulebook: no stage, role or question of the first one is left."""

from datetime import UTC, datetime

from okrgate import clock
from okrgate.audit import chain
from tests.factories import SHIPPED, Factory
from tests.integration.journey.company import Company

DEVICES = SHIPPED.parent / "examples" / "device_change.yaml"
PEOPLE = {
    "Pia": None,
    "Kim": None,
    "Qi": "quality_guardian",
    "Quo": "quality_guardian",
    "Sam": "safety_warden",
}
MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
WHY = "The centrifuge shakes above nine thousand turns and spoils one sample in forty."


def test_a_device_is_changed_under_rules_of_its_own(factory: Factory) -> None:
    company = Company.found(factory, DEVICES, PEOPLE)
    with clock.moved_to(MONDAY):
        hand_in(company)
        assert company.project().stage == "clearance_desk"
        company.sign("Qi", "returned", reason="Which rotor?")
        assert company.project().stage == "change_sheet"
        company.fill("Pia", "problem/problem", {"problem": WHY + " Rotor B."})
        company.move("Pia", "hand_in_sheet")
        company.sign("Qi", "approved")
        assert company.project().stage == "clearance_desk"
        company.sign("Sam", "approved")
        assert company.project().stage == "bench_work"
        work(company)
        company.sign("Quo", "approved")
    project = company.project()
    assert (project.stage, project.outcome) == ("change_archived", "in_force")
    assert company.told()["SignoffAsked"] == ["Qi", "Quo", "Sam"] * 2 + ["Qi", "Quo"]
    assert [(one.kind, one.gate) for one in company.receipts()] == [
        ("passage", "sheet_filled"),
        ("signoff", "two_clear_it"),
        ("passage", "sheet_filled"),
        ("signoff", "two_clear_it"),
        ("signoff", "two_clear_it"),
        ("passage", "two_clear_it"),
        ("passage", "bench_finished"),
        ("signoff", "looked_over"),
        ("passage", "looked_over"),
    ]
    assert chain.verify()[1] == []


def hand_in(company: Company) -> None:
    """Pia fills the sheet; the gate says what is missing until it is whole."""
    company.begin("Pia", "A quieter centrifuge")
    assert "Say which device it is" in company.move("Pia", "hand_in_sheet", status=422)
    company.fill("Pia", "problem/problem", {"problem": WHY})
    company.fill("Pia", "problem/questions", {"q_device_tag": "C-17", "q_standstill": "minutes"})
    company.fill(
        "Pia",
        "solution/solution",
        {"solution": "New bearings; the old ones stay in the drawer for a month."},
    )
    company.fill("Pia", "people/parts", {"lead": str(company.ids["Kim"])})
    company.move("Pia", "hand_in_sheet")


def work(company: Company) -> None:
    """Kim changes the device; quality sets the manual aside, for a reason and for a time."""
    shut = company.move("Kim", "report_bench_done", status=422)
    assert "The device has to pass its check after the change" in shut
    company.fill("Kim", "solution/questions", {"q_bench_check": "passed", "q_manual_renewed": "no"})
    assert "The manual at the device" in company.move("Kim", "report_bench_done", status=422)
    qi = company["Qi"]
    qi.open(f"/projects/{company.reference}/waivers/manual-renewed")
    qi.send({"reason": "The maker sends the new manual next week."}, press="Set it aside")
    company.move("Kim", "report_bench_done")
