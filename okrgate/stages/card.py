"""The few facts that a decision needs, for the card and for the mail."""

from decimal import Decimal
from typing import Any

from okrgate.accounts import directory
from okrgate.projects.models import Project
from okrgate.projects.review_forms import FITS, PRIORITIES
from okrgate.stages.facts import Snapshot
from okrgate.web.filters import minor_digits, show_date, show_money, show_number

_SHOWN = (
    "value.amount",
    "value.reach",
    "value.first_value_by",
    "scope.budget",
    "scope.effort_days",
    "scope.people",
    "scope.start",
    "scope.end",
    "project.priority",
    "review.fits",
)
_UNITS = {"scope.effort_days": " days", "value.reach": " people", "scope.people": " people"}
_LABELS = {
    "value.amount": "Value",
    "value.reach": "Reach",
    "value.first_value_by": "First value by",
    "scope.budget": "Budget",
    "scope.effort_days": "Effort",
    "scope.people": "People",
    "scope.start": "Start",
    "scope.end": "End",
    "project.priority": "Priority",
    "review.fits": "Capacity",
}
CHOICES = {"review.fits": FITS, "project.priority": PRIORITIES}
_MONEY = {"value.amount", "scope.budget"}


def key_facts(project: Project, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return (label, value) of what matters most, leaving out what is not filled in."""
    names = directory.names([project.submitter_id, project.lead_id])
    found = [("Submitted by", names.get(project.submitter_id, "Somebody"))]
    if project.lead_id:
        found.append(("Lead", names.get(project.lead_id, "Somebody")))
    for name in _SHOWN:
        value = snapshot.values.get(name)
        if value is None:
            continue
        found.append(
            (_LABELS[name], _text(name, value, str(snapshot.values.get("project.currency", ""))))
        )
    results = [str(row.get("name")) for row in snapshot.collections.get("key_results", ())]
    if results:
        found.append(("Key results", "; ".join(results)))
    targets = [str(row.get("name")) for row in snapshot.collections.get("metrics", ())]
    if targets:
        found.append(("Target metrics", "; ".join(targets)))
    return tuple(found)


def _text(name: str, value: Any, currency: str) -> str:
    if name in _MONEY:
        minor = int(Decimal(value).scaleb(minor_digits(currency)).to_integral_value())
        return show_money(minor, currency).removesuffix(".00")
    if hasattr(value, "isoformat"):
        return show_date(value)
    if isinstance(value, str):
        return dict(CHOICES.get(name, ())).get(value, value.capitalize())
    return f"{show_number(value)}{_UNITS.get(name, '')}"
