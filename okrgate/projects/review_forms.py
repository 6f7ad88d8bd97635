"""The questions of the management review, and a project's place in a backlog."""

from typing import Any

from okrgate.projects.sections import SectionForm
from okrgate.web.fields import Choice, Count, Day, Listed, Text, YesOrNo, complain

FITS = (
    ("quarter", "Yes, this quarter"),
    ("half", "Yes, this half-year"),
    ("later", "Later"),
    ("no", "No"),
)
PRIORITIES = (
    ("must", "Must do"),
    ("should", "Should do"),
    ("could", "Could do"),
    ("wont", "Won't do"),
)


class FitForm(SectionForm):
    """Does it fit, and can it be done?"""

    team_fit = YesOrNo("Does it fit the objectives of the teams that would do it?")
    technical = YesOrNo("Is it technically feasible?")
    operational = YesOrNo(
        "Is it operationally feasible?",
        description="Can those who run it, sell it and support it cope with it?",
    )
    feasibility = Text("What is the doubt, or what makes it feasible?", rows=3)


class CapacityForm(SectionForm):
    """Is there room?"""

    fits = Choice("Is there enough capacity?", FITS)
    later_start = Day("If later: when can it start?")
    yields = Listed(
        "Which project yields to it?",
        description="If the teams are over capacity, one project has to make room or this one starts later.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """A later start belongs to the answer "later"."""
        fine: bool = super().validate(extra_validators)
        if self.later_start.data is not None and self.fits.data in {"quarter", "half", "no"}:
            fine = complain(self.later_start, "Take the date away, or answer “Later” above.")
        return fine


class PriorityForm(SectionForm):
    """How important is it?"""

    priority = Choice("Priority", PRIORITIES)
    note = Text("Why?", rows=3, description="Everybody who can read the project can read this.")


class BacklogForm(SectionForm):
    """Where it waits."""

    unit = Listed("In whose backlog does it wait?")
    rank = Count(
        "At which rank?",
        least=1,
        most=100_000,
        description="1 is the first. Left empty, it keeps its rank or goes to the end.",
        render_kw={"inputmode": "numeric"},
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """A rank is one in a backlog."""
        fine: bool = super().validate(extra_validators)
        if self.rank.data is not None and self.unit.data is None and not self.unit.errors:
            fine = complain(self.unit, "Choose the backlog in which it has this rank.")
        return fine
