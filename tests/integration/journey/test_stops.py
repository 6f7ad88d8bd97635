"""Every stop can be reached, and stands in another stage or on another word than the one before."""

import pytest

from tests.integration.conftest import Arrive
from tests.integration.journey.stops import WAY

STAGES = {
    "told": "intake_form",
    "in review": "opportunity_review",
    "judged": "opportunity_review",
    "in the backlog": "ranked_backlog",
    "planned": "plan_work",
    "in approval": "final_approval",
    "half approved": "final_approval",
    "at the kick-off": "kick_off",
    "in execution": "in_execution",
    "wrapping up": "wrap_up",
    "measuring": "measuring",
    "looking back": "look_back",
    "closed": "all_done",
}


@pytest.mark.parametrize("stop", [stop for stop in WAY if stop != "founded"])
def test_a_project_can_be_brought_there(arrive: Arrive, stop: str) -> None:
    assert arrive(stop).project().stage == STAGES[stop]
