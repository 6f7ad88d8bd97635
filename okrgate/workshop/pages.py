"""Every page of this room, on its one blueprint: importing this registers them all."""

from okrgate.workshop import editor_views, impact_views, insight_views, live_views, review_views
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.processes import adding_views, retiring_views
from okrgate.workshop.publishing import policy_views, proposal_views, publish_views, rollout_views
from okrgate.workshop.rows import (
    gate_views,
    numbers_views,
    process_views,
    promise_views,
    requirement_moving,
    requirement_views,
    stage_views,
)
from okrgate.workshop.trials import tests_views, trying_views

__all__ = [
    "adding_views",
    "blueprint",
    "editor_views",
    "gate_views",
    "impact_views",
    "insight_views",
    "live_views",
    "numbers_views",
    "policy_views",
    "process_views",
    "promise_views",
    "proposal_views",
    "publish_views",
    "requirement_moving",
    "requirement_views",
    "retiring_views",
    "review_views",
    "rollout_views",
    "stage_views",
    "tests_views",
    "trying_views",
]
