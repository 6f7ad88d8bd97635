"""The questions about what a project contributes to, and who works on it."""

from typing import Any

from wtforms.validators import ValidationError

from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import Days, Known, Listed, Text, YesOrNo, rows_of


def check_no_twice(fields: Any, sentence: str) -> None:
    """Raise ValidationError when two of these fields name the same thing."""
    named = [field.data for field in fields if field.data is not None]
    if len(named) != len(set(named)):
        raise ValidationError(sentence)


class KeyResultRow(RowForm):
    """One key result."""

    called = "Key result"

    id = Known()
    key_result = Listed("Key result")
    contribution = Text(
        "What does this project contribute to it?",
        rows=2,
        description="How much of the key result, and by what.",
    )

    def validate_key_result(self, field: Any) -> None:
        """A contribution is one to something."""
        if field.data is None and self.contribution.data:
            raise ValidationError("Choose the key result that this contributes to.")


class KeyResultsForm(SectionForm):
    """The key results."""

    links = rows_of(KeyResultRow, "Key results")

    def validate_links(self, field: Any) -> None:
        """Name each key result once."""
        chosen = [entry.form.key_result for entry in field]
        check_no_twice(chosen, "A key result is in the list twice. Keep one of them.")


class TeamRow(RowForm):
    """One team."""

    called = "Team"

    id = Known()
    unit = Listed("Team")
    effort_days = Days(
        "How much work is it for them?", render_kw={"data-unit": "days", "inputmode": "decimal"}
    )
    confirmed = YesOrNo("Has the team agreed?")
    over_capacity = YesOrNo("Does it take the team over its capacity?")

    def validate_unit(self, field: Any) -> None:
        """What is said is said of a team."""
        others = (self.effort_days.data, self.confirmed.data, self.over_capacity.data)
        if field.data is None and any(other is not None for other in others):
            raise ValidationError("Choose the team that this is about.")


class TeamsForm(SectionForm):
    """The teams."""

    teams = rows_of(TeamRow, "Teams", description="Every team that has to work on it.")

    def validate_teams(self, field: Any) -> None:
        """Name each team once."""
        chosen = [entry.form.unit for entry in field]
        check_no_twice(chosen, "A team is in the list twice. Keep one of them.")
